"""The parameters of `MLSTMFCN`: read and set by name, as scikit-learn does it, and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from bench.estimators.mlstm_fcn.schedules import SCHEDULES


@dataclass(kw_only=True, eq=False)
class Parameters:
    """What an estimator does with its parameters, which are the fields of its dataclass."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; `deep` is there for scikit-learn and changes nothing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ValueError if there is none of that name."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"MLSTMFCN has no parameter {name!r}; it has {', '.join(self.get_params())}")
            setattr(self, name, value)
        return self

    def check_parameters(self) -> None:
        """Raise ValueError, with its name, if a parameter has a value that it cannot have."""
        given = self.get_params()
        wrong = next((name for name, holds in _CONDITIONS.items() if not holds(given[name])), None)
        if wrong is not None:
            raise ValueError(f"{wrong}={given[wrong]!r} is no value that it can have")
        filters, kernel_sizes = given["filters"], given["kernel_sizes"]
        if len(filters) != len(kernel_sizes):
            raise ValueError(f"filters={filters} and kernel_sizes={kernel_sizes} differ in number")
        if given["attention"] and not given["lstm"]:
            raise ValueError("attention=True needs the LSTM, but lstm=False")


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def _are_counts(values: Any) -> bool:
    return len(values) >= 1 and all(map(_is_count, values))


# What each parameter must be for the fit to mean what it says.
_CONDITIONS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("cells", "squeeze_ratio", "epochs", "batch_size", "patience"), _is_count),
    **dict.fromkeys(("filters", "kernel_sizes"), _are_counts),
    "dropout": lambda v: 0 <= v < 1,
    "validation": lambda v: 0 <= v <= 0.5,
    "schedule": SCHEDULES.__contains__,
    "standardize": ("rank-normal", "z-score", "none").__contains__,
    "dtype": ("float32", "mixed_bfloat16").__contains__,
    "early_stopping": lambda v: v is None or _is_count(v),
    **dict.fromkeys(("max_seconds", "learning_rate"), lambda v: v is None or v > 0),
}
