"""Plugins are found, refused with a reason, and never hurt each other."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.discovery import add_plugin_folder
from bench.errors import PluginError
from bench.registry import Plugin, get, plugins, register_estimator

REPOSITORY = Path(__file__).parents[1]


def bench(*arguments, plugins=None, path=None, cwd=REPOSITORY):
    """Run the program in a process of its own, since plugins are registered for good."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path or [])), "COLUMNS": "160"}
    if plugins:
        environment["BENCH_PLUGINS"] = str(plugins)
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, cwd=cwd, env=environment
    )


def test_the_projects_own_plugins_are_found():
    own = {"majority", "stratified-chance", "minirocket", "rocket", "dtw-knn", "moments-forest", "mlstm-fcn"}
    assert own <= set(plugins("estimator"))
    assert {"deap", "deap-simulated", "hku956", "uea"} <= set(plugins("dataset"))
    assert {"subject-stratified", "random-windows", "predefined"} <= set(plugins("protocol"))
    assert {"ros", "smote", "adasyn"} <= set(plugins("resampler"))


def test_finding_them_imports_nothing_heavy():
    code = (
        "import sys; from bench.registry import plugins; plugins('estimator');"
        "print([m for m in ('tensorflow', 'keras', 'sktime', 'sklearn', 'pandas', 'matplotlib', 'numba') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout.strip() == "[]"


def test_a_users_file_is_found_and_importable_beside_ours(toy_plugins):
    assert get("estimator", "nearest-mean").source == toy_plugins / "toy.py"
    assert get("dataset", "toy").summary.startswith("Four subjects")
    from bench.estimators import toy

    assert toy.NearestMean


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(PluginError, match="no estimator is called 'minirokcet'; did you mean 'minirocket'"):
        get("estimator", "minirokcet")


def test_a_missing_package_is_named_with_the_command_that_installs_it(toy_plugins):
    with pytest.raises(
        PluginError, match=r"needs no_such_module\.part, not installed here: pip install no-such"
    ):
        get("estimator", "lacks-package")


def test_two_plugins_of_one_name_are_refused():
    with pytest.raises(PluginError, match="two estimator plugins are called 'majority'"):
        register_estimator("majority", family="x")(lambda: None)


@pytest.mark.parametrize(
    ("family", "ids", "message"),
    [
        ("signal-free", ("subjct",), "not 'subjct'; did you mean 'subject'"),
        ("features", ("subject",), "only the family 'signal-free' is given ids"),
    ],
)
def test_ids_that_nobody_has_or_may_have_are_refused(family, ids, message):
    with pytest.raises(PluginError, match=message):
        register_estimator("knows", family=family, ids=ids)


@pytest.mark.parametrize("cost", ["2 minutes", "2min", "long", "1:30 h", "-1 h"])
def test_a_cost_that_nobody_could_sort_by_is_refused(cost):
    with pytest.raises(PluginError, match="give a cost such as '40 s', '2 min' or '26 h'"):
        register_estimator("costly", family="x", cost=cost)


def test_every_estimator_of_the_project_that_computes_with_signals_states_its_cost():
    own = {
        name: plugin
        for name, plugin in plugins("estimator").items()
        if (REPOSITORY / "estimators") in plugin.source.parents
        and plugin.about["family"] not in ("signal-free", "deep")
    }
    assert {"minirocket", "dtw-knn", "physio-features", "rdst", "quant"} <= set(own)
    assert [name for name, plugin in own.items() if plugin.cost_seconds is None] == []


@pytest.mark.parametrize("name", ["Rocket", "", "a/b", "../a", "a b", "a[b]", "a+b"])
def test_a_name_that_could_not_be_typed_or_stored_is_refused(name):
    with pytest.raises(PluginError, match="use lower-case letters"):
        register_estimator(name, family="x")


def test_a_missing_plugin_folder_is_refused(tmp_path):
    with pytest.raises(PluginError, match="no such folder"):
        add_plugin_folder(tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("this is no python", "SyntaxError"),
        ("import no_such_package", "needs the package 'no_such_package': pip install no_such_package"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_broken_file_is_listed_with_its_reason_and_the_others_go_on(tmp_path, content, reason):
    (tmp_path / "mine.py").write_text(content)
    listed = bench("list", "estimators", plugins=tmp_path)
    assert listed.returncode == 0
    assert "minirocket" in listed.stdout
    assert "mine.py" in listed.stdout
    assert reason in listed.stdout


def test_a_file_called_like_one_of_ours_is_refused_and_ours_is_kept(tmp_path):
    (tmp_path / "rocket.py").write_text("raise SystemExit('hidden')")
    listed = bench("list", "estimators", plugins=tmp_path)
    assert "rename the file" in listed.stdout
    assert "minirocket" in listed.stdout


def test_an_installed_package_brings_estimators_by_entry_point(tmp_path):
    (tmp_path / "their_models.py").write_text(
        "from bench.registry import register_estimator\n"
        "@register_estimator('theirs', family='x')\ndef theirs():\n    '''Somebody's model.'''\n"
    )
    info = tmp_path / "their_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bench.estimators]\ntheirs = their_models\n")
    listed = bench("list", "estimators", path=[tmp_path])
    assert "Somebody's model." in listed.stdout


@pytest.fixture(scope="module")
def other_datasets(tmp_path_factory):
    """A folder with an installed package called ``datasets``, as Hugging Face's is."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "datasets").mkdir()
    (folder / "datasets" / "__init__.py").write_text("WHOSE = 'theirs'\n")
    (folder / "whose.py").write_text(
        "import datasets\nfrom bench.registry import register_estimator\n"
        "@register_estimator('whose', family=datasets.WHOSE)\ndef whose():\n    '''Uses the other package.'''\n"
    )
    return folder


def test_a_clone_as_working_directory_does_not_hide_a_package_called_datasets(other_datasets):
    listed = bench("list", plugins=other_datasets, path=[other_datasets])
    assert "Uses the other package." in listed.stdout
    assert "hku956" in listed.stdout


@pytest.fixture
def family(tmp_path):
    """A plugin that is a folder, whose files import each other."""
    folder = tmp_path / "mine" / "family"
    (folder / "layers").mkdir(parents=True)
    (folder / "__init__.py").write_text("from bench.estimators.family.model import Model\n")
    (folder / "model.py").write_text(
        "from bench.estimators.family.layers.dense import WIDTH\n"
        "from bench.registry import register_estimator\n"
        "@register_estimator('family', family='deep')\n"
        "class Model:\n    '''Of several files.'''\n    width = WIDTH\n"
        "    def fit(self, X, y):\n        self.classes_ = sorted(set(y))\n        return self\n"
        "    def predict(self, X):\n        return [self.classes_[0]] * len(X)\n"
    )
    (folder / "layers" / "dense.py").write_text("WIDTH = 7\n")
    (tmp_path / "mine" / "no_plugin").mkdir()
    (tmp_path / "mine" / "no_plugin" / "notes.py").write_text("raise SystemExit('imported')\n")
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A folder with what is in the project's wheel, and nothing else."""
    from zipfile import ZipFile

    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY, check=True, capture_output=True,
    )  # fmt: skip
    (file,) = folder.glob("*.whl")
    with ZipFile(file) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_holds_the_plugins_inside_the_package_and_nothing_beside_it(tmp_path, wheel, other_datasets):
    assert {p.name for p in wheel.iterdir()} == {"bench", next(wheel.glob("*.dist-info")).name}
    listed = bench("list", plugins=other_datasets, path=[wheel, other_datasets], cwd=tmp_path)
    for name in ("minirocket", "mlstm-fcn", "deap-simulated", "hku956-arousal", "Uses the other package."):
        assert name in listed.stdout
    where = subprocess.run(
        [sys.executable, "-c", "import bench.datasets.deap as m; print(m.__file__)"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(wheel)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(wheel))


@pytest.mark.parametrize("by", ["--plugins", "BENCH_PLUGINS"])
def test_a_wheel_finds_a_users_plugin_that_is_a_folder(tmp_path, wheel, family, by):
    given = {"plugins": family.parent} if by == "BENCH_PLUGINS" else {}
    option = ("--plugins", str(family.parent)) if by == "--plugins" else ()
    listed = bench("list", "estimators", *option, path=[wheel], cwd=tmp_path, **given)
    assert "Of several files." in listed.stdout
    assert "mlstm-fcn" in listed.stdout
    assert "not importable" not in listed.stdout


@pytest.mark.slow
def test_a_wheel_runs_a_users_plugin_that_is_a_folder(tmp_path, wheel, family):
    done = bench(
        *("run", "--suite", "deap-arousal", "--profile", "smoke", "--estimators", "majority,family"),
        *("--plugins", str(family.parent)),
        path=[wheel],
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (board,) = (tmp_path / "results").glob("*/leaderboard.csv")
    rows = list(csv.DictReader(board.open()))
    assert {row["estimator"] for row in rows if row["family"] != "signal-free"} == {"family"}
    assert {row["status"] for row in rows} == {"ok"}


def digest_of(source):
    """The digest of a plugin whose factory a file defines."""
    namespace: dict = {}
    exec(compile("def factory(): ...", str(source), "exec"), namespace)
    return Plugin("estimator", "outer", namespace["factory"], {}, (), "").source_digest


def test_a_plugin_is_another_once_a_helper_of_a_helper_is(tmp_path):
    plugin = tmp_path / "outer.py"
    plugin.write_text("import _inner\n")
    for name, text in (("_inner", "import _innermost\n"), ("_innermost", "a = 1\n"), ("_other", "a = 1\n")):
        (tmp_path / f"{name}.py").write_text(text)

    first = digest_of(plugin)
    (tmp_path / "_other.py").write_text("a = 2\n")
    assert digest_of(plugin) == first
    (tmp_path / "_innermost.py").write_text("a = 2\n")
    assert digest_of(plugin) != first


def test_a_plugin_is_another_once_a_file_of_a_folder_of_helpers_is(tmp_path):
    plugin, helpers, others = tmp_path / "outer.py", tmp_path / "_inner", tmp_path / "_other"
    plugin.write_text("from _inner import a\n")
    for folder in (helpers, others):
        folder.mkdir()
        (folder / "__init__.py").write_text("from .deep import a\n")
        (folder / "deep.py").write_text("a = 1\n")

    first = digest_of(plugin)
    (others / "deep.py").write_text("a = 2\n")
    assert digest_of(plugin) == first
    (helpers / "deep.py").write_text("a = 2\n")
    assert digest_of(plugin) != first


def test_a_folder_is_a_plugin_too_and_a_folder_without_init_is_none(family):
    listed = bench("list", "estimators", plugins=family.parent)
    assert "Of several files." in listed.stdout
    assert "not importable" not in listed.stdout


def test_a_folder_called_like_one_of_ours_is_refused_and_ours_is_kept(family):
    family.rename(family.with_name("mlstm_fcn"))
    listed = bench("list", "estimators", plugins=family.parent)
    assert "rename the folder" in listed.stdout
    assert "Karim et al." in listed.stdout


@pytest.mark.parametrize("file", ["__init__.py", "model.py", "layers/dense.py"])
def test_a_folder_is_another_once_any_of_its_files_is(family, file):
    source = family / "model.py"
    first = digest_of(source)
    (family.parent / "_other.py").write_text("a = 1\n")
    (family / "README.md").write_text("no code\n")
    assert digest_of(source) == first
    with (family / file).open("a") as content:
        content.write("# another\n")
    assert digest_of(source) != first


def test_a_folder_is_another_once_a_file_in_it_has_another_name(family):
    source = family / "model.py"
    first = digest_of(source)
    (family / "layers" / "dense.py").rename(family / "layers" / "wide.py")
    assert digest_of(source) != first
