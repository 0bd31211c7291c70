"""A folder of recordings as somebody would make it: eight people, three rates, a file a sensor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RATES = {"BVP": 64, "EDA (uS)": 4, "temperature (deg C)": 1}
SECONDS = 12


@dataclass(frozen=True)
class OwnFolder:
    """The folder, and what spoils single files of it."""

    root: Path

    def sensor(self, name: str, subject: int = 1, trial: int = 1) -> Path:
        return self.root / "signals" / f"{subject}_{trial}" / f"{name}.csv"

    def lines(self, path: Path) -> list[str]:
        return path.read_text().splitlines()

    def write(self, path: Path, lines: list[str]) -> None:
        path.write_text("\n".join(lines) + "\n")

    def change(self, path: Path, change: Callable[[float], float]) -> None:
        """Change the values of a sensor's file, the last column."""
        head, *rows = [line.rpartition(",") for line in self.lines(path)]
        changed = [f"{left}{comma}{change(float(value)):.6f}" for left, comma, value in rows]
        self.write(path, ["".join(head), *changed])

    def stretch(self, path: Path, change: Callable[[float], float]) -> None:
        """Change the times of a sensor's file, the first column."""
        head, *rows = [line.partition(",") for line in self.lines(path)]
        changed = [f"{change(float(time)):.6f},{value}" for time, _, value in rows]
        self.write(path, ["".join(head), *changed])

    def read(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        from bench.registry import get

        notes: dict[str, Any] = {}
        return get("dataset", "folder").factory(self.root, notes=notes, **options), notes


@pytest.fixture
def own(tmp_path: Path, _made: Path) -> OwnFolder:
    """People 1 to 8 with four trials each: stress low and high, arousal about 2 and 7.5."""
    return OwnFolder(Path(shutil.copytree(_made, tmp_path / "recordings")))


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own") / "recordings"
    rng = np.random.default_rng(0)
    table = ["subject,trial,stimulus,order,arousal,stress"]
    for subject in range(1, 9):
        for trial in range(1, 5):
            high = trial % 2 == 0
            table.append(
                f"{subject},{trial},task {trial},{trial},{7.5 if high else 2 + trial / 10},{'high' if high else 'low'}"
            )
            folder = root / "signals" / f"{subject}_{trial}"
            folder.mkdir(parents=True)
            time = {name: np.arange(SECONDS * rate) / rate for name, rate in RATES.items()}
            values = {
                "BVP": 20 * np.sin(2 * np.pi * (1.5 if high else 1.1) * time["BVP"])
                + rng.normal(size=SECONDS * 64),
                "EDA (uS)": 2
                + subject / 10
                + high * 0.05 * time["EDA (uS)"]
                + 0.01 * rng.normal(size=SECONDS * 4),
                "temperature (deg C)": 33 + 0.1 * rng.normal(size=SECONDS),
            }
            for name, of_channel in values.items():
                rows = [f"{t:.6f},{value:.6f}" for t, value in zip(time[name], of_channel, strict=True)]
                (folder / f"{name.split()[0]}.csv").write_text("\n".join([f"time,{name}", *rows]) + "\n")
    (root / "trials.csv").write_text("\n".join(table) + "\n")
    return root
