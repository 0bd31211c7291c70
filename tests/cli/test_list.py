"""`list`."""


def flat(text):
    return " ".join(text.split())


def test_list_shows_everything_there_is(process, tmp_path):
    done = process("list", cwd=tmp_path)
    for name in ("deap-arousal", "uea", "mlstm-fcn", "dtw-knn", "hku956", "subject-stratified", "+smote"):
        assert name in done.stdout
    assert "UNAVAILABLE, pip install no-such" in flat(done.stdout)
