"""A folder of one's own that has a fault: one plain line for each, an error or a notice."""

import numpy as np
import pytest

from bench.errors import DataError


def fault(own):
    with pytest.raises(DataError) as caught:
        own.read()
    return str(caught.value)


def notices(own):
    return own.read()[1]["lines"]


def table(own, change):
    path = own.root / "trials.csv"
    own.write(path, change(own.lines(path)))


def test_a_missing_file_is_named_with_its_line_and_the_nearest(own):
    own.sensor("BVP").parent.rename(own.root / "signals" / "01_1")
    assert fault(own) == (
        "recordings/signals/1_1.csv: no such file (nor .parquet, .npz or a folder), for recordings/trials.csv, line 2; "
        "there is '01_1'"
    )


def test_many_missing_files_are_counted(own):
    table(own, lambda lines: [*lines, *(f"9,{trial},x,1,3,low" for trial in range(9))])
    lines = fault(own).splitlines()
    assert len(lines) == 5
    assert lines[-1] == "and 5 more: missing files"


def test_a_file_that_no_trial_names_is_noticed(own):
    table(own, lambda lines: lines[:-1])
    assert notices(own) == ["recordings/signals/8_4: no line of trials.csv names it, so it is not used"]


def test_an_unknown_column_is_named_with_the_nearest(own):
    path = own.sensor("EDA", 3, 2)
    own.write(path, ["time,EAD (uS)", *own.lines(path)[1:]])
    assert fault(own) == (
        "recordings/signals/3_2/EDA.csv: column 'EAD (uS)' is not in the other trials; did you mean 'EDA (uS)'?"
    )


def test_a_channel_that_a_trial_lacks_is_named(own):
    own.sensor("temperature", 3, 2).unlink()
    assert fault(own) == "recordings/signals/3_2: no 'temperature (deg C)', which the other trials have"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda lines: [lines[0].replace("stimulus", "stimuls"), *lines[1:]],
            "recordings/trials.csv, line 1: no column 'stimulus'; did you mean 'stimuls'?",
        ),
        (
            lambda lines: [lines[0], lines[1].replace("low", ""), *lines[2:]],
            "recordings/trials.csv, line 2: stress is empty; give a value, or leave the trial or column out",
        ),
        (
            lambda lines: [lines[0], "one,1,x,1,2,low", *lines[2:]],
            "recordings/trials.csv, line 2: subject is 'one', not a whole number",
        ),
        (
            lambda lines: [lines[0], "1,1,x,1,much,low", *lines[2:]],
            "recordings/trials.csv, line 2: arousal is 'much', which is no finite number",
        ),
        (
            lambda lines: [lines[0], lines[1].replace("1,1,", "0,1,"), *lines[2:]],
            "recordings/trials.csv, line 2: subject 0 stands for not known; number people from 1",
        ),
        (
            lambda lines: [*lines[:3], lines[2], *lines[3:]],
            "recordings/trials.csv, line 4: subject 1 has trial 2 on line 3 already",
        ),
        (
            lambda lines: [lines[0], lines[1] + ",more", *lines[2:]],
            "recordings/trials.csv, line 2: 7 values for 6 columns",
        ),
        (
            lambda lines: [line.replace(",", ";") for line in lines],
            "recordings/trials.csv, line 1: columns are separated by commas, not by ';'",
        ),
        (lambda lines: lines[:1], "recordings/trials.csv: no trial at all"),
    ],
)
def test_a_fault_in_the_table_of_trials_names_line_and_column(own, change, message):
    table(own, change)
    assert fault(own) == message


def test_a_column_that_was_meant_to_say_something_else_is_noticed(own):
    table(own, lambda lines: [lines[0].replace("order", "ordre"), *lines[1:]])
    assert notices(own) == [
        "recordings/trials.csv: column 'ordre' is taken for a rating; did you mean 'order'?"
    ]


def test_time_that_goes_back_is_an_error_with_its_line(own):
    path = own.sensor("EDA", 2, 3)
    lines = own.lines(path)
    lines[10] = lines[10].replace("2.250000", "1.900000")
    own.write(path, lines)
    assert fault(own) == "recordings/signals/2_3/EDA.csv, line 11: time goes back, from 2 to 1.9 s"
    own.write(path, [*lines[:10], lines[9], *lines[11:]])
    assert "line 11: time stands still, from 2 to 2 s" in fault(own)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2.25,much", ", line 11: EDA (uS) is 'much', which is no number"),
        ("now,2.0", ", line 11: time is 'now', which is no number of seconds"),
        ("2.25,inf", ", line 11: EDA (uS) is inf, too large a number"),
        (",2.0", ", line 11: no time"),
        ("2.25,2.0,7", ": Expected 2 fields in line 11, saw 3"),
    ],
)
def test_a_cell_that_is_no_number_is_an_error_with_its_line(own, line, message):
    path = own.sensor("EDA", 2, 3)
    lines = own.lines(path)
    own.write(path, [*lines[:10], line, *lines[11:]])
    assert fault(own) == f"recordings/signals/2_3/EDA.csv{message}"


def test_lines_with_more_values_than_columns_are_an_error(own):
    path = own.sensor("EDA", 2, 3)
    head, *lines = own.lines(path)
    own.write(path, [head, *(f"{line},7" for line in lines)])
    assert (
        fault(own) == "recordings/signals/2_3/EDA.csv: its lines hold more values than line 1 names columns"
    )


def test_a_file_without_a_head_or_without_times_is_an_error(own):
    path = own.sensor("BVP")
    lines = own.lines(path)
    own.write(path, lines[1:])
    assert "signals/1_1/BVP.csv, line 1: has to name the columns; it holds numbers" in fault(own)
    own.write(path, ["Time,BVP", *lines[1:]])
    assert "no column 'time' (seconds), and no rate of 'Time' in channels.csv; is 'Time' meant?" in fault(own)
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert fault(own) == "recordings/signals/1_1/BVP.csv: not a text in UTF-8"
    path.write_text("")
    assert "signals/1_1/BVP.csv: empty; its first line has to name the columns" in fault(own)


def test_a_short_gap_is_interpolated_with_a_notice_and_counted_as_missing(own):
    path = own.sensor("BVP", 4, 1)
    lines = own.lines(path)
    own.write(path, [*lines[:65], *lines[97:]])  # half a second of samples from 1 s on
    recordings, notes = own.read()
    assert notes["lines"] == [
        "recordings/signals/4_1: BVP: a gap in time of 0.5 s at 0.984375 s: interpolated"
    ]
    assert notes["channels"]["BVP"]["missing"] == pytest.approx(0.5 / (32 * 12), rel=0.01)
    assert notes["channels"]["EDA (uS)"]["missing"] == 0
    gap = recordings.signals[12][0, 63:97]
    np.testing.assert_allclose(gap, np.linspace(gap[0], gap[-1], 34), rtol=1e-5, atol=1e-5)


def test_empty_cells_are_a_gap_too(own):
    path = own.sensor("BVP", 4, 1)
    lines = own.lines(path)
    emptied = [f"{line.split(',')[0]}," for line in lines[65:97]]
    own.write(path, [*lines[:65], *emptied, *lines[97:120], f"{lines[120].split(',')[0]},nan", *lines[121:]])
    assert notices(own) == [
        "recordings/signals/4_1: BVP: 2 gaps in time, the longest of 0.5 s at 0.984375 s: interpolated"
    ]


def test_a_gap_of_more_than_a_second_is_an_error(own):
    path = own.sensor("BVP", 4, 1)
    lines = own.lines(path)
    own.write(path, [*lines[:65], *lines[193:]])
    assert fault(own) == (
        "recordings/signals/4_1: BVP: a gap in time of 2 s at 0.984375 s: longer than 1 s; cut the trial there, or "
        "leave it out"
    )


def test_times_in_bursts_are_an_error(own):
    own.stretch(own.sensor("BVP", 4, 1), lambda time: time // 0.125 * 0.125 + time % 0.125 / 20)
    assert fault(own) == (
        "recordings/signals/4_1: BVP: 95 % of the time is without samples: do they come in bursts? Give each its own time"
    )


def test_a_file_of_another_format_is_named(own):
    own.sensor("BVP").parent.rename(own.root / "signals" / "1_1.txt")
    assert fault(own).endswith("there is '1_1.txt'")


def test_a_slow_channel_may_lack_one_sample(own):
    path = own.sensor("temperature", 4, 1)
    lines = own.lines(path)
    own.write(path, [*lines[:5], *lines[6:]])
    assert len(notices(own)) == 1
    own.write(path, [*lines[:5], *lines[7:]])
    assert "temperature (deg C): a gap in time of 2 s" in fault(own)


def test_a_rate_that_drifts_is_noticed_and_one_that_drifts_far_is_an_error(own):
    path = own.sensor("BVP", 5, 2)
    before = own.lines(path)
    own.stretch(path, lambda time: time + 0.002 * time**2)
    (line,) = notices(own)
    assert line.startswith("recordings/signals/5_2: BVP: its rate drifts between 61.")
    assert line.endswith(" and 63.85 Hz")
    own.write(path, before)
    own.stretch(path, lambda time: time + 0.02 * time**2)
    assert "BVP: its rate drifts between" in fault(own)
    assert fault(own).endswith("Hz, by more than a tenth")


def test_a_rate_other_than_the_other_trials_is_noticed_or_an_error(own):
    path = own.sensor("EDA", 5, 2)
    before = own.lines(path)
    own.stretch(path, lambda time: time * 1.02)
    assert notices(own) == ["recordings/signals/5_2: EDA (uS): 3.922 Hz, in the other trials 4 Hz"]
    own.write(path, [before[0], *before[1::2]])
    assert fault(own) == (
        "recordings/signals/5_2: EDA (uS): 2 Hz, in the other trials 4 Hz; bring the trials to one rate"
    )


def test_a_channel_that_ends_early_ends_the_trial_with_a_notice_and_a_late_one_is_an_error(own):
    path = own.sensor("EDA", 5, 2)
    before = own.lines(path)
    own.write(path, before[:41])
    recordings, notes = own.read()
    assert notes["lines"] == ["recordings/signals/5_2: ends at 10 s, where EDA (uS) ends; BVP lasts 12 s"]
    assert recordings.signals[17].shape == (3, 640)
    own.write(path, [before[0], *before[9:]])
    assert fault(own) == "recordings/signals/5_2: EDA (uS) begins 2 s after the trial; cut the trial there"


@pytest.mark.parametrize(
    ("sensor", "change", "message"),
    [
        (
            "temperature",
            lambda c: c * 1.8 + 32,
            "temperature (deg C) has the median 91.35, the other trials 33: it looks like degrees Fahrenheit",
        ),
        (
            "temperature",
            lambda c: c + 273.15,
            "temperature (deg C) has the median 306.1, the other trials 33: it looks like kelvin",
        ),
        (
            "EDA",
            lambda us: us * 1000,
            "EDA (uS) has the median 2598, the other trials 2.602: it looks like nS",
        ),
        (
            "EDA",
            lambda us: 1e6 / us,
            "EDA (uS) has the median 3.85e+05, the other trials 2.602: it looks like ohm",
        ),
    ],
)
def test_a_trial_in_another_unit_is_an_error(own, sensor, change, message):
    own.change(own.sensor(sensor, 6, 3), change)
    assert fault(own) == f"recordings/signals/6_3: {message}"


def test_a_channel_that_is_always_in_another_unit_is_noticed_once(own):
    for subject in range(1, 9):
        for trial in range(1, 5):
            own.change(own.sensor("temperature", subject, trial), lambda c: c * 1.8 + 32)
    assert notices(own) == [
        "temperature (deg C): in 32 of 32 trials the median is not within 5 to 45; is it degrees Fahrenheit?"
    ]


def test_a_level_far_from_the_other_trials_and_a_flat_channel_are_noticed(own):
    own.change(own.sensor("BVP", 6, 3), lambda value: value / 1000)
    own.change(own.sensor("EDA", 7, 1), lambda value: 2.5)
    flat, far = sorted(notices(own), key=lambda line: "EDA" not in line)
    assert far.startswith("recordings/signals/6_3: BVP is 0.0")
    assert far.endswith(" times less than in other trials: another unit, or a loose sensor?")
    assert flat == "recordings/signals/7_1: EDA (uS) is 2.5 throughout"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chanel,rate\nBVP,64\n", "line 1: column 'chanel' is unknown; did you mean 'channel'?"),
        ("channel,rate\nBVP,fast\n", "line 2: rate is 'fast', not samples a second (Hz)"),
        ("channel,rate\nBVP\n", "line 2: 1 values for 2 columns"),
    ],
)
def test_a_fault_in_channels_csv_names_its_line(own, text, message):
    (own.root / "channels.csv").write_text(text)
    assert fault(own) == f"recordings/channels.csv, {message}"


def test_a_rate_that_the_times_contradict_is_noticed(own):
    (own.root / "channels.csv").write_text("channel,rate\nBVP,128\nEDA (uS),4\ntemperature (deg C),\n")
    assert notices(own) == ["recordings/channels.csv: BVP has 128 Hz there, 64 Hz by its times"]


def test_a_channel_that_channels_csv_does_not_name_is_an_error(own):
    (own.root / "channels.csv").write_text("channel\nBVP\nEDA (uS)\nskin temperature (deg C)\n")
    assert (
        "signals/1_1/temperature.csv: column 'temperature (deg C)' is not in channels.csv; did you mean "
        "'skin temperature (deg C)'?" in fault(own)
    )
