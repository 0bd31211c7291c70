"""Estimators of several libraries as a user would register them, and faulty ones, each with one fault."""

import random
import time
import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from bench.registry import register_estimator


@register_estimator("of-aeon", family="features", requires=("aeon.classification.feature_based",))
def of_aeon(*, n_estimators: int = 20, random_state: int):
    """Statistics of each channel and a forest, of aeon."""
    from aeon.classification.feature_based import SummaryClassifier
    from sklearn.ensemble import RandomForestClassifier

    return SummaryClassifier(estimator=RandomForestClassifier(n_estimators), random_state=random_state)


@register_estimator("of-sktime", family="distance", requires=("sktime.classification.distance_based",))
def of_sktime():
    """The nearest window by Euclidean distance, of sktime."""
    from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier

    return KNeighborsTimeSeriesClassifier(1, distance="euclidean")


@register_estimator("of-sklearn", family="features", requires=("sklearn",))
def of_sklearn():
    """A pipeline of scikit-learn on the samples."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from bench.adapters import flattened

    return flattened(make_pipeline(StandardScaler(), LogisticRegression(C=0.01)))


class Sound(ClassifierMixin, BaseEstimator):
    """The nearest mean level, without fault."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == c].mean(axis=(0, 2)) for c in self.classes_])
        return self

    def predict_proba(self, X):
        near = np.exp(-np.linalg.norm(X.mean(axis=2)[:, None] - self.means_, axis=2) * self.scale)
        return near / near.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class ChangesInput(Sound):
    def predict(self, X):
        X *= 1  # the same numbers: nothing to see
        X += 1
        return super().predict(X - 1)


class DrawsGlobally(Sound):
    def fit(self, X, y):
        super().fit(X, y)
        self.means_ += np.random.standard_normal(self.means_.shape)  # noqa: NPY002
        return self


class OwnSeedEachTime(Sound):
    def fit(self, X, y):
        super().fit(X, y)
        self.means_ += np.random.default_rng().standard_normal(self.means_.shape)
        return self


class SeedsAll(Sound):
    def fit(self, X, y):
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        return super().fit(X, y)


class ColumnsReversed(Sound):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]

    def predict(self, X):
        return self.classes_[super().predict_proba(X).argmax(axis=1)]


class ClassesReversed(Sound):
    """Names the classes the other way round, and predicts accordingly: wrong each time."""

    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_[::-1]
        return self


class Unsorted(Sound):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_, self.means_ = self.classes_[::-1], self.means_[::-1]
        return self


class NotClonable(Sound):
    def __init__(self, scale=1):
        self.scale = float(scale) + 1.0


class ForgetsInClones(Sound):
    def __init__(self, scale=1.0, **others):
        self.scale = scale
        self.shift = others.get("shift", 3.0)

    def __sklearn_clone__(self):
        return ForgetsInClones(self.scale, shift=0.0)

    def predict_proba(self, X):
        return super().predict_proba(X + np.float32(self.shift))


class PicklesHalf(Sound):
    def __getstate__(self):
        return {**super().__getstate__(), "means_": self.means_ * 0}


class HoldsALambda(Sound):
    def fit(self, X, y):
        self.view_ = lambda X: X
        return super().fit(X, y)


class Codes(Sound):
    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


class Column(Sound):
    def predict(self, X):
        return super().predict(X)[:, None]


class ReturnsNone(Sound):
    def fit(self, X, y):
        super().fit(X, y)


class Squeezes(Sound):
    def predict(self, X):
        return super().predict(X).squeeze()


class ClassesOfTest(Sound):
    def predict(self, X):
        if len(X) > 1 and np.ptp(X.mean(axis=(1, 2))) < 1:
            raise ValueError("one class only")
        return super().predict(X)


class ThreeClasses(Sound):
    def fit(self, X, y):
        super().fit(X, y)
        self.means_ = self.means_[[0, 1, 2]]
        return self


class ClaimsWeights(Sound):
    def fit(self, X, y, sample_weight=None):
        if sample_weight is not None:
            raise NotImplementedError("weights")
        return super().fit(X, y)


class Explodes(Sound):
    def fit(self, X, y):
        time.sleep(0.4 * (len(X) / 200) ** 3)
        return super().fit(X, y)


class NoPredict(BaseEstimator):
    def fit(self, X, y):
        return self


class Warns(Sound):
    def fit(self, X, y):
        warnings.warn("few windows", stacklevel=1)
        warnings.warn("will change", FutureWarning, stacklevel=1)
        return super().fit(X, y)


FAULTY = (
    Warns,
    *(ChangesInput, DrawsGlobally, OwnSeedEachTime, SeedsAll, ColumnsReversed, ClassesReversed, Unsorted),
    *(NotClonable, ForgetsInClones, PicklesHalf, HoldsALambda, Codes, Column, ReturnsNone, Squeezes),
    *(ClassesOfTest, ThreeClasses, ClaimsWeights, Explodes, NoPredict, Sound),
)
for kind in FAULTY:
    register_estimator(f"kit-{kind.__name__.lower()}", family="faulty")(lambda kind=kind: kind())


@register_estimator("kit-unequal", family="faulty", unequal_length=True)
def unequal():
    return Sound()


@register_estimator("kit-forgetsinfiles", family="faulty")
class ForgetsInFiles(Sound):
    """Is registered as a class with `save` and `load`, and loads another."""

    def save(self, path, about):
        np.savez(path.with_suffix(".npz"), classes=self.classes_, means=self.means_)

    @classmethod
    def load(cls, path):
        loaded, content = cls(), np.load(path.with_suffix(".npz"))
        loaded.classes_, loaded.means_ = content["classes"], content["means"] + 1
        return loaded


@register_estimator("kit-nothing", family="faulty")
def nothing():
    """Makes nothing."""


@register_estimator("kit-unset", family="faulty")
def unset(*, level: float):
    return Sound(level)


@register_estimator("kit-table", family="faulty")
def table():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression()
