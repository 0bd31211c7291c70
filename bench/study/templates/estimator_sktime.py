"""my-estimator: say here what it is. `python -m bench check my-estimator` says whether it keeps the interface."""

from bench.registry import register_estimator


@register_estimator(
    "my-estimator",  # its name in specs and tables
    family="distance",  # the kind of method, as tables show it
    requires=("sktime.classification.distance_based",),  # imported before the clock starts
)
# Parameters with a default can be set in specs: my-estimator[n_neighbors=3]. The harness gives the others, to a function that
# has them, such as `random_state`: see `register_estimator` in bench/registry.py.
def my_estimator(*, n_neighbors: int = 1, n_jobs: int):
    """Nearest windows by Euclidean distance, of sktime: this line is shown by `list`."""
    # Heavy packages are imported here, so that `list` stays quick.
    from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier

    # A classifier of sktime or aeon that takes several channels needs no adapter: both know windows of shape
    # (n_windows, n_channels, n_timepoints).
    return KNeighborsTimeSeriesClassifier(n_neighbors, distance="euclidean", n_jobs=n_jobs)
