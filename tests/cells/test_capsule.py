"""The capsule: all that a study's tables follow from, in one file that may come from anybody."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.cells.capsule import CAPSULE, CELLS, SCHEMA, SUM, VERSION, Capsule
from bench.cells.capsule_writing import merge_capsules, write_capsule
from bench.cells.probabilities import as_stored
from bench.cells.store import Store
from bench.errors import DataError
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture
def suite(toy_suite):
    """The small suite, with an estimator that has learning curves, one that fails, and ablations."""
    text = toy_suite.read_text()
    text = text.replace('"nearest-window"]', '"nearest-window", "in-epochs", "breaks[how=fit]"]')
    toy_suite.write_text(
        text
        + """
[ablations]
estimator = "nearest-mean"
each_channel = true
"""
    )
    return read_suite(str(toy_suite))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept") / "results"


@pytest.fixture
def finished(suite, kept, tmp_path):
    """A store with all cells and ablations: they are run for the first test, and copied for the others."""
    if kept.exists():
        shutil.copytree(kept, tmp_path / "results")
        return Store(tmp_path / "results", suite.name, True)
    for ablations in (False, True):
        todo = make_plan(suite, "smoke", results=tmp_path / "results", ablations=ablations)
        list(execute(todo))
    shutil.copytree(tmp_path / "results", kept)
    return todo.store


def alone(store, folder):
    """Return a store in another folder that has the capsule and nothing else."""
    other = Store(folder, store.folder.name.removesuffix("@simulated"), True)
    other.folder.mkdir(parents=True)
    shutil.copy(store.write_capsule(), other.folder)
    return other


def files(folder):
    """Return all files but those of cells, by their path in the folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder): path.read_bytes()
        for path in found
        if not any(part.startswith(("seed-", ".locks")) for part in path.parts)
    }


def test_tables_from_the_capsule_alone_are_those_of_the_cells_byte_for_byte(finished, suite, tmp_path):
    from bench.cli.tables import write_tables

    write_tables(finished, suite)
    other = alone(finished, tmp_path / "clone")
    write_tables(other, suite)
    before, made = files(finished.folder), files(other.folder)
    assert {"leaderboard.md", "ablations.csv", "training.csv", "training.png"} <= {path.name for path in made}
    assert {path.name for path in before.keys() ^ made.keys()} == {"rows.json"}
    assert {path.name for path, content in made.items() if before[path] != content} == set()


def test_every_cell_of_a_capsule_says_what_its_folder_said(finished, tmp_path):
    other = alone(finished, tmp_path / "clone")
    pairs = list(zip(finished.cells(), other.cells(), strict=True))
    assert {cell.result["status"] for cell, _ in pairs} == {"ok", "failed"}
    for cell, packed in pairs:
        assert packed.result == cell.result
        assert packed.folder.relative_to(other.folder) == cell.folder.relative_to(finished.folder)
        if cell.ok:
            assert packed.predictions().equals(cell.predictions())
            assert {name: curve.tolist() for name, curve in packed.history.items()} == {
                name: curve.tolist() for name, curve in cell.history.items()
            }
            np.testing.assert_equal(packed.predicted().trial_counts, cell.predicted().trial_counts)


def test_the_same_cells_make_the_same_bytes(finished, tmp_path):
    first = finished.write_capsule().read_bytes()
    written = (finished.folder / CAPSULE).stat().st_mtime_ns
    assert finished.write_capsule().read_bytes() == first
    assert (finished.folder / CAPSULE).stat().st_mtime_ns == written  # left alone
    assert alone(finished, tmp_path / "clone").write_capsule().read_bytes() == first


def test_a_capsule_that_has_all_is_not_made_again_and_one_that_lacks_something_is(finished):
    path = finished.write_capsule()
    cell = next(cell for cell in finished.cells() if cell.ok)
    before = path.stat().st_mtime_ns
    (cell.folder / "predictions.parquet").write_bytes(b"damaged")
    assert finished.write_capsule().stat().st_mtime_ns == before  # the good predictions are kept
    shutil.rmtree(cell.folder)
    other = next(cell for cell in finished.cells() if cell.ok and cell.folder.is_dir())
    finished.amend(other, {"division": "judged anew"})
    finished.write_capsule()
    told = {one.folder: one.result["division"] for one in Capsule(path).cells.values()}
    assert told[other.folder] == "judged anew"
    assert cell.folder in told


def test_a_study_goes_on_from_its_capsule_in_another_folder(suite, finished, tmp_path):
    def plan(results):
        return make_plan(suite, "smoke", results=results)

    begun = plan(tmp_path / "a")
    cells = iter(execute(begun))
    done = {next(cells)[0].cell for _ in range(3)}
    cells.close()
    other = alone(begun.store, tmp_path / "b")
    todo = plan(tmp_path / "b")
    assert {task.cell for task in todo.tasks if not task.why} == done
    assert len(list(execute(todo))) == len(todo.tasks) - 3

    from bench.report.leaderboard import make_leaderboard

    costs = ["fit_seconds", "predict_seconds"]
    one, whole = (make_leaderboard(store).table.drop(columns=costs) for store in (other, finished))
    assert one.to_csv() == whole.to_csv()
    # What is in the capsule and what was run after it are one study again.
    assert len(Capsule(other.write_capsule()).cells) == len({*other.cells()})
    shutil.rmtree(other.folder / "random-windows")
    assert {task.cell.plugin for task in plan(tmp_path / "b").waiting} == {
        "breaks"
    }  # which failed, and may be tried again


def test_a_result_in_a_folder_goes_before_the_capsule(suite, finished):
    finished.write_capsule()
    task = make_plan(suite, "smoke", results=finished.folder.parent).tasks[0]
    path = finished.path(task.cell) / "result.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 7'))
    again = make_plan(suite, "smoke", results=finished.folder.parent).tasks[0]
    assert "seed 7 -> 0" in again.why


def test_a_cell_of_a_capsule_can_be_judged_anew(finished, tmp_path):
    other = alone(finished, tmp_path / "clone")
    packed = next(cell for cell in other.cells() if cell.ok and cell.history)
    before = packed.predictions()
    other.amend(packed, {"division": "judged anew"})
    (stored,) = (cell for cell in other.cells() if cell.folder == packed.folder)
    assert stored.result["division"] == "judged anew"
    assert (stored.folder / "training.csv").is_file()
    assert stored.predictions().equals(before)
    assert not stored.damage


def test_verify_looks_at_the_capsule_too(finished):
    path = finished.write_capsule()
    assert (path, "") in list(finished.verify())
    path.write_bytes(path.read_bytes()[:-100])
    ((_, fault),) = [found for found in finished.verify() if found[0] == path]
    assert "damaged" in fault


def test_a_study_of_nine_classes_takes_at_most_25_bytes_a_predicted_window(finished, tmp_path):
    # Twenty estimators on the same 2,000 windows; probabilities that nothing can be guessed of.
    import pandas as pd

    rng = np.random.default_rng(0)
    like = next(cell for cell in finished.cells() if cell.ok)
    names = [str(level) for level in range(1, 10)]
    ids = pd.DataFrame(
        {
            "subject": np.arange(2000) // 100,
            "trial": np.arange(2000) // 10 % 10,
            "start": 64 * (np.arange(2000) % 10),
        }
    )
    ids["y_true"] = rng.choice(names, 200).repeat(10)

    class Made:
        ok, history = True, {}

        def __init__(self, number):
            cell = {**like.result["cell"], "estimator": f"e{number}"}
            self.result = {**like.result, "cell": cell, "suite": {**like.result["suite"], "classes": names}}

        def predictions(self):
            odds = rng.gamma(0.5, size=(2000, 9))
            table = pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=names)
            return ids.assign(y_pred=table.idxmax(axis=1)).join(table.add_prefix("probability "))

    write_capsule(tmp_path / CAPSULE, map(Made, range(20)), [])
    assert (tmp_path / CAPSULE).stat().st_size <= 25 * 20 * 2000


def test_a_capsule_is_a_table_that_anybody_can_read(finished):
    table = pq.read_table(finished.write_capsule()).to_pandas()
    assert {"protocol", "estimator", "seed", "subject", "trial", "y_true", "y_pred", "probabilities"} <= {
        *table
    }
    assert set(table.y_pred) <= {"high", "low"}


# Probabilities


def test_stored_probabilities_are_near_and_never_made_impossible():
    given = np.array([[0.3, 0.7], [1e-12, 1 - 1e-12], [0.0, 1.0]])
    stored = as_stored(given)
    np.testing.assert_allclose(stored[0], given[0], rtol=2**-11)
    assert 0 < stored[1, 0] < 1e-7
    assert stored[2].tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(as_stored(stored), stored)


# Merging


def test_merging_joins_what_two_machines_did(suite, finished, tmp_path):
    whole = Capsule(finished.write_capsule())
    places = list(whole.cells)
    for name, own in (("a", places[::2]), ("b", places[1::2])):
        (tmp_path / name).mkdir()
        write_capsule(tmp_path / name / CAPSULE, [whole.cells[place] for place in own], whole.ablations)
    parts = [Capsule(tmp_path / name / CAPSULE) for name in "ab"]
    assert merge_capsules(parts, tmp_path / CAPSULE) == len(places)
    assert (tmp_path / CAPSULE).read_bytes() == whole.path.read_bytes()


def test_of_a_cell_that_both_have_the_newest_that_succeeded_is_kept(finished, tmp_path):
    cells = Capsule(finished.write_capsule()).cells.values()
    cell = next(cell for cell in cells if cell.ok)

    class Other:
        def __init__(self, ok, written):
            self.ok, self.history = ok, {}
            self.result = {**cell.result, "status": "ok" if ok else "failed", "written": written}

        predictions = cell.predictions

    for name, other in (
        ("old", Other(True, "2001")),
        ("new", Other(True, "2999")),
        ("failed", Other(False, "3999")),
    ):
        (tmp_path / name).mkdir()
        write_capsule(tmp_path / name / CAPSULE, [other], [])
    merge_capsules(
        [Capsule(tmp_path / name / CAPSULE) for name in ("new", "failed", "old")], tmp_path / CAPSULE
    )
    ((merged),) = Capsule(tmp_path / CAPSULE).cells.values()
    assert merged.result["written"] == "2999"


def test_capsules_of_two_studies_are_not_joined(finished, bench, tmp_path):
    path = finished.write_capsule()
    content = parts(path)
    for one in content["cells"]:
        one["result"]["suite"]["name"] = "another"
    forged = forge(tmp_path / "forged.parquet", pq.read_table(path), content)
    done = bench("capsule", "merge", path, forged, "--to", tmp_path / "both.parquet")
    assert done.returncode == 2
    assert "of another on" in done.stderr
    assert "not one study" in done.stderr
    assert not (tmp_path / "both.parquet").exists()


def test_the_command_joins_files_and_folders(finished, bench, tmp_path):
    path = finished.write_capsule()
    to = tmp_path / "new" / CAPSULE
    done = bench("capsule", "merge", path, finished.folder, "--to", to)
    assert done.returncode == 0, done.stderr
    assert to.read_bytes() == path.read_bytes()
    done = bench("capsule", "merge", tmp_path, "--to", to)
    assert (done.returncode, f"{tmp_path}: no {CAPSULE} in this folder" in done.stderr) == (2, True)


# Damage and malice


def spoil(path, at, mask=0xFF):
    content = bytearray(path.read_bytes())
    content[at] ^= mask
    path.write_bytes(content)


def parts(path):
    packed = pq.read_metadata(path).metadata[CELLS]
    return json.loads(pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read())


def forge(path, table, content, **metadata):
    """Write a capsule as somebody else might: with any content, and checksums that are right."""
    import hashlib

    packed = (
        content
        if isinstance(content, bytes)
        else pa.Codec("zstd").compress(json.dumps(content).encode(), asbytes=True)
    )
    told = {VERSION: b"1", CELLS: packed, SUM: hashlib.sha256(packed).hexdigest().encode()}
    told |= {key.encode(): value for key, value in metadata.items()}
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(told)
    return path


def test_whichever_byte_is_wrong_it_is_as_it_was_or_a_plain_error(finished, tmp_path):
    path = finished.write_capsule()
    whole, table = path.read_bytes(), Capsule(path).windows
    results = [cell.result for cell in Capsule(path).cells.values()]
    spoiled = tmp_path / "spoiled.parquet"
    n_errors = 0
    for at in np.random.default_rng(0).choice(len(whole), 300, replace=False).tolist():
        for mask in (0x01, 0xFF):
            spoiled.write_bytes(whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :])
            try:
                capsule = Capsule(spoiled)
                assert [cell.result for cell in capsule.cells.values()] == results
                assert capsule.windows.equals(table)
            except DataError as error:
                n_errors += 1
                assert str(error).startswith(f"{spoiled}: ")  # noqa: PT017
                assert "\n" not in str(error)  # noqa: PT017
    assert n_errors > 300


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_capsule_that_was_cut_is_damaged(finished, tmp_path, share):
    whole = finished.write_capsule().read_bytes()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"cut\.parquet: damaged, or no capsule"):
        Capsule(cut)


FORGERIES = {
    "a way out of the folder": lambda content, one: one["result"]["cell"].update(
        estimator="../../../../tmp/evil"
    ),
    "a parent": lambda content, one: one["result"]["cell"].update(protocol=".."),
    "control characters": lambda content, one: one["result"]["cell"].update(estimator="a\x1b[2Jb"),
    "a cell twice": lambda content, one: content["cells"].append(one | {"n_windows": 0}),
    "windows of nobody": lambda content, one: one.update(n_windows=one["n_windows"] + 1),
    "no result": lambda content, one: one["result"].pop("identity"),
    "no cell": lambda content, one: one["result"]["cell"].pop("seed"),
    "a curve of words": lambda content, one: one.update(history={"loss": ["__import__('os')"]}),
    "no classes": lambda content, one: one["result"]["suite"].update(classes=[]),
    "a word for seconds": lambda content, one: one["result"].update(fit_seconds="long"),
    "no credit": lambda content, one: one["result"]["suite"].pop("credit"),
    "no list": lambda content, one: content.update(cells=7),
    "no table of ablations": lambda content, one: content.update(ablations={"a": 1}),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_capsule_is_refused(finished, tmp_path, how):
    path = finished.write_capsule()
    content = parts(path)
    FORGERIES[how](content, content["cells"][0])
    forged = forge(tmp_path / "forged.parquet", pq.read_table(path), content)
    with pytest.raises(DataError, match=r"forged\.parquet: its cells are none of this program's: "):
        Capsule(forged)


def test_what_is_no_capsule_is_said_to_be_none(finished, tmp_path):
    table, content = pq.read_table(finished.write_capsule()), parts(finished.folder / CAPSULE)
    plain = tmp_path / "plain.parquet"
    pq.write_table(table.replace_schema_metadata(None), plain)
    with pytest.raises(DataError, match="no capsule, but some other Parquet file"):
        Capsule(plain)
    with pytest.raises(DataError, match="a capsule of another version of this program"):
        Capsule(forge(tmp_path / "later.parquet", table, content, **{VERSION.decode(): b"2"}))
    with pytest.raises(DataError, match="damaged: its cells are not what was stored"):
        Capsule(forge(tmp_path / "less.parquet", table.drop_columns(["y_true"]), content))
    bomb = pa.Codec("zstd").compress(b"[" * 10_000_000, asbytes=True)
    with pytest.raises(DataError, match="its cells are none of this program's"):
        Capsule(forge(tmp_path / "bomb.parquet", SCHEMA.empty_table(), bomb))


def test_a_damaged_capsule_stops_a_run_before_anything_is_lost(finished, suite, bench, tmp_path):
    path = finished.write_capsule()
    spoil(path, path.stat().st_size - 40)
    before = path.read_bytes()
    done = bench(
        "run", "--suite", tmp_path / "toy.toml", "--profile", "smoke", "--results", finished.folder.parent
    )
    assert done.returncode == 2
    assert f"error: {path}: damaged" in done.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("probabilities", [[0.1, 0.2, 0.7]], "not 2 probabilities a window"),
        ("subject", [None], "a window without subject"),
        ("y_true", [None], "a window without y_true"),
    ],
)
def test_windows_that_lack_something_are_named(finished, tmp_path, column, values, message):
    path = finished.write_capsule()
    table = pq.read_table(path)
    at = table.schema.get_field_index(column)
    forged = pa.array(values * len(table), table.schema.field(at).type)
    capsule = Capsule(
        forge(tmp_path / "forged.parquet", table.set_column(at, table.schema.field(at), forged), parts(path))
    )
    cell = next(
        cell
        for cell in capsule.cells.values()
        if cell.ok and cell.result["cell"]["estimator"] == "nearest-mean"
    )
    for read in (cell.predicted, cell.predictions):
        with pytest.raises(DataError, match=message):
            read()


def test_labels_that_are_none_of_the_classes_are_named(finished, tmp_path):
    path = finished.write_capsule()
    table = pq.read_table(path)
    strange = table.set_column(
        table.schema.get_field_index("y_pred"), "y_pred", pa.array(["<script>"] * len(table))
    )
    capsule = Capsule(forge(tmp_path / "forged.parquet", strange, parts(path)))
    cell = next(cell for cell in capsule.cells.values() if cell.ok)
    with pytest.raises(DataError, match="label '<script>' is none of the classes"):
        _ = cell.counts
