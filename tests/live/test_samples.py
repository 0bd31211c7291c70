"""Samples that come as text, a line each, are classified as those of a replay are."""

import json

import numpy as np
import pytest


def test_samples_of_standard_input_are_classified_as_the_replay_is(train, stream, recorded, as_text):
    folder = train()
    replayed = stream(folder, "--replay", "1/1").windows
    samples = recorded(folder).signal
    flipped = as_text(np.stack([samples[1], np.arange(samples.shape[1]), samples[0]]))
    inputs = [
        as_text(samples),
        as_text(samples, " "),
        as_text(samples, "\t  "),
        as_text(samples)[:-1],
        b"\xef\xbb\xbfa,b\n" + as_text(samples),
        b"a (V)   b\r\n" + as_text(samples, " ").replace(b"\n", b"\r\n"),
        b'"b (deg C)", time of day, a\n\n' + flipped,
        b"b (deg C)\tn\ta\n" + flipped.replace(b",", b"\t"),
    ]
    for stdin in inputs:
        done = stream(folder, stdin=stdin)
        assert done.status == 0
        assert done.windows.probability.tolist() == replayed.probability.tolist(), stdin[:40]
        assert "15 windows; latency p50" in done.err


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"1,2\n1,x\n", "error: line 2: b is 'x', no finite number"),
        (b"1,2\nnan,2\n", "error: line 2: a is 'nan', no finite number"),
        (b"1,2\n1,1e39\n", "error: line 2: b is '1e39', no finite number"),
        (b"1,2\n\n1,\n", "error: line 3: b is '', no finite number"),
        (b"1,2\n1\n", "error: line 2: 1 values, expected 2 (a, b)"),
        (b"1 2 3\n", "error: line 1: 3 values, expected 2 (a, b)"),
        (b"b,t,a\n1,x\n", "error: line 2: 2 values, expected 3, as many as the header names"),
        (b"b,t,a\n1,x,y\n", "error: line 2: a is 'y', no finite number"),
        (b"a,bb\n", "error: line 1: no column for the model's channel 'b'; did you mean 'bb'?"),
        (b"a,time\n", "error: line 1: no column for the model's channel 'b'; known: a, time"),
        (b"a,b,b\n", "error: line 1: there are 2 columns for channel 'b'"),
        (b"1,2\n\xff\xfe\n", "error: line 2: not text"),
        (b"", "error: the input ended after 0 samples; a window takes 32 (2 s)"),
        (b"1,2\n" * 31, "error: the input ended after 31 samples; a window takes 32 (2 s)"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_sample_is_one_plain_message(train, stream, stdin, message):
    done = stream(train(), stdin=stdin)
    assert done.status == 2
    assert done.err.endswith(message)
    assert len(done.windows) == 0


def test_a_column_in_another_unit_is_refused(train, stream):
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(
        json.dumps({**about, "channels": ["GSR (Ohm)", "temperature (deg C)"]})
    )
    done = stream(folder, stdin=b"temperature (deg C) GSR (uS)\n1 2\n")
    assert done.status == 2
    assert "line 1: column 'GSR (uS)' has another unit than 'GSR (Ohm)'" in done.err
    good = b"temperature (deg C) GSR (Ohm)\n" + b"1 2\n" * 32
    assert stream(folder, stdin=good).status == 0


def test_a_bad_line_after_some_windows_leaves_these_and_their_summary(train, stream):
    done = stream(train(), stdin=b"1,2\n" * 40 + b"oops\n")
    assert done.status == 2
    assert len(done.windows) == 1
    assert "1 window; latency" in done.err
    assert done.err.endswith("error: line 41: 1 values, expected 2 (a, b)")


@pytest.mark.parametrize(
    ("hop", "ends"), [("0.5", [2.0, 2.5, 3.0, 3.5, 4.0]), ("2", [2.0, 4.0]), ("3", [2.0])]
)
def test_another_hop(train, stream, hop, ends):
    windows = stream(train(), "--hop", hop, stdin=b"1,2\n" * 70).windows
    assert windows.seconds.astype(float).tolist() == ends


def test_windows_further_apart_than_they_are_long_hold_the_right_samples(train, stream, recorded, as_text):
    folder = train()
    samples = recorded(folder).signal
    windows = stream(folder, "--hop", "3", stdin=as_text(samples)).windows
    alone = stream(folder, stdin=as_text(samples[:, 48:80])).windows
    assert windows.probability[1] == alone.probability[0]
