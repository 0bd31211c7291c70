"""docs/protocols.md has a section, a drawing and the true promise of every protocol, and its examples run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from bench import registry
from bench.errors import ProtocolError
from bench.registry import get, plugins
from bench.spec import parse_spec
from bench.splits import protocols
from bench.splits.audit import united
from bench.splits.divide import divide
from bench.splits.split_file import register_split

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "protocols.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(.+?)`\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))
OF_A_FILE = "split-<file>"


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    """What a test registers is gone after it."""
    plugins("protocol")
    monkeypatch.setitem(registry._registered, "protocol", dict(registry._registered["protocol"]))


def module_of(file: Path) -> ModuleType:
    """Import a file as a module of its name."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    """The script that draws, as a module."""
    return module_of(Path(__file__).with_name("draw_protocols.py"))


def registered() -> dict:
    """Return the protocols of the harness, and not those of a test or a file."""
    folder = Path(protocols.__file__).parent
    return {name: plugin for name, plugin in plugins("protocol").items() if plugin.source.parent == folder}


def table() -> dict[str, list[str]]:
    """Return the cells of the first table, by protocol."""
    rows = re.findall(r"^\| \[`(.+?)`\]\(\S+\)(?: \(default\))? \| (.*) \|$", PAGE, re.MULTILINE)
    return {protocol: cells.split(" | ") for protocol, cells in rows}


def block(language: str) -> str:
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return code


def test_every_protocol_has_a_section_and_a_line_in_the_table():
    assert set(SECTIONS) == {*registered(), "loso[calibrate=4]", OF_A_FILE}
    assert set(table()) == set(SECTIONS)


def test_the_table_promises_what_is_registered(tmp_path):
    for protocol, (_, promises, *_) in table().items():
        if protocol != OF_A_FILE:
            assert promises == get("protocol", parse_spec(protocol).name).about["promises"], protocol
    (tmp_path / "theirs.csv").write_text(block("csv"))
    name = register_split(tmp_path / "theirs.csv")
    assert table()[OF_A_FILE][1] == get("protocol", name).about["promises"]


def test_the_verdicts_of_the_table_are_those_of_the_audit(drawing):
    for protocol, (_, promises, verdict, _) in table().items():
        if promises != "nothing":
            splits = [split for _, split in divide(parse_spec(protocol), drawing.study(), 0)]
            assert verdict == united([split.audit.verdict for split in splits]), protocol


def test_every_section_shows_its_drawing_and_every_drawing_is_shown(drawing):
    shown = {
        protocol: re.findall(r"^!\[.+\]\((\S+)\)$", text, re.MULTILINE) for protocol, text in SECTIONS.items()
    }
    assert all(len(images) == 1 for images in shown.values()), shown
    files = {(REPOSITORY / "docs" / image).resolve() for images in shown.values() for image in images}
    assert (
        files
        == set(drawing.FOLDER.iterdir())
        == {drawing.FOLDER / f"{name}.png" for name in drawing.DRAWINGS}
    )


def test_every_drawing_shows_the_split_that_is_made_today(drawing):
    for name in drawing.DRAWINGS:
        with Image.open(drawing.FOLDER / f"{name}.png") as picture:
            assert picture.size == drawing.PIXELS
            assert picture.text["Description"] == drawing.digest(drawing.shown(name)), (
                f"{name}: draw it again with tests/docs/draw_protocols.py"
            )


def test_a_drawing_can_be_made_and_test_windows_are_dark_in_it(drawing, tmp_path):
    colour = tuple(bytes.fromhex(drawing.TEST[1:]))
    with Image.open(drawing.draw("subject-blocked", tmp_path)) as picture:
        assert picture.size == drawing.PIXELS
        drawn = dict(map(reversed, picture.convert("RGB").getcolors(1 << 20)))
    (one,) = drawing.shown("subject-blocked")
    nearest = min(drawn, key=lambda other: sum(abs(a - b) for a, b in zip(colour, other, strict=True)))
    cell = drawn[nearest] / len(one.split.test)
    assert 500 < cell < 1000  # pixels, of some 21 by 36


def test_every_parameter_stands_in_the_section_with_its_default():
    for name, plugin in registered().items():
        for parameter, default in plugin.parameters(reserved=["seed"]).items():
            value = str(default).lower() if isinstance(default, bool) else default
            text = f"`{parameter}` (none" if default is None else f"`{parameter}={value}`"
            assert text in SECTIONS[name], (name, text)


def test_the_columns_that_a_section_asks_for_are_those_that_the_protocol_needs(drawing):
    windows, y = drawing.study().windows, drawing.study().y
    for name, plugin in registered().items():
        needs = re.search(r"Needs:(.*?)Right\s+for:", SECTIONS[name], re.DOTALL)[1]
        for column in ("order", "site", "split"):
            without = windows.drop(columns=column)
            try:
                splitter = plugin.factory(seed=0)
                splitter.get_n_splits(without)
                list(splitter.split(without, y))
            except ProtocolError:
                assert f"`{column}`" in needs, (name, column)
            else:
                assert f"`{column}`" not in needs, (name, column)


def test_the_file_of_the_page_is_a_split(tmp_path):
    file = tmp_path / "Their split.csv"
    file.write_text(block("csv"))
    split = get("protocol", register_split(file)).factory(seed=0)
    assert split.table["side"].value_counts().to_dict() == {"train": 3, "test": 2}


def test_the_protocol_of_the_page_divides_and_a_song_heard_again_is_noticed(drawing, tmp_path):
    file = tmp_path / "last_trials.py"
    file.write_text(block("python"))
    module_of(file)
    ((_, split),) = divide(parse_spec("last-trials[last=3]"), drawing.study(), 0)
    order = drawing.study().windows["order"].to_numpy()
    assert set(order[split.test]) == {9, 10, 11}
    assert len(split.train) + len(split.test) == len(order)
    assert split.audit.verdict == "clean (subjects, stimuli, neighbours, repeats shared)"


@pytest.mark.slow  # the recordings are simulated first
def test_the_commands_of_the_page_are_run(commands, bench, tmp_path):
    (tmp_path / "my_plugins").mkdir()
    (tmp_path / "my_plugins" / "last_trials.py").write_text(block("python"))
    lines = [f"{subject},{trial},{trial % 4}" for subject in range(1, 33) for trial in range(1, 41)]
    (tmp_path / "my-split.csv").write_text("\n".join(["subject,trial,fold", *lines]) + "\n")
    for command, shown in (
        ("python -m bench audit --suite deap-arousal --split my-split.csv", "split-my-split"),
        (
            "python -m bench audit --suite deap-arousal --plugins my_plugins --protocols 'last-trials[last=6]'",
            "last-trials[last=6]",
        ),
    ):
        assert command in commands
        done = bench(*shlex.split(command)[3:], cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(rf"^{re.escape(shown)} +clean \(subjects", done.stdout, re.MULTILINE), done.stdout
