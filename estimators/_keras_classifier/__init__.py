"""What the networks of the project share: their training, their file, the layers of FCN and its relatives.

Importing this package imports no deep-learning library: Keras comes with the first fit, or the first fitted estimator
that is read.
"""

from bench.estimators._keras_classifier.classifier import KerasClassifier
from bench.estimators._keras_classifier.ensemble import NetworkEnsemble
from bench.estimators._keras_classifier.parameters import are_counts, check_convolutions, is_count

__all__ = ["KerasClassifier", "NetworkEnsemble", "are_counts", "check_convolutions", "is_count"]
