"""Weights in place of new windows."""

from __future__ import annotations

import numpy as np

from bench.registry import register_resampler


@register_resampler("class-weight", weighs=True)
def class_weight(y: np.ndarray) -> np.ndarray:
    """Make no window; weigh each by n_windows / (n_classes * n_windows_of_its_class)."""
    from sklearn.utils.class_weight import compute_sample_weight

    return np.asarray(compute_sample_weight("balanced", y))
