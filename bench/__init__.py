"""mlstm-bench: how well time-series classifiers recognise emotion from physiological signals."""

__version__ = "0.1.0"
