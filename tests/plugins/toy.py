"""A small made-up data set and small estimators, kept as a user would keep theirs."""

import numpy as np

from bench.recordings import DataError, Recordings
from bench.registry import register_dataset, register_estimator


@register_dataset(
    "toy", description="noise with trial offsets", licence="none", where="made here", needs_root=False
)
def toy(
    root=None,
    *,
    subjects=None,
    n_trials: int = 10,
    effect: float = 0.0,
    seconds: float = 17.0,
    n_high: int | None = None,
):
    """Four subjects; the level of a trial tells the trial, `effect` adds what tells its class.

    Every second trial is high, or the first `n_high`.
    """
    import pandas as pd

    rng = np.random.default_rng(0)
    signals, rows = [], []
    for subject in range(1, 5):
        for trial in range(1, n_trials + 1):
            high = trial % 2 if n_high is None else int(trial <= n_high)
            signal = rng.standard_normal((2, int(16 * seconds))) * 0.05 + rng.standard_normal((2, 1))
            signal[1] += effect * high
            signals.append(signal.astype(np.float32))
            rows.append((subject, trial, trial, 7.0 if high else 3.0, float(rng.uniform(1, 9))))
    trials = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "arousal", "valence"])
    if subjects is not None:
        absent = set(subjects) - set(trials.subject)
        if absent:
            raise DataError(f"toy: no subject {min(absent)}")
        keep = trials.subject.isin(list(subjects)).to_numpy()
        signals, trials = (
            [s for s, k in zip(signals, keep, strict=True) if k],
            trials[keep].reset_index(drop=True),
        )
    return Recordings("toy", signals, ("a", "b"), 16.0, trials, baseline_seconds=1.0, simulated=True)


@register_dataset(
    "toy-ids",
    description="who, what and when, in the signals",
    licence="none",
    where="made here",
    needs_root=False,
)
def toy_ids(root=None, *, subjects=None, follows: str = "subject", n_people: int = 12, n_trials: int = 20):
    """A class that follows the person, the stimulus or the order, all three told by the signals; or a signal."""
    import pandas as pd

    rng = np.random.default_rng(0)
    of_stimulus = rng.permutation(np.arange(n_trials) < n_trials // 2)
    signals, rows = [], []
    for subject in range(1, n_people + 1):
        stimuli = rng.permutation(n_trials)
        own_share, start = (0.8, 0.2)[subject % 2], rng.integers(10)
        for place, stimulus in enumerate(stimuli):
            high = {
                "subject": rng.random() < own_share,
                "stimulus": of_stimulus[stimulus] if rng.random() < 0.8 else rng.random() < 0.5,
                "order": (place + start) // 5 % 2 == 1,
                "signal": rng.random() < 0.5,
            }[follows]
            levels = np.array([subject, stimulus, place, 3.0 * high * (follows == "signal")])
            signal = levels[:, None] + 0.1 * rng.standard_normal((4, 16 * 5))
            signals.append(signal.astype(np.float32))
            rows.append((subject, place + 1, int(stimulus) + 1, place + 1, 7.0 if high else 3.0))
    trials = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "order", "arousal"])
    return Recordings("toy-ids", signals, ("who", "what", "when", "class"), 16.0, trials, simulated=True)


@register_dataset(
    "toy-file",
    description="one number",
    licence="none",
    where="made here",
    files=lambda root: root.glob("*.txt"),
)
def toy_file(root, *, subjects=None):
    """Two trials at the level that a file says."""
    import pandas as pd

    trials = pd.DataFrame({"subject": 1, "trial": [1, 2], "stimulus": [1, 2], "arousal": [3.0, 7.0]})
    level = np.float32((root / "level.txt").read_text())
    return Recordings("toy-file", np.full((2, 1, 64), level), ("a",), 16.0, trials)


class NearestMean:
    """The class whose mean level is nearest."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == c].mean(axis=(0, 2)) for c in self.classes_])
        return self

    def predict_proba(self, X):
        away = np.linalg.norm(X.mean(axis=2)[:, None] - self.means_, axis=2)
        return np.exp(-away) / np.exp(-away).sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@register_estimator("nearest-mean", family="features")
def nearest_mean(*, unused: int = 1, random_state: int):
    """Nearest class mean of the channel levels."""
    return NearestMean()


class Weighed(NearestMean):
    """Takes weights of windows."""

    def fit(self, X, y, sample_weight=None):
        self.sample_weight_ = sample_weight
        return super().fit(X, y)


@register_estimator("weighed", family="features")
def weighed():
    """Takes weights of windows."""
    return Weighed()


class InEpochs(NearestMean):
    """Tells of a training that it has not had: the loss halves with every epoch."""

    def __init__(self, epochs, tells, random_state):
        self.epochs, self.tells, self.random_state = epochs, tells, random_state

    def fit(self, X, y):
        super().fit(X, y)
        loss = [(1 + 0.1 * self.random_state) / 2**epoch for epoch in range(self.epochs)]
        history = {"loss": loss, "seconds": [0.5] * self.epochs}
        told = {
            "all": (history | {"val_loss": [2 * value for value in loss]}, self.epochs - 1),
            "no best epoch": (history, None),
            "scores alone": (None, None),
            "too much": (
                {
                    "loss": np.array(loss),
                    "val_loss": [*loss[1:], np.nan],
                    "accuracy": [*loss, 0.5],
                    "lr": [*loss[1:], np.inf],
                    "layers": [loss] * self.epochs,
                    "text": ["0.5"] * self.epochs,
                    "one": 0.5,
                    "none": [],
                    "a,b": loss,
                    "epoch": loss,
                    7: loss,
                },
                self.epochs,
            ),
            "a list": (loss, 0.5),
        }
        self.history_, self.best_epoch_ = told.get(self.tells, (None, None))
        return self

    @property
    def training_scores_(self):
        if self.tells == "a list":
            raise SystemExit("no scores")
        odd = {"loss": np.nan, "accuracy": "high"} if self.tells == "too much" else {"loss": 0.25}
        return odd | {"balanced_accuracy": np.float32(0.75)}


@register_estimator("in-epochs", family="toy")
def in_epochs(*, epochs: int = 10, tells: str = "all", random_state: int):
    """Nearest class mean with a made-up history of its training."""
    return InEpochs(epochs, tells.replace("-", " "), random_state)


@register_estimator("nearest-window", family="distance")
def nearest_window(*, n_neighbors: int = 1):
    """k-NN on channel means: remembers every training window."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(lambda X: X.mean(axis=2)), KNeighborsClassifier(n_neighbors))


@register_estimator("needs-level", family="features")
def needs_level(level: float, random_state: int):
    """A function without a star and without a default."""
    return NearestMean()


@register_estimator("breaks", family="faulty")
def breaks(*, how: str = "fit"):
    """Fail in the way that is asked for."""

    class Broken(NearestMean):
        def fit(self, X, y):
            if how == "fit":
                raise RuntimeError("the loss is nan | and so on")
            if how == "interrupt":
                raise KeyboardInterrupt
            if how == "exit":
                raise SystemExit(3)
            return super().fit(X, y)

        def predict(self, X):
            if how == "class":
                return np.full(len(X), "medium")
            return super().predict(X)[: 3 if how == "shape" else None]

    return Broken()


@register_estimator(
    "lacks-package", family="faulty", requires=("no_such_module.part",), install="pip install no-such"
)
def lacks_package():
    """Needs a package that nobody has."""


@register_estimator("liar", family="faulty", most_probable=True)
def liar():
    """Promises that it predicts the most probable class, and predicts the least probable one."""

    class Liar(NearestMean):
        def predict(self, X):
            return self.classes_[self.predict_proba(X).argmin(axis=1)]

    return Liar()


class OfNeighbours(NearestMean):
    """Averages the probabilities of each window with those of the windows beside it in what it is given."""

    def predict_proba(self, X):
        own = super().predict_proba(X)
        return (np.roll(own, 1, axis=0) + own + np.roll(own, -1, axis=0)) / 3


@register_estimator("of-neighbours", family="faulty")
def of_neighbours():
    return OfNeighbours()


@register_estimator("by-place", family="faulty")
def by_place():
    class ByPlace(NearestMean):
        """Calls the last third of what it is given to predict the rarer class of training: where copies of it stand."""

        def fit(self, X, y):
            super().fit(X, y)
            names, counts = np.unique(y[: len(y) // 2], return_counts=True)
            self.rare, self.common = names[counts.argmin()], names[counts.argmax()]
            return self

        def predict(self, X):
            last = np.arange(len(X)) > 2 * len(X) // 3
            return np.where(last, self.rare, self.common)

    return ByPlace()
