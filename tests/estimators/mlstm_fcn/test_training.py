"""How MLSTM-FCN is trained: schedules, the epoch that is kept, what is held out, interrupted fits."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.estimators._keras_classifier.schedules import learning_rate
from bench.estimators._keras_classifier.windows import fit_key, hold_out_groups
from bench.estimators.mlstm_fcn import MLSTMFCN


def test_one_cycle_rises_once_and_falls_to_a_thousandth():
    rates = [learning_rate("one-cycle", 2e-3, 0, share, [], 100) for share in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(2e-3 / 25)
    assert max(rates) == rates[30] == pytest.approx(2e-3)
    assert rates[100] == pytest.approx(2e-6)
    assert (np.diff(rates[:31]) > 0).all()
    assert (np.diff(rates[30:]) < 0).all()


def test_step_lowers_every_100_epochs_down_to_the_published_floor():
    rates = [learning_rate("step", 1e-3, epoch, 0, [], 5) for epoch in (0, 99, 100, 199, 200, 5000)]
    factor = 2 ** (-1 / 3)
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3 * factor, 1e-3 * factor, 1e-3 * factor**2, 1e-4])


def test_plateau_waits_for_patience_and_starts_to_count_anew():
    def rate(losses):
        return learning_rate("plateau", 1e-3, len(losses), 0, losses, 3)

    factor = 2 ** (-1 / 3)
    assert rate([1.0, 0.9, 0.9, 0.9]) == 1e-3
    assert rate([1.0, 0.9, 0.9, 0.9, 0.9]) == pytest.approx(1e-3 * factor)
    # 0.00005 less is no improvement; 0.0002 less is one.
    assert rate([0.9, 0.89995, 0.89995, 0.89995]) == pytest.approx(1e-3 * factor)
    assert rate([0.9, 0.9, 0.9, 0.8998]) == 1e-3
    assert rate([0.9] * 7) == pytest.approx(1e-3 * factor**2)
    assert rate([0.9] * 500) == 1e-4


def test_a_start_below_the_floor_stays_where_it_is():
    assert learning_rate("plateau", 5e-5, 9, 0, [1.0] * 9, 2) == 5e-5


def test_the_fit_follows_its_schedule(fitted, tiny):
    # Three steps an epoch: the last one's rate is written down.
    expected = [learning_rate("one-cycle", 5e-3, 0, (epoch + 2 / 3) / 4, [], 100) for epoch in range(4)]
    np.testing.assert_allclose(fitted(epochs=4).history_["learning_rate"], expected, rtol=1e-5)
    two = fitted(**{**tiny, "epochs": 2, "schedule": "step"})
    np.testing.assert_allclose(two.history_["learning_rate"], 1e-3)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=8, max_size=30),
    share=st.sampled_from([0.1, 0.2, 0.25, 0.5]),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_held_out_groups_are_whole(sizes, share, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = groups % 2
    try:
        training, held_out = hold_out_groups(labels, groups, share, seed)
    except ValueError:  # too few groups of a class, which the tests below are about
        assume(False)
    assert sorted([*training, *held_out]) == list(range(len(groups)))
    assert not set(groups[training]) & set(groups[held_out])
    assert set(labels[training]) == set(labels)


def test_validation_chooses_by_the_loss_of_what_is_held_out(fitted):
    history = fitted(epochs=4, validation=0.25).history_
    assert {"val_loss", "val_accuracy", "val_balanced_accuracy"} <= history.keys()
    assert fitted(epochs=4, validation=0.25).best_epoch_ == int(np.argmin(history["val_loss"]))
    assert "val_loss" not in fitted(epochs=4).history_


def test_whole_groups_are_held_out_and_do_not_train(toy, tiny, uncompiled):
    """Windows of the validation part may be anything: the network ends the same after a fixed epoch."""
    X, y = toy(n_windows=32)
    groups = np.arange(32) // 4
    estimator = MLSTMFCN(epochs=1, validation=0.25, class_weight=False, **tiny)
    with uncompiled():
        before = estimator.fit(X, y, groups=groups).predict_proba(X)
    _, held_out = hold_out_groups(y, groups, 0.25, 0)
    changed = X.copy()
    changed[held_out] = 5 * np.random.default_rng(9).normal(size=changed[held_out].shape)
    with uncompiled():
        np.testing.assert_array_equal(estimator.fit(changed, y, groups=groups).predict_proba(X), before)


def test_validation_that_cannot_be_is_refused(toy, tiny):
    X, y = toy()
    with pytest.raises(ValueError, match=r"all groups of a class would be held out|cannot be divided"):
        MLSTMFCN(epochs=1, validation=0.5, **tiny).fit(X, y, groups=y)
    with pytest.raises(ValueError, match="mixed from several trials"):
        MLSTMFCN(epochs=1, validation=0.5, **tiny).fit(X, y, groups=np.r_[-1, np.arange(23)])


def test_early_stopping_ends_a_fit_that_gets_no_better(toy, tiny):
    X, y = toy()
    noise = np.random.default_rng(0).permutation(y)
    stopped = MLSTMFCN(epochs=60, validation=0.25, early_stopping=2, **tiny).fit(X, noise)
    epochs = len(stopped.history_["loss"])
    assert epochs < 60
    assert stopped.best_epoch_ == epochs - 3


def test_max_seconds_ends_a_fit_with_its_cycle_run_through(toy, tiny, monkeypatch):
    """By a clock that a step moves on by about a fiftieth of a second, on a slow machine as on a fast one."""
    from bench.estimators._keras_classifier import training

    looked = iter(range(1_000_000))
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: next(looked) / 50))
    stopped = MLSTMFCN(epochs=100_000, max_seconds=3, **tiny).fit(*toy())
    rates, seconds = stopped.history_["learning_rate"], stopped.history_["seconds"]
    assert 1 < len(rates) < 100_000
    assert rates[-1] < 1e-4
    assert max(rates) == pytest.approx(5e-3, rel=0.01)
    assert sum(seconds[:-1]) < 3 <= sum(seconds) < 3.1


@pytest.mark.slow
def test_max_seconds_are_those_of_the_clock(toy, tiny):
    X, y = toy()
    started = time.perf_counter()
    MLSTMFCN(epochs=1, **tiny).fit(X, y)
    compiling = time.perf_counter() - started  # which is within the seconds, and takes long on a busy machine
    started = time.perf_counter()
    stopped = MLSTMFCN(epochs=100_000, max_seconds=3 + 2 * compiling, **tiny).fit(X, y)
    assert time.perf_counter() - started < 30 + 10 * compiling
    rates = stopped.history_["learning_rate"]
    assert 1 < len(rates) < 100_000
    assert rates[-1] < 1e-4


def test_balanced_accuracy_is_the_mean_of_the_recalls(toy, tiny):
    X, _ = toy(n_windows=40)
    y = (np.arange(40) >= 36).astype(int)  # nearly all of one class
    history = MLSTMFCN(epochs=1, class_weight=False, **tiny).fit(X, y).history_
    assert history["balanced_accuracy"][0] != pytest.approx(history["accuracy"][0])


def test_a_short_fit_predicts_as_it_was_trained(toy):
    """After a dozen updates the running moments of batch normalisation are nowhere; predictions must not show it."""
    X, y = toy(n_windows=60, n_classes=3)
    short = MLSTMFCN(epochs=4, random_state=0, batch_size=20).fit(X, y)
    assert (short.predict(X) == y).mean() > 0.9


def test_another_seed_gives_another_network(toy, small, fitted):
    X, y = toy()
    first = fitted(epochs=4).predict_proba(X)
    again, other = (
        MLSTMFCN(**{**small, "epochs": 4, "random_state": seed}).fit(X, y).predict_proba(X) for seed in (0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


FIT = """
import contextlib, sys, time
sys.path[:0] = {path!r}
import numpy as np
from bench.estimators.mlstm_fcn import MLSTMFCN

class Paced(MLSTMFCN):
    @contextlib.contextmanager
    def _log(self, windows):
        with super()._log(windows) as (checkpoint, key, log):
            yield checkpoint, key, lambda progress: (log(progress), time.sleep({pause}))

X, y = np.load("X.npy"), np.load("y.npy")
fitted = Paced(epochs=40, filters=(8, 8), kernel_sizes=(5, 3), squeeze_ratio=4, batch_size=8, random_state=0,
               log_dir={log_dir!r}).fit(X, y)
np.savez("{out}.npz", p=fitted.predict_proba(X), loss=fitted.history_["loss"])
"""


@pytest.mark.slow
def test_a_killed_fit_goes_on_and_ends_as_if_it_had_not_been_killed(toy, tmp_path):
    X, y = toy(n_windows=48)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)

    def start(log_dir: str, out: str, pause: float = 0.0) -> subprocess.Popen:
        code = FIT.format(path=sys.path, log_dir=log_dir, out=out, pause=pause)
        return subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL)

    # The one that is killed pauses after each epoch: there is time to kill it, however fast it computes.
    whole, killed = start("whole", "whole"), start("killed", "killed", pause=0.2)
    checkpoint = tmp_path / "killed" / "checkpoint.npz"
    deadline = time.monotonic() + 240
    epochs = 0
    while epochs < 2 and time.monotonic() < deadline and killed.poll() is None:
        time.sleep(0.02)
        if checkpoint.exists():
            with np.load(checkpoint) as file:
                epochs = len(json.loads(str(file["state"]))["history"]["loss"])
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert 2 <= epochs < 40
    assert checkpoint.exists()
    assert not (tmp_path / "killed.npz").exists()
    assert whole.wait() == 0
    assert not (tmp_path / "whole" / "checkpoint.npz").exists()
    assert start("killed", "killed").wait() == 0
    with np.load(tmp_path / "whole.npz") as whole_fit, np.load(tmp_path / "killed.npz") as resumed:
        np.testing.assert_array_equal(resumed["loss"], whole_fit["loss"])
        np.testing.assert_array_equal(resumed["p"], whole_fit["p"])
    assert not checkpoint.exists()


@pytest.fixture(scope="module")
def left(toy, tiny, tmp_path_factory):
    """The checkpoint of a fit to the other labels that was stopped in its second epoch, as by Ctrl-C; to be copied."""
    folder = tmp_path_factory.mktemp("left")
    X, y = toy()

    class Interrupted(MLSTMFCN):
        @contextlib.contextmanager
        def _log(self, windows):
            def stop(progress):
                if progress.epochs == 2:
                    raise KeyboardInterrupt

            with super()._log(windows) as (checkpoint, key, _):
                yield checkpoint, key, stop

    with pytest.raises(KeyboardInterrupt):
        Interrupted(epochs=4, log_dir=str(folder), **tiny).fit(X, 1 - y)
    return folder / "checkpoint.npz"


def test_a_checkpoint_of_another_fit_is_not_used(left, toy, tiny, fitted, tmp_path):
    shutil.copy(left, tmp_path)
    other = MLSTMFCN(epochs=4, log_dir=str(tmp_path), **tiny).fit(*toy())
    assert other.history_["loss"] == fitted(epochs=4, **tiny).history_["loss"]


def test_a_damaged_checkpoint_is_said_and_not_used(left, toy, tiny, fitted, tmp_path):
    (tmp_path / "checkpoint.npz").write_bytes(left.read_bytes()[:1000])
    with pytest.warns(UserWarning, match=r"checkpoint\.npz is damaged .* begins anew"):
        anew = MLSTMFCN(epochs=4, log_dir=str(tmp_path), **tiny).fit(*toy())
    assert anew.history_["loss"] == fitted(epochs=4, **tiny).history_["loss"]


def test_the_key_of_a_fit_is_of_all_that_it_is_given():
    given = {"epochs": 4}, np.zeros((2, 1, 3), np.float32), np.array([0, 1]), np.ones(2, np.float32)
    others = [{"epochs": 5}, given[1] + 1, 1 - given[2], None]
    keys = {fit_key(*given[:k], other, *given[k + 1 :]) for k, other in enumerate(others)}
    assert len(keys | {fit_key(*given)}) == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 2.5),
        ("schedule", "cosine"),
        ("dtype", "float16"),
        ("validation", 0.9),
        ("dropout", 1.0),
        ("filters", ()),
        ("max_seconds", -1),
        ("cells", "many"),
    ],
)
def test_a_parameter_that_cannot_be_is_named(name, value, toy):
    with pytest.raises(ValueError, match=f"{name}=.* is no value that it can have"):
        MLSTMFCN(**{name: value}).fit(*toy())


def test_filters_and_kernel_sizes_go_together(toy):
    with pytest.raises(ValueError, match="differ in number"):
        MLSTMFCN(filters=(8, 8)).fit(*toy())
