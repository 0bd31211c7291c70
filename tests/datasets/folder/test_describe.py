"""`data describe`: what a folder or a data set holds."""

import pytest


@pytest.fixture
def describe(bench, own):
    def start(*arguments, columns=80):
        return bench("data", "describe", *arguments, cwd=own.root.parent, columns=columns)

    return start


def row(text, first):
    (line,) = [line for line in text.splitlines() if line.startswith(first)]
    return line.removeprefix(first).split()


def test_people_trials_channels_and_classes_stand_in_eighty_columns(describe, own):
    path = own.sensor("BVP", 4, 1)
    lines = own.lines(path)
    own.write(path, [*lines[:65], *lines[97:]])
    own.change(own.sensor("EDA", 7, 1), lambda value: 2.5)
    done = describe("recordings")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.startswith("recordings: 8 people, 32 trials of 12 s; 6.4 min in all\n")
    assert row(done.stdout, "BVP")[0] == "64"
    assert row(done.stdout, "BVP")[4:] == ["0.13", "%", "–"]
    assert row(done.stdout, "EDA (uS)")[0] == "4"
    assert row(done.stdout, "EDA (uS)")[-3:] == ["12", "s,", "7/1"]
    assert row(done.stdout, "temperature (deg C)")[0] == "1"
    assert row(done.stdout, "subject 5") == ["2", "2"]
    assert row(done.stdout, "all") == ["16", "16"]
    assert row(done.stdout, "arousal") == ["2.1", "2.25", "4.9", "7.5", "7.5"]
    assert "recordings/signals/4_1: BVP: a gap in time of 0.5 s at 0.984375 s: interpolated" in done.stdout
    assert "everybody has every class" in done.stdout


def test_near_copies_and_a_person_without_a_class_are_named(describe, own):
    own.sensor("BVP", 6, 2).write_bytes(own.sensor("BVP", 2, 2).read_bytes())
    path = own.root / "trials.csv"
    own.write(
        path, [line.replace("high", "low") if line.startswith("3,") else line for line in own.lines(path)]
    )
    done = describe("recordings")
    assert "near-copies: trials 2/2, 6/2 hold nearly the same signal" in done.stdout
    assert "recordings: subject 3 has no trial with stress 'high'" in done.stdout
    assert row(done.stdout, "subject 3") == ["0", "4"]


def test_a_picture_of_one_trial_is_drawn(describe, own):
    from matplotlib.image import imread

    done = describe("recordings", "--picture", "trial.png", "--trial", "3/2")
    assert "picture of trial 3/2: trial.png" in done.stdout
    picture = imread(own.root.parent / "trial.png")
    assert picture.shape[1] == 1000
    dark = picture[:, :, :3].min(axis=2) < 0.7
    assert all(part.any() for part in (dark[: len(dark) // 3], dark[len(dark) // 3 : -150], dark[-150:]))


def test_a_data_set_is_described_by_its_name(describe):
    done = describe("deap-simulated", "--subjects", "1")
    assert done.stdout.startswith("deap-simulated: 1 person, 40 trials of 63 s; 42 min in all\n")
    assert "SIMULATED recordings" in done.stdout
    assert "missing" not in done.stdout


def test_faults_are_a_line_each(describe, own):
    own.sensor("EDA", 2, 3).write_text("time,EDA (uS)\n0,1\n2,2\n1,3\n")
    own.sensor("BVP", 2, 4).write_text("time,BVP\n0,1\nx,2\n1,3\n")
    done = describe("recordings")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "error: recordings/signals/2_3/EDA.csv, line 4: time goes back, from 2 to 1 s",
        "recordings/signals/2_4/BVP.csv, line 3: time is 'x', which is no number of seconds",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hku95"], "hku95: neither a folder nor a data set; did you mean 'hku956'?"),
        (["recordings/signals"], "recordings/signals/trials.csv: no such file; a folder of recordings has one, a row a trial"),
        (["recordings", "--data-root", "x"], "--data-root is of a data set; recordings is a folder itself"),
        (["recordings", "--picture", "trial.txt"], "--picture trial.txt: the name has to end in .png, .pdf, .svg"),
        (["recordings", "--picture", "no/trial.png"], "--picture no/trial.png: there is no folder no"),
        (["recordings", "--trial", "3/2"], "--trial says what to draw: give --picture FILE too"),
        (["recordings", "--picture", "t.png", "--trial", "3-2"], "--trial 3-2: give SUBJECT/TRIAL, such as 3/2"),
        (
            ["recordings", "--picture", "t.png", "--trial", "3/9"],
            "--trial 3/9: recordings has none; its trials are 1, 2, 3, 4",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_described_is_one_plain_line(describe, arguments, message):
    done = describe(*arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: {message}"
