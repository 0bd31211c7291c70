"""my-estimator: say here what it is. `python -m bench check my-estimator` says whether it keeps the interface."""

from bench.registry import register_estimator


@register_estimator(
    "my-estimator",  # its name in specs and tables
    family="features",  # the kind of method, as tables show it
    requires=("sklearn",),  # modules that it needs: without them it is listed as unavailable
)
# Parameters with a default can be set in specs: my-estimator[n_estimators=500]. The harness gives the others: see
# `register_estimator` in bench/registry.py for all that it gives, and all that can be said at registration.
def my_estimator(*, n_estimators: int = 200, random_state: int, n_jobs: int):
    """Random forest on mean, deviation, slope and range of each channel: this line is shown by `list`."""
    # Heavy packages are imported here, so that `list` stays quick.
    from sklearn.ensemble import RandomForestClassifier

    # A classifier of tables sees each window as a row: `flattened` gives it the samples in place of these features.
    from bench.adapters import with_features

    forest = RandomForestClassifier(n_estimators, random_state=random_state, n_jobs=n_jobs)
    # What is returned has fit(X, y), predict(X) and, if it can, predict_proba(X) and classes_: X is float32 of
    # shape (n_windows, n_channels, n_timepoints), y holds str.
    return with_features(forest)
