"""`list`."""


def flat(text):
    return " ".join(text.split())


def test_list_shows_everything_there_is(process, tmp_path):
    done = process("list", cwd=tmp_path)
    for name in ("deap-arousal", "uea", "mlstm-fcn", "dtw-knn", "hku956", "subject-stratified", "+smote"):
        assert name in done.stdout
    assert "UNAVAILABLE, pip install no-such" in flat(done.stdout)


def test_list_says_what_a_full_split_takes_and_what_is_slow(process, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from bench.registry import register_estimator\n"
        "@register_estimator('brisk', family='x', cost='40 s')\ndef brisk():\n    '''Soon done.'''\n"
        "@register_estimator('slow', family='x', cost='26 h')\ndef slow():\n    '''Never done.'''\n"
    )
    done = process("list", "estimators", "--plugins", tmp_path, cwd=tmp_path, columns=80)
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    (brisk,) = (line for line in lines if line.startswith("brisk "))
    assert brisk.split() == ["brisk", "x", "40", "s", "Soon", "done."]
    assert "26 h SLOW, 26 h for a full DEAP split on two cores. Never done." in flat(done.stdout)
    assert "a full DEAP split (17,920 training, 7,680 test windows" in flat(done.stdout)
