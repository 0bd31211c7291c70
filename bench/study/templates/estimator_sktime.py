"""my-estimator: say here what it is. `python -m bench check my-estimator` says whether it keeps the interface."""

from bench.registry import register_estimator


@register_estimator(
    "my-estimator",  # its name in specs and tables
    family="features",  # the kind of method, as tables show it
    requires=("sktime.classification.feature_based",),  # imported before the clock starts
)
# Parameters with a default can be set in specs: my-estimator[n_estimators=500]. The harness gives the others: see
# `register_estimator` in bench/registry.py for all that it gives, and all that can be said at registration.
def my_estimator(*, n_estimators: int = 200, random_state: int, n_jobs: int):
    """Summary statistics of each channel and a random forest, of sktime: this line is shown by `list`."""
    # Heavy packages are imported here, so that `list` stays quick.
    from sklearn.ensemble import RandomForestClassifier
    from sktime.classification.feature_based import SummaryClassifier

    forest = RandomForestClassifier(n_estimators, random_state=random_state, n_jobs=n_jobs)
    # A classifier of sktime or aeon that takes several channels needs no adapter: both know windows of shape
    # (n_windows, n_channels, n_timepoints).
    return SummaryClassifier(estimator=forest, random_state=random_state)
