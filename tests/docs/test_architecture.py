"""What docs/architecture.md names is there, and it names every column and every room."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`([A-Za-z_][\w.]*)` in\s+`([\w/]+\.py)`", PAGE)))


def names_in(file: Path) -> set[str]:
    """Return what a module defines: functions, classes, their methods with a dot, and constants."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            inside = node.body if isinstance(node, ast.ClassDef) else []
            names |= {f"{node.name}.{one.name}" for one in inside if isinstance(one, ast.FunctionDef)}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


@pytest.mark.parametrize(("name", "file"), PLACES)
def test_what_is_named_is_defined_there(name, file, repository):
    assert name in names_in(repository / file)


def table_under(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    lines = PAGE.split(f"\n{heading}\n", 1)[1].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_every_column_of_the_leaderboard_is_led_to_its_code():
    from bench.report.leaderboard import COLUMNS

    rows = table_under("## From a column to the code")
    assert [column.strip("`") for column, *_ in rows] == list(COLUMNS)
    for column, _, code in rows:
        assert re.search(r"`[\w.]+` in `[\w/]+\.py`", code), column


def test_the_rooms_that_are_drawn_are_the_folders_of_the_package(repository):
    drawn = set(re.findall(r'\["<b>bench/(\w+)</b>', PAGE))
    plugins = {"datasets", "estimators", "suites"}
    there = {folder.name for folder in (repository / "bench").iterdir() if any(folder.glob("*.py"))}
    assert drawn == there - plugins
    assert {row[0].strip("`").removeprefix("bench/") for row in table_under("## The rooms")} >= drawn


def test_every_arrow_that_is_drawn_is_allowed_by_the_table():
    may = {row[0].strip("`").removeprefix("bench/"): row[1] for row in table_under("## The rooms")}
    arrows = re.findall(r"^    (\w+) --> (.*)$", PAGE, re.MULTILINE)
    assert len(arrows) > 5
    for start, ends in arrows:
        for end in ends.split(" & "):
            if start not in ("cli", "plugins"):
                assert {"ground": "the ground"}.get(end, end) in may[start], (start, end)


def test_ten_steps_lead_from_the_file_to_the_table():
    way = PAGE.split("\n## One window, from the file to the table\n", 1)[1].split("\n## ", 1)[0]
    steps = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", way, re.DOTALL | re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, 11))
    for number, step in steps:
        assert re.search(r"`[\w.]+` in\s+`[\w/]+\.py`", step), f"step {number} names no function and file"
