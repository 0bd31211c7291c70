"""Estimators with a file format of their own, as a user may write them."""

import json

import numpy as np

from bench.registry import register_estimator


@register_estimator("kept-mean", family="features")
class KeptMean:
    """Nearest class mean; it can save itself."""

    def __init__(self, *, how: str = ""):
        self.how = how

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == c].mean(axis=(0, 2)) for c in self.classes_])
        return self

    def predict_proba(self, X):
        away = np.exp(-np.linalg.norm(X.mean(axis=2)[:, None] - self.means_, axis=2))
        return away / away.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def save(self, path, about):
        path.write_text(json.dumps([self.classes_.tolist(), self.means_.tolist()]))
        if self.how == "fails":
            raise ValueError("cannot be written")

    @classmethod
    def load(cls, path):
        loaded = cls()
        loaded.classes_, loaded.means_ = map(np.array, json.loads(path.read_text()))
        return loaded


@register_estimator("other-save", family="features")
class OtherSave(KeptMean):
    """Has methods called save and load that take something else, as sktime's classes do."""

    def save(self, path=None, serialization_format="pickle"):
        raise AssertionError("not to be called")


@register_estimator("projection", family="features")
class Projection:
    """The class by a random projection of all samples, whatever the windows it was fitted on.

    What it says depends on each single sample of a window, and it gives back what it was saved with.
    """

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        weights = np.random.default_rng(0).standard_normal(X.shape[1:])
        high = 1 / (1 + np.exp(-np.einsum("nct,ct->n", X - X.mean(axis=2, keepdims=True), weights)))
        return np.stack([high, 1 - high], axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def save(self, path, about):
        path.write_text(json.dumps([self.classes_.tolist(), about]))

    @classmethod
    def load(cls, path):
        loaded = cls()
        classes, loaded.about_ = json.loads(path.read_text())
        loaded.classes_ = np.array(classes)
        return loaded
