"""Classical classifiers on features that studies of emotion take from physiological signals."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bench.estimators.physio_features.features import PhysioFeatures
from bench.registry import register_estimator

_TREES = 500


@register_estimator(
    "physio-features",
    family="features",
    cost="10 s",
    requires=(
        "scipy.ndimage",
        "scipy.signal",
        "sklearn.ensemble",
        "sklearn.impute",
        "sklearn.linear_model",
        "sklearn.svm",
    ),
    most_probable=True,
)
def physio_features(
    *,
    classifier: Literal["logistic", "svm", "forest"] = "logistic",
    class_weight: Literal["balanced"] | None = None,
    channels: tuple[str, ...],
    sampling_rate: float,
    random_state: int,
    n_jobs: int,
) -> PhysioClassifier:
    """Logistic regression, SVM or random forest on features of skin conductance, pulse, breath and temperature.

    Channels are known by their names. Of skin conductance: tonic level and slope, phasic power, responses (Boucsein 2012). Of
    the pulse: heart rate, its variability (Task Force 1996), amplitude. Of breathing: depth, speed, and in windows of 10 s and
    more its rate. Of temperature: level, slope, deviation. Of all other channels: mean, deviation, slope, range.
    Features are standardised.

    Parameters
    ----------
    classifier : {"logistic", "svm", "forest"}, default "logistic"
        Logistic regression (L2, C = 1), a support vector machine (radial basis functions, C = 1), or a random forest of 500 trees
        (Breiman 2001). The probabilities of the SVM are the logistic function of its margins (softmax with three classes
        or more), not calibrated.
    class_weight : {"balanced"}, optional
        Weigh each class by the inverse of its number of windows; by default all windows weigh the same.
    channels : tuple of str
        Names of the channels of the windows, in order.
    sampling_rate : float
        Samples a second (Hz).
    random_state : int
        Seed of the forest.
    n_jobs : int
        Threads of the forest; below 0 for all cores.

    Returns
    -------
    PhysioClassifier
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` on `X` of shape (n_windows, n_channels, n_timepoints).

    Raises
    ------
    ValueError
        If there is no such classifier.

    References
    ----------
    D. Makowski et al., "NeuroKit2: A Python toolbox for neurophysiological signal processing", Behavior Research Methods 53,
    2021; and as in the modules of this folder.
    """
    if classifier not in ("logistic", "svm", "forest"):
        raise ValueError(f"classifier is logistic, svm or forest, not {classifier!r}")
    return PhysioClassifier(classifier, class_weight, channels, sampling_rate, random_state, n_jobs)


class PhysioClassifier:
    """A classifier that sees every window through `features.PhysioFeatures`.

    Parameters
    ----------
    classifier, class_weight, channels, sampling_rate, random_state, n_jobs
        As for `physio_features`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    feature_names_ : list of str
        ``"<channel>: <feature>"``, a column of what the classifier sees each.
    """

    def __init__(
        self,
        classifier: str,
        class_weight: Literal["balanced"] | None,
        channels: tuple[str, ...],
        sampling_rate: float,
        random_state: int,
        n_jobs: int,
    ) -> None:
        self.classifier = classifier
        self.class_weight = class_weight
        self.channels = channels
        self.sampling_rate = sampling_rate
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> PhysioClassifier:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,).

        `sample_weight` of shape (n_windows,) weighs windows in the classifier's loss.
        """
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        self.features_ = PhysioFeatures(self.channels, self.sampling_rate).fit(X)
        self.feature_names_ = self.features_.feature_names_
        steps = [("scaler", StandardScaler()), ("classifier", self._classifier())]
        self.pipeline_ = Pipeline(steps).fit(
            self.features_.transform(X), y, classifier__sample_weight=sample_weight
        )
        self.classes_ = self.pipeline_.classes_
        return self

    def _classifier(self) -> Any:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import SVC

        if self.classifier == "svm":
            return SVC(class_weight=self.class_weight)
        if self.classifier == "logistic":
            return LogisticRegression(class_weight=self.class_weight, max_iter=1000)
        return RandomForestClassifier(
            _TREES, class_weight=self.class_weight, random_state=self.random_state, n_jobs=self.n_jobs
        )

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        from scipy.special import expit, softmax

        features = self.features_.transform(X)
        if self.classifier != "svm":
            return np.asarray(self.pipeline_.predict_proba(features))
        margin = self.pipeline_.decision_function(features)
        if margin.ndim == 1:
            return np.stack([expit(-margin), expit(margin)], axis=1)
        return np.asarray(softmax(margin, axis=1))
