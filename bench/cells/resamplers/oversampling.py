"""Samplers of imbalanced-learn that repeat windows, or mix new ones of two."""

from __future__ import annotations

from typing import Any

from bench.registry import register_resampler


@register_resampler("ros")
def random_over_sampler(random_state: int) -> Any:
    """Repeat windows of the smaller classes at random until all are as large as the largest."""
    from imblearn.over_sampling import RandomOverSampler

    return RandomOverSampler(random_state=random_state)


@register_resampler("smote")
def smote(random_state: int) -> Any:
    """SMOTE (Chawla et al. 2002): new windows on lines between a window and one of its 5 neighbours."""
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=random_state)


@register_resampler("adasyn")
def adasyn(random_state: int) -> Any:
    """ADASYN (He et al. 2008): as SMOTE, more where the classes mix."""
    from imblearn.over_sampling import ADASYN

    return ADASYN(random_state=random_state)
