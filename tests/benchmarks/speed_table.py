"""Make ``results/mlstm-fcn/speed.md`` of what ``test_mlstm_fcn_speed.py`` measured, ratios included."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tabulate import tabulate

NAMES = {
    "test_training[float32]": ("training", "MLSTMFCN, float32 (default)"),
    "test_training[mixed_bfloat16]": ("training", "MLSTMFCN, mixed bfloat16"),
    "test_training_plain_keras_fit": ("training", "the same layers in plain Keras, `fit`, float32"),
    "test_training_plain_keras_train_on_batch": ("training", "the same, `train_on_batch`"),
    "test_training_sktime_lstm_fcn": ("training", "sktime's LSTMFCNClassifier, float32"),
    "test_training_convolutions_alone": (
        "training",
        "the three convolutions and their gradients, nothing else",
    ),
    "test_prediction[float32]": ("prediction", "MLSTMFCN, float32 (default)"),
    "test_prediction[mixed_bfloat16]": ("prediction", "MLSTMFCN, mixed bfloat16"),
    "test_prediction_plain_keras_predict": (
        "prediction",
        "the same layers in plain Keras, `predict`, float32",
    ),
    "test_prediction_convolutions_alone": ("prediction", "the three convolutions, nothing else"),
}


def main() -> None:
    """Read pytest-benchmark's JSON, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", type=Path, help="file of pytest --benchmark-json")
    parser.add_argument("--results", type=Path, default=Path("results/mlstm-fcn"))
    asked = parser.parse_args()
    measured = json.loads(asked.json.read_text(encoding="utf-8"))
    seconds = {one["name"]: one for one in measured["benchmarks"]}
    rates = {
        name: [
            seconds[name]["extra_info"]["windows"] / seconds[name]["stats"][key]
            for key in ("median", "max", "min")
        ]
        for name in NAMES
    }
    rows = []
    for name, (what, who) in NAMES.items():
        ours = rates[f"test_{what}[float32]"][0]
        rate, low, high = rates[name]
        rows.append((what, who, f"{rate:.0f}", f"{low:.0f} to {high:.0f}", f"{ours / rate:.2f}"))
    head = ("what", "who", "windows/s (median)", "range", "default against it")
    cpu = measured["machine_info"]["cpu"]
    plain = seconds["test_training_plain_keras_fit"]
    count, rounds = plain["extra_info"]["windows"], plain["stats"]["rounds"]
    text = (
        "# Speed of MLSTM-FCN\n\n"
        + tabulate(rows, headers=head, tablefmt="pipe", disable_numparse=True)
        + f"\n\nOne run, {count} windows of 5 x 640 an epoch, batch 64, {rounds} epochs each; {_name(cpu)}, "
        f"{cpu['count']} cores, {measured['datetime'][:10]}. Nothing is compiled within these seconds. Above 1 in the last "
        "column: the default is faster. The convolutions by themselves bound what can be reached in float32.\n"
    )
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "speed.md").write_text(text, encoding="utf-8")
    print(text)


def _name(cpu: dict[str, Any]) -> str:
    """Return the processor's name; where a virtual machine hides it, the family and model tell it."""
    fast = [flag for flag in ("avx512f", "avx512_bf16", "amx_bf16") if flag in cpu["flags"]]
    return f"{cpu['brand_raw']} (family {cpu['family']}, model {cpu['model']}; {', '.join(fast) or 'no AVX-512'})"


if __name__ == "__main__":
    main()
