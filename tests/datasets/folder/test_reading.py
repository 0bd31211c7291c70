"""A folder of one's own: what is read of it, from whichever kind of file."""

import numpy as np
import pandas as pd
import pytest

from bench.errors import DataError


def test_channels_of_three_rates_come_at_the_highest(own):
    recordings, notes = own.read()
    assert recordings.channels == ["BVP", "EDA (uS)", "temperature (deg C)"]
    assert recordings.sampling_rate == 64
    assert [signal.shape for signal in recordings.signals] == [(3, 768)] * 32
    assert recordings.trials.columns.tolist() == [
        "subject", "trial", "stimulus", "order", "arousal", "stress",
    ]  # fmt: skip
    assert recordings.trials.dtypes.astype(str)["arousal"] == "float64"
    assert recordings.trials["stress"].tolist()[:2] == ["low", "high"]
    assert recordings.name == "recordings"
    assert notes["lines"] == []
    assert {name: about["rate"] for name, about in notes["channels"].items()} == {
        "BVP": 64, "EDA (uS)": 4, "temperature (deg C)": 1,
    }  # fmt: skip


def test_the_fastest_is_as_recorded_and_a_slower_one_lies_on_the_line_between_its_samples(own):
    recordings, _ = own.read(subjects=[2])
    pulse = np.loadtxt(own.sensor("BVP", 2), delimiter=",", skiprows=1)
    np.testing.assert_allclose(recordings.signals[0][0], pulse[:, 1], rtol=1e-6)
    eda = np.loadtxt(own.sensor("EDA", 2), delimiter=",", skiprows=1)
    np.testing.assert_allclose(recordings.signals[0][1, ::16], eda[:, 1], rtol=1e-6)
    np.testing.assert_allclose(recordings.signals[0][1, 8], eda[:2, 1].mean(), rtol=1e-6)
    np.testing.assert_allclose(recordings.signals[0][1, -15:], eda[-1, 1], rtol=1e-6)


def test_only_the_people_asked_for_are_read(own):
    recordings, _ = own.read(subjects=[3, 5])
    assert recordings.trials["subject"].unique().tolist() == [3, 5]
    with pytest.raises(DataError, match="no subject 9; there are: 1, 2, 3"):
        own.read(subjects=[9])


def joined(own, subject=1, trial=1):
    """One table of all sensors of a trial, with empty cells where a slower one has no sample."""
    sensors = [pd.read_csv(own.sensor(name, subject, trial)) for name in ("BVP", "EDA", "temperature")]
    table = sensors[0]
    for other in sensors[1:]:
        table = table.merge(other, on="time", how="left")
    return table


def replaced(own, write):
    """Write each trial's one file in place of its folder, and read the folder anew."""
    before, _ = own.read()
    for subject, trial in zip(before.trials.subject, before.trials.trial, strict=True):
        table = joined(own, subject, trial)
        for name in ("BVP", "EDA", "temperature"):
            own.sensor(name, subject, trial).unlink()
        folder = own.sensor("BVP", subject, trial).parent
        folder.rmdir()
        write(folder, table)
    after, notes = own.read()
    assert notes["lines"] == []
    return before, after


def csv_with_empty_cells(folder, table):
    table.to_csv(folder.with_name(folder.name + ".csv"), index=False)


def parquet(folder, table):
    table.to_parquet(folder.with_name(folder.name + ".parquet"), index=False)


def arrays_with_rates(folder, table):
    arrays = {name: table[name].dropna().to_numpy() for name in table.columns[1:]}
    np.savez(folder.with_name(folder.name + ".npz"), **arrays, BVP_rate=64, EDA_rate=4, temperature_rate=1)


def arrays_with_times(folder, table):
    arrays = {}
    for name in table.columns[1:]:
        there = table[name].notna()
        arrays |= {name: table[name][there].to_numpy(), f"{name}_time": table["time"][there].to_numpy()}
    np.savez(folder.with_name(folder.name + ".npz"), **arrays)


@pytest.mark.parametrize("write", [csv_with_empty_cells, parquet, arrays_with_rates, arrays_with_times])
def test_one_file_a_trial_gives_the_same_as_a_file_a_sensor(own, write):
    before, after = replaced(own, write)
    assert after.fingerprint == before.fingerprint


def test_rates_and_units_come_from_channels_csv_where_there_are_no_times(own):
    def without_times(folder, table):
        lengths = {name: table[name].dropna().to_numpy() for name in table.columns[1:]}
        columns = {name.split()[0]: pd.Series(values) for name, values in lengths.items()}
        pd.DataFrame(columns).to_csv(folder.with_name(folder.name + ".csv"), index=False)
        (folder.parents[1] / "channels.csv").write_text(
            "channel,rate,unit\nBVP,64,\nEDA,4,uS\ntemperature,1,deg C\n"
        )

    before, after = replaced(own, without_times)
    assert after.fingerprint == before.fingerprint


def test_times_may_count_from_anywhere(own):
    before, _ = own.read(subjects=[1])
    for name in ("BVP", "EDA", "temperature"):
        own.stretch(own.sensor(name), lambda time: 1_700_000_000 + time)
    after, notes = own.read(subjects=[1])
    assert notes["lines"] == []
    np.testing.assert_allclose(after.signals[0], before.signals[0], atol=0.02)


def test_times_rounded_to_milliseconds_give_the_true_rate(own):
    for trial in range(1, 5):
        own.stretch(own.sensor("BVP", 1, trial), lambda time: round(time, 3))
    recordings, notes = own.read(subjects=[1])
    assert recordings.sampling_rate == 64
    assert recordings.signals[0].shape == (3, 768)
    assert notes["lines"] == []


def test_a_file_is_named_by_its_column_but_never_outside_the_folder(own):
    lines = own.lines(own.root / "trials.csv")
    own.sensor("BVP").parent.rename(own.root / "first")
    named = [f"{lines[0]},file", f"{lines[1]},first", *(f"{line}," for line in lines[2:])]
    own.write(own.root / "trials.csv", named)
    recordings, _ = own.read()
    assert len(recordings.signals) == 32
    for outside in ("../recordings-2/1.csv", "/etc/passwd", "signals/../../x.csv"):
        own.write(own.root / "trials.csv", [named[0], f"{lines[1]},{outside}", *named[2:]])
        with pytest.raises(DataError, match=r"trials.csv, line 2: file '.*' is outside the folder"):
            own.read()


def test_an_array_that_would_have_to_be_unpickled_is_refused(own, tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("trap").touch, ())

    folder = own.sensor("BVP").parent
    np.savez(folder / "more.npz", sound=np.array([Trap()], dtype=object))
    with pytest.raises(
        DataError, match=r"recordings/signals/1_1/more.npz: not a file of NumPy arrays of numbers"
    ):
        own.read()
    assert not (tmp_path / "trap").exists()


def test_one_array_without_a_name_is_refused(own):
    np.save(own.root / "array.npy", np.ones(9))
    (own.root / "array.npy").rename(own.sensor("BVP").with_name("more.npz"))
    with pytest.raises(DataError, match=r"more.npz: one array without a name"):
        own.read()
