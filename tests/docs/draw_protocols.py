"""Draws the split that each protocol makes of a small made-up study.

``python tests/docs/draw_protocols.py`` writes ``docs/images/protocols/<name>.png``. The splits are those of the
protocols themselves, the verdicts those of the audit. Each picture carries, as text in the file, the digest of what it
shows, so that a test finds out one that shows what the code no longer does.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.data.windows import Panel, Target, Windowing, make_panel
from bench.recordings import Recordings
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.splits.split import Split
from bench.splits.split_file import register_split

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images" / "protocols"

# A person a line: the site, and the songs in the order of the session, a capital where the person rated it high. The
# third hears h twice, the sixth b. Letters whose small and capital forms look alike are not among them.
SESSIONS = (
    ("A", "gQdalrBnHfem"),
    ("A", "bRhGmednaLqF"),
    ("A", "HqfDramgbhNL"),
    ("A", "EaNdfqGrlbHm"),
    ("A", "dGbREhaNqMfL"),
    ("B", "mBlegHrbDfqa"),
    ("B", "RhqagMfdebnL"),
    ("B", "fDeHlRNmbqGa"),
)
N_TRIALS, N_WINDOWS = 12, 4

# Of each picture: the protocol as it is given, and which of its divisions, counted from 0.
DRAWINGS: dict[str, tuple[tuple[str, int], ...]] = {
    "subject-stratified": (("subject-stratified", 0),),
    "subject-blocked": (("subject-blocked", 0),),
    "subject-independent": (("subject-independent", 0),),
    "loso": (("loso", 0), ("loso[folds=3]", 0)),
    "loso-calibrate": (("loso[calibrate=4]", 0), ("loso[calibrate=4]", 2)),
    "leave-one-stimulus-out": (("leave-one-stimulus-out", 0), ("leave-one-stimulus-out[folds=4]", 0)),
    "subject-and-stimulus-out": (("subject-and-stimulus-out", 0), ("subject-and-stimulus-out[folds=2]", 0)),
    "leave-one-site-out": (("leave-one-site-out", 0), ("leave-one-site-out", 1)),
    "random-windows": (("random-windows", 0),),
    "split-then-oversample": (("split-then-oversample", 0),),
    "oversample-then-split": (("oversample-then-split", 0),),
    "predefined": (("predefined", 0),),
    "split-file": (("split-theirs", 0),),
}

# Light, dark and white: told apart in greyscale, and blue and brown without colour vision.
TRAINING, TEST, LEFT_OUT = "#9ad0f0", "#9c3600", "#ffffff"
EDGE, GREY, INK = "#b5b5b5", "#555555", "#222222"
PIXELS = (1400, 700)  # shown at half of that
_DPI = 200


@dataclass(frozen=True, eq=False)
class Shown:
    """One division as it is drawn: the protocol, which division of how many, and the split."""

    spec: str
    fold: int
    n_folds: int
    split: Split


@cache
def study() -> Panel:
    """Return the windows of the made-up study, overlapping ones of 5 s; their samples mean nothing."""
    rows = []
    for subject, (site, songs) in enumerate(SESSIONS, start=1):
        by_song = sorted(range(N_TRIALS), key=lambda place, songs=songs: songs[place].lower())
        for trial, place in enumerate(by_song, start=1):
            song = songs[place]
            split = "test" if place >= 9 else "train"  # what `predefined` is given
            rows.append((subject, trial, song.lower(), 9.0 if song.isupper() else 1.0, place, site, split))
    columns = ["subject", "trial", "stimulus", "arousal", "order", "site", "split"]
    trials = pd.DataFrame(rows, columns=columns)
    samples = np.arange(len(trials) * 56, dtype=np.float32).reshape(len(trials), 1, 56)  # no two are alike
    recordings = Recordings("made-up", samples, ["counter"], 4.0, trials, simulated=True)
    panel = make_panel(recordings, Target(name="arousal"), Windowing(seconds=5, overlap=2))
    assert len(panel) == len(SESSIONS) * N_TRIALS * N_WINDOWS
    return panel


def their_split(file: Path) -> None:
    """Write a split as somebody else might: the last window of each trial is tested, and one person is left out."""
    table = study().windows[["subject", "trial", "start"]]
    table = table[table["subject"] < len(SESSIONS)]
    last = table["start"] == table["start"].max()
    table.assign(side=np.where(last, "test", "train")).to_csv(file, index=False)


def shown(name: str) -> list[Shown]:
    """Return the divisions that a picture shows, of seed 0."""
    with TemporaryDirectory() as folder:
        if name == "split-file":
            their_split(file := Path(folder) / "theirs.csv")
            register_split(file)
        found = []
        for spec, fold in DRAWINGS[name]:
            splits = [split for _, split in divide(parse_spec(spec), study(), 0)]
            found.append(Shown(spec, fold, len(splits), splits[fold]))
        return found


def digest(divisions: list[Shown]) -> str:
    """Return a digest of what a picture shows: the study, and specs, rows and verdicts of its divisions."""
    about = [(SESSIONS, PIXELS)]
    about += [(one.spec, one.fold, one.n_folds, one.split.audit.verdict) for one in divisions]
    rows = b"|".join(
        side.astype("<i8").tobytes() for one in divisions for side in (one.split.train, one.split.test)
    )
    return hashlib.sha256(repr(about).encode() + rows).hexdigest()


def draw(name: str, folder: Path) -> Path:
    """Draw the divisions of a protocol side by side, and return the file."""
    divisions = shown(name)
    figure = Figure(figsize=(PIXELS[0] / _DPI, PIXELS[1] / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    width = 0.995 / len(divisions)
    for number, one in enumerate(divisions):
        left = number * width
        axes = figure.add_axes((left + 0.045, 0.20, width - 0.05, 0.79))
        _draw_division(axes, one.split)
        of = f", {one.fold + 1} of {one.n_folds}" if one.n_folds > 1 else ""
        about = {"fontsize": 7, "color": INK, "va": "center"}
        figure.text(left + 0.045, 0.155, one.spec + of, family="monospace", **about)
        figure.text(left + 0.045, 0.105, "audit: " + one.split.audit.verdict, weight="bold", **about)
    _draw_legend(figure, [one.split for one in divisions])
    file = folder / f"{name}.png"
    canvas.draw()
    about_it = PngInfo()
    about_it.add_text("Description", digest(divisions))
    # Few colours: half the bytes, and nothing lost that can be seen.
    picture = (
        Image.fromarray(np.asarray(canvas.buffer_rgba()))
        .convert("RGB")
        .quantize(64, dither=Image.Dither.NONE)
    )
    picture.save(file, pnginfo=about_it, optimize=True)
    return file


def _place(windows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return where the cell of each window begins: along the session, and which row, sites apart."""
    number = windows.groupby(["subject", "trial"]).cumcount().to_numpy()
    x = windows["order"].to_numpy() * (N_WINDOWS + 1.0) + number
    y = windows["subject"].to_numpy() - 1 + 0.35 * (windows["site"] == "B").to_numpy()
    return x, y


def _draw_division(axes: Axes, split: Split) -> None:
    windows, labels = study().windows, study().y
    x, y = _place(windows)
    trained, tested = (np.bincount(side, minlength=len(windows)) for side in (split.train, split.test))
    height = 0.56
    fills: dict[str, list[Rectangle]] = {TRAINING: [], TEST: [], LEFT_OUT: []}
    for left, top, in_train, in_test in zip(x, y, trained, tested, strict=True):
        if in_train and in_test:
            fills[TRAINING].append(Rectangle((left, top), 1, height / 2))
            fills[TEST].append(Rectangle((left, top + height / 2), 1, height / 2))
        else:
            colour = TRAINING if in_train else TEST if in_test else LEFT_OUT
            fills[colour].append(Rectangle((left, top), 1, height))
    for colour, cells in fills.items():
        edge = EDGE if colour == LEFT_OUT else "white"
        axes.add_collection(PatchCollection(cells, facecolor=colour, edgecolor=edge, linewidth=0.5))
    for counts, inside, colour in ((trained, tested, INK), (tested, trained, "white")):
        copied = (counts > 1) & (inside == 0)
        axes.scatter(x[copied] + 0.5, y[copied] + height / 2, s=2.2, color=colour, linewidth=0)
    first = windows.groupby(["subject", "trial"]).head(1).index
    for row in first:
        high = labels[row] == "high"
        song = str(windows["stimulus"][row])
        axes.text(
            x[row] + N_WINDOWS / 2, y[row] + 0.76, song.upper() if high else song, fontsize=5.5, ha="center",
            va="center", weight="bold" if high else "normal", color=INK if high else GREY,
        )  # fmt: skip
    for subject, top in dict(zip(windows["subject"], y, strict=True)).items():
        _beside(axes, top + height / 2, str(subject), 4, ha="right", fontsize=7, color=INK)
    for site in ("A", "B"):
        own = y[(windows["site"] == site).to_numpy()]
        middle = (own.min() + own.max() + 0.9) / 2
        _beside(axes, middle, f"site {site}", 17, ha="center", fontsize=6.5, rotation=90, color=GREY)
    axes.set_xlim(-0.5, N_TRIALS * (N_WINDOWS + 1.0) - 0.5)
    axes.set_ylim(y.max() + 0.95, -0.05)
    axes.set_axis_off()


def _beside(axes: Axes, y: float, word: str, points: float, **about: object) -> None:
    """Write a word so many points to the left of the cells."""
    away = {"xytext": (-points, 0), "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(word, (-0.5, y), va="center", **away, **about)


def _draw_legend(figure: Figure, splits: list[Split]) -> None:
    n = len(study())
    counts = [(np.bincount(s.train, minlength=n), np.bincount(s.test, minlength=n)) for s in splits]
    both = any(((a > 0) & (b > 0)).any() for a, b in counts)
    copied = any((((a > 1) & (b == 0)) | ((b > 1) & (a == 0))).any() for a, b in counts)
    left_out = any(((a == 0) & (b == 0)).any() for a, b in counts)
    axes = figure.add_axes((0, 0, 1, 0.075))
    axes.set_xlim(0, PIXELS[0] / 2)
    axes.set_ylim(0, 26)
    axes.set_axis_off()
    x = 31.5
    entries = [(TRAINING, TRAINING, "training"), (TEST, TEST, "test")]
    entries += [(LEFT_OUT, LEFT_OUT, "left out")] if left_out else []
    entries += [(TRAINING, TEST, "copies on both sides")] if both else []
    for upper, lower, word in entries:
        edge = EDGE if upper == LEFT_OUT else "white"
        axes.add_patch(Rectangle((x, 13), 8, 7, facecolor=upper, linewidth=0))
        axes.add_patch(Rectangle((x, 6), 8, 7, facecolor=lower, linewidth=0))
        axes.add_patch(Rectangle((x, 6), 8, 14, facecolor="none", edgecolor=edge, linewidth=0.5))
        axes.text(x + 12, 13, word, fontsize=6.5, va="center", color=INK)
        x += 24 + 4.9 * len(word)
    if copied:
        axes.scatter([x + 3], [13], s=2.5, color=INK, linewidth=0)
        axes.text(x + 8, 13, "has copies", fontsize=6.5, va="center", color=INK)
    words = "a row: a person's session; a letter: a song, capital if rated high"
    axes.text(PIXELS[0] / 2 - 6, 13, words, fontsize=6.5, va="center", ha="right", color=GREY)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or DRAWINGS:
        print(draw(name, FOLDER))
