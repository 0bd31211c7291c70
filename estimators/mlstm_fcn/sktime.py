"""`bench.estimators.mlstm_fcn.MLSTMFCN` as a classifier of sktime, which this file imports."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sktime.classification.base import BaseClassifier

from bench.estimators.mlstm_fcn import MLSTMFCN


class MLSTMFCNClassifier(BaseClassifier):
    """MLSTM-FCN for sktime's pipelines, model selection and checks.

    Parameters
    ----------
    **parameters
        Those of `bench.estimators.mlstm_fcn.MLSTMFCN`.

    Attributes
    ----------
    estimator_ : MLSTMFCN
        The fitted estimator.

    Examples
    --------
    >>> from bench.estimators.mlstm_fcn import MLSTMFCNClassifier
    >>> from sktime.datasets import load_basic_motions
    >>> X, y = load_basic_motions(split="train")
    >>> classifier = MLSTMFCNClassifier(epochs=20, random_state=0).fit(X, y)  # doctest: +SKIP
    """

    _tags: ClassVar[dict[str, Any]] = {
        "X_inner_mtype": "df-list",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:predict_proba": True,
        "capability:random_state": True,
        "property:randomness": "derandomized",
        "python_dependencies": ["tensorflow", "keras"],
    }

    def __init__(self, **parameters: Any) -> None:
        for field in fields(MLSTMFCN):
            setattr(self, field.name, parameters.pop(field.name, field.default))
        if parameters:
            raise TypeError(f"MLSTMFCNClassifier has no parameter {next(iter(parameters))!r}")
        super().__init__()

    # What sktime reads the names and defaults of the parameters from.
    __init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *(
                inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
                for field in fields(MLSTMFCN)
            ),
        ]
    )

    def _fit(self, X: Any, y: np.ndarray) -> MLSTMFCNClassifier:
        self.estimator_ = MLSTMFCN(**self.get_params(deep=False)).fit(_windows(X), y)
        return self

    def _predict(self, X: Any) -> np.ndarray:
        return self.estimator_.predict(_windows(X))

    def _predict_proba(self, X: Any) -> np.ndarray:
        return self.estimator_.predict_proba(_windows(X))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's checks."""
        small = {"epochs": 1, "filters": (4, 4), "kernel_sizes": (3, 3), "squeeze_ratio": 2}
        return [small, {**small, "lstm": False, "squeeze_excite": False}]


def _windows(X: list[pd.DataFrame]) -> list[np.ndarray]:
    """Return sktime's data frames (time by channels) as arrays (channels by time)."""
    return [frame.to_numpy().T for frame in X]
