"""Protocols: how the windows of a data set are divided into training and test; a family a file.

They are found like estimators and data sets. Each is a small class with the scikit-learn splitter interface;
`split` takes the table of window ids (``subject``, ``trial``, ``stimulus``, ``start``) and the classes, and
yields rows. A row that occurs twice is a window and its copy. Who goes where is decided by a hash of seed and
ids, not by a random number generator: the same seed gives the same split whatever the order of the rows, the
machine or the version of numpy.

Two attributes say what may be fitted on what: `scaler` and `resampler` are ``"train"``, or, where a
leaky protocol imitates work that did so, ``"all"`` for both sides.
"""
