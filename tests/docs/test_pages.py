"""What the README and the pages say is so: their lengths, links, names, and every command that they show."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

LINES_OF_THE_README = 150

# Commands that no test runs as they stand, with the reason. Their options and names are checked all the same.
NOT_RUN = (
    (r"pip install .*|python3\.11 -m venv .*|\. .*/activate", "needs a package index; .ci/run does it"),
    (r"(pytest|make|ruff|mypy)\b.*", "the tests themselves, style and types; .ci/run does it"),
    (r"python tests/benchmarks/.*", "measures, or fits networks, for minutes to hours"),
    (
        r"python -m bench .*--data-root (DEAP|HKU956|UEA|WESAD)\b.*",
        "needs recordings that are no part of the project",
    ),
    (r"(ray|srun|sleep) .*", "needs several machines; tests/running/test_ray.py has a cluster on one"),
    (r"python -m bench run .*--engine ray .*", "the same"),
    (r"tensorboard .*", "a server, which ends when it is ended"),
    (
        r"python -m bench run --suite uea( --results \S+)?",
        "minutes; tests/datasets/test_uea.py reads the problems",
    ),
    (
        r"python -m bench run --suite deap-arousal( --results \S+)?",
        "minutes; test_clone.py runs it with --profile smoke",
    ),
    (r"python -m bench run --suite deap-arousal --estimators .*", "minutes; the specs are checked here"),
    (
        r"python -m bench run --suite deap-arousal-published( --results \S+)?",
        "an hour; tests/report/test_published.py has a small one",
    ),
    (
        r"python -m bench run .*--ablations( --results \S+)?",
        "hours; tests/study/test_ablations.py has small ones",
    ),
    (
        r"python -m bench run .*(--jobs|--retry-failed|--budget) .*",
        "as long as the run; tests/cli has small ones",
    ),
    (
        r"python -m bench run .*--profile full --plan",
        "tries every estimator on all windows; tests/cli has small ones",
    ),
    (r"python -m bench run --suite hku956-arousal", "named in a sentence; the same needs the recordings"),
    (
        r"python -m bench (claim|compare) .*",
        "needs results of a run; tests/report/test_claims.py has made ones",
    ),
    (
        r"python -m bench capsule merge .*",
        "joins what two machines did; tests/cells/test_capsule.py does too",
    ),
    (r"python -m bench tables .*--results results/reference", "needs the cells, which are not committed"),
)

# Options in the pages that are of other programs.
OF_OTHERS = {
    *("--benchmark-enable", "--benchmark-json", "--logdir", "--check"),
    *("--head", "--port", "--num-cpus", "--block"),
    *("--nodes", "--ntasks", "--ntasks-per-node", "--cpus-per-task", "--time", "--nodelist", "--exclude"),
    *("--uea", "--hku956", "--noise", "--planted"),
}


def test_the_readme_is_one_page(pages):
    assert len(pages["README.md"].splitlines()) <= LINES_OF_THE_README


def test_every_page_begins_with_what_it_is_for(pages):
    for page, text in pages.items():
        if page != "README.md":
            title, nothing, first, *_ = text.splitlines()
            assert title.startswith("# "), page
            assert nothing == "", page
            assert first.startswith("This page "), page


def test_the_readme_links_to_every_page(pages):
    assert {page for page in pages if f"]({page})" not in pages["README.md"]} == {"README.md"}


def test_links_into_the_repository_lead_somewhere(pages, repository):
    faults = []
    for page, text in pages.items():
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            path, _, anchor = link.partition("#")
            target = (repository / page).parent / path if path else repository / page
            if not target.exists():
                faults.append(f"{page}: {link}: no such file")
            elif anchor and anchor not in _anchors(target.read_text(encoding="utf-8")):
                faults.append(f"{page}: {link}: no such heading")
    assert faults == []


def _anchors(text: str) -> set[str]:
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_path_that_is_named_exists(pages, repository):
    faults = []
    for page, text in pages.items():
        for path in re.findall(
            r"`((?:bench|datasets|estimators|tests|docs|results/reference|\.ci)/[\w./*-]+)`", text
        ):
            if not any(repository.glob(path.rstrip("/"))):
                faults.append(f"{page}: {path}")
    assert faults == []


def test_every_suite_that_is_named_exists_and_every_suite_is_named(pages):
    from bench.suites import suite_titles

    text = "\n".join(pages.values())
    named = set(re.findall(r"--suite ([a-z0-9-]+)(?![\w./-])", text))
    named |= set(
        re.findall(
            r"`([a-z0-9]+-(?:(?:arousal|valence)(?:-published|-baselines)?|leakage|rates|baselines))`", text
        )
    )
    assert named == set(suite_titles())


def test_every_command_is_run_by_a_test_or_stands_among_those_that_are_not(commands, repository):
    sources = [
        Path(__file__).with_name(name).read_text()
        for name in ("test_examples.py", "test_clone.py", "test_protocols_page.py")
    ]
    run = {command for command in commands if any(f'"{command}"' in source for source in sources)}
    left = {
        command for command in commands if not any(re.fullmatch(pattern, command) for pattern, _ in NOT_RUN)
    }
    assert left - run == set()
    for pattern, reason in NOT_RUN:
        assert any(re.fullmatch(pattern, command) for command in commands), (
            f"no page shows {pattern} ({reason})"
        )


def test_every_bench_command_is_one_that_can_be_given(commands):
    shown = [command for command in commands if command.startswith("python -m bench ")]
    assert len(shown) > 30
    faults = {command: fault for command in shown if (fault := _fault(shlex.split(command)[3:]))}
    assert faults == {}


def _fault(arguments: list[str]) -> str:
    """Say what is wrong with the arguments of ``python -m bench``, with no command begun."""
    from bench.cli.options import check_engine
    from bench.errors import BenchError
    from bench.quantities import bytes_of, seconds_of
    from bench.study.suite import parse_subjects, profile_of
    from bench.study.suite_files import read_suite

    checks = {
        "suite": lambda suite: suite.endswith(".toml") or read_suite(suite),
        "profile": profile_of,
        "timeout": seconds_of,
        "budget": seconds_of,
        "memory": bytes_of,
        "subjects": lambda subjects: subjects.isdecimal() or parse_subjects(subjects),
        "engine": lambda engine: engine == "ray" or check_engine(engine, None),  # Ray may not be installed
    }
    try:
        given = _parsed(arguments)
        for key, check in checks.items():
            if given.get(key) is not None:
                check(given[key])
        if not given.get("plugins"):  # what these bring is not known here
            _check_specs(given)
    except (BenchError, _command_line_errors()) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _check_specs(given: dict[str, Any]) -> None:
    from bench.cells.making import HARNESS
    from bench.registry import get
    from bench.spec import check_parameters, parse_spec, split_specs

    for kind, key, reserved in (("estimator", "estimators", HARNESS), ("protocol", "protocols", ("seed",))):
        for spec in map(parse_spec, split_specs(given.get(key) or "")):
            check_parameters(get(kind, spec.name), spec.parameters, reserved, str(spec))
            if spec.resampler:
                get("resampler", spec.resampler)


def _parsed(arguments: list[str]) -> dict[str, Any]:
    import typer

    from bench.cli.app import app

    command, context = typer.main.get_command(app), None
    if arguments == ["--help"]:
        return {}
    while True:
        context = command.make_context(command.name, list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return context.params
        left = [*getattr(context, "_protected_args", []), *context.args]
        _, command, arguments = command.resolve_command(context, left)


def _command_line_errors() -> type[Exception]:
    import typer

    # Of the library that typer parses with, its own copy or the one that is installed.
    return next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def test_a_command_that_cannot_be_given_is_found_out():
    assert _fault(["run", "--suite", "deap-arousal"]) == ""
    assert "deap-arousl" in _fault(["run", "--suite", "deap-arousl"])
    for wrong in (["--sete", "x"], ["--timeout", "soon"], ["--estimators", "rokcet"], ["--seeds", "many"]):
        assert _fault(["run", "--suite", "deap-arousal", *wrong]), wrong
    assert _fault(["rnu"])
    assert _fault(["why"])


def test_every_option_that_is_named_exists(pages):
    import typer

    from bench.cli.app import app

    known = set(OF_OTHERS)
    waiting = [typer.main.get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        known |= {name for parameter in command.params for name in parameter.opts}
    shown = {
        option: page
        for page, text in pages.items()
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", text)
    }
    assert {option: page for option, page in shown.items() if option not in known | {"--help"}} == {}
    assert shown.keys() >= OF_OTHERS


def test_scripts_and_tests_that_commands_name_have_these_options(commands, repository):
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "pytest":
            for path in (one for one in arguments if "/" in one):
                assert (repository / path).exists(), command
        if program == "python" and arguments[0] != "-m":
            source = (repository / arguments[0]).read_text()
            for option in (one for one in arguments if one.startswith("--")):
                assert f'add_argument("{option}"' in source, command


def test_targets_and_extras_that_commands_name_exist(commands, repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    makefile = (repository / "Makefile").read_text()
    for command in commands:
        for target in re.findall(r"^make (\w+)$", command):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), command
        for extra in re.findall(r"^pip install .*\[(\w+)\]", command):
            assert extra in project["optional-dependencies"], command


def test_scripts_for_a_shell_are_ones(blocks):
    for page, code in blocks("sh"):
        done = subprocess.run(["bash", "-n"], input=code, text=True, capture_output=True)
        assert done.returncode == 0, f"{page}: {done.stderr}"


@pytest.mark.slow  # importing Ray's command line
def test_options_of_ray_exist(commands):
    scripts = pytest.importorskip("ray.scripts.scripts")
    known = {name for parameter in scripts.start.params for name in parameter.opts}
    shown = [command for command in commands if "ray start " in command]
    assert shown
    for command in shown:
        words = shlex.split(command.partition("ray start ")[2])
        assert {word.partition("=")[0] for word in words} <= known, command
