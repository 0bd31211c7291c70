"""`audit`, a line a protocol."""

import pytest


def flat(text):
    return " ".join(text.split())


def test_audit_prints_a_line_a_protocol_and_fits_nothing(bench, toy_suite, tmp_path):
    done = bench("audit", "--suite", toy_suite, cwd=tmp_path, columns=80)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["protocol", "subject-stratified", "random-windows"]
    assert lines[1].rstrip().endswith("clean (subjects, stimuli shared)")
    assert "subjects: the same people are on both sides" in lines
    assert "LEAKS trials, samples" in lines[2]
    assert not (tmp_path / "results").exists()
    wide = bench(
        "audit", "--suite", toy_suite, "--protocols", "oversample-then-split", cwd=tmp_path, columns=170
    )
    assert "LEAKS trials, samples, scaler, resampler" in wide.stdout
    assert "neighbours" in wide.stdout.splitlines()[0]


def test_audit_says_which_protocol_cannot_divide_the_data_and_shows_the_others(bench, toy_suite, tmp_path):
    done = bench(
        "audit",
        "--suite",
        toy_suite,
        "--subjects",
        "1",
        "--protocols",
        "loso,subject-stratified",
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "clean (subjects shared)" in done.stdout
    assert "protocol 'loso': there is one subject only, 1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocols", "lose"], "did you mean 'loso'"),
        (["--protocols", "loso[fold=3]"], "has no parameter 'fold'; did you mean 'folds'"),
        (["--protocols", "loso+ros"], "resamplers belong to estimators"),
        (["--profile", "fast"], "--profile fast: unknown"),
    ],
)
def test_audit_answers_a_typo_with_the_nearest(bench, toy_suite, tmp_path, arguments, message):
    done = bench("audit", "--suite", toy_suite, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in flat(done.stderr)


def test_audit_shows_somebody_elses_split(bench, toy_suite, tmp_path):
    lines = ["subject,trial,start,side"]
    lines += [
        f"{s},{t},{w * 16},{'train' if w < 2 else 'test'}"
        for s in (1, 2, 3, 4)
        for t in range(1, 9)
        for w in range(4)
    ]
    (tmp_path / "theirs.csv").write_text("\n".join(lines))
    done = bench("audit", "--suite", toy_suite, "--split", "theirs.csv", cwd=tmp_path, columns=80)
    assert done.returncode == 0, done.stderr
    assert "split-theirs  LEAKS trials, samples" in done.stdout
    missing = bench("audit", "--suite", toy_suite, "--split", "thiers.csv", cwd=tmp_path)
    assert missing.returncode == 2
    assert "thiers.csv: cannot be read: No such file or directory" in missing.stderr


def test_on_real_recordings_what_is_shared_stands_in_words_in_a_line_of_80_columns(
    bench, shared_data, tmp_path
):
    if not (shared_data / "HKU956").is_dir():
        pytest.skip("needs HKU956")
    done = bench(
        *("audit", "--suite", "hku956-arousal", "--data-root", shared_data / "HKU956", "--profile", "quick"),
        *("--protocols", "loso[folds=3],subject-stratified,subject-blocked,subject-and-stimulus-out,random-windows"),
        cwd=tmp_path,
        columns=80,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [tuple(line.rstrip().split("  ")) for line in done.stdout.splitlines()[1:6]]
    assert {name: verdict.strip() for name, *_, verdict in rows} == {
        "loso[folds=3]": "clean (stimuli shared; 2 % out)",
        "subject-stratified": "clean (subjects, stimuli, neighbours shared; 2 % out)",
        "subject-blocked": "clean (subjects, stimuli shared; 2 % out)",
        "subject-and-stimulus-out": "clean (2 % out)",
        "random-windows": "LEAKS trials, samples",
    }
    assert "neighbours: the trial just before or after in the session is in training" in done.stdout
    assert "in 31 of 936 trials a subject meets a stimulus again" in done.stderr
