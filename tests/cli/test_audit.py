"""`audit`, a line a protocol."""

import pytest


def flat(text):
    return " ".join(text.split())


def test_audit_prints_a_line_a_protocol_and_fits_nothing(bench, toy_suite, tmp_path):
    done = bench("audit", "--suite", toy_suite, cwd=tmp_path, columns=80)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["protocol", "subject-stratified", "random-windows"]
    assert lines[1].endswith("clean (subjects shared)")
    assert "LEAKS trials, samples" in lines[2]
    assert not (tmp_path / "results").exists()
    wide = bench(
        "audit", "--suite", toy_suite, "--protocols", "oversample-then-split", cwd=tmp_path, columns=170
    )
    assert (
        "scaler, resampler, model selection" in wide.stdout or "LEAKS trials, samples, scaler" in wide.stdout
    )


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
