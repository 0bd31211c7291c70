"""MLSTM-FCN: an LSTM beside three squeeze-and-excite convolutions (Karim et al. 2019).

`MLSTMFCN` keeps the interface of scikit-learn, `MLSTMFCNClassifier` is the same for sktime. Importing this package
imports no deep-learning library: Keras comes with the first fit, or the first fitted estimator that is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.estimators.mlstm_fcn.classifier import MLSTMFCN

if TYPE_CHECKING:
    from bench.estimators.mlstm_fcn.sktime import MLSTMFCNClassifier

__all__ = ["MLSTMFCN", "MLSTMFCNClassifier"]


def __getattr__(name: str) -> Any:
    """Give `MLSTMFCNClassifier`, which imports sktime, once it is asked for."""
    if name == "MLSTMFCNClassifier":
        from bench.estimators.mlstm_fcn.sktime import MLSTMFCNClassifier

        return MLSTMFCNClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
