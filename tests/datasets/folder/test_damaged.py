"""Whatever a file of the folder holds, it is read, or refused in plain words."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DataError
from bench.registry import get

PIECES = [b",", b"\n", b'"', b";", b"-", b"e9", b"\x00", b"nan", b"inf", b"1e308", b"\n\n", b"../", b"0"]


def make(root):
    (root / "signals").mkdir()
    table = pd.DataFrame({"time": np.arange(40) / 16, "BVP": np.sin(np.arange(40.0))})
    table.to_csv(root / "signals" / "1_1.csv", index=False)
    table.to_parquet(root / "signals" / "1_2.parquet", index=False)
    np.savez(root / "signals" / "2_1.npz", BVP=table["BVP"].to_numpy(), rate=16)
    table[["BVP"]].to_csv(root / "signals" / "2_2.csv", index=False)
    (root / "trials.csv").write_text("subject,trial,stimulus,stress\n1,1,a,x\n1,2,b,y\n2,1,a,x\n2,2,b,y\n")
    (root / "channels.csv").write_text("channel,rate,unit\nBVP,16,\n")


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, 5),
    place=st.floats(0, 1),
    cut=st.integers(0, 60),
    put=st.one_of(st.binary(max_size=4), st.sampled_from(PIECES)),
)
def test_a_damaged_file_is_read_or_refused(number, place, cut, put):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root)
        file = sorted(path for path in root.rglob("*") if path.is_file())[number]
        content = file.read_bytes()
        at = round(place * len(content))
        file.write_bytes(content[:at] + put + content[at + cut :])
        refused, signals = "", []
        try:
            signals = get("dataset", "folder").factory(root).signals
        except DataError as error:
            refused = str(error)
    assert refused or signals
    assert all(np.isfinite(signal).all() for signal in signals)
    assert all(len(line) < 300 for line in refused.splitlines())
