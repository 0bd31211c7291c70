"""The parameters of `KerasClassifier`: read and set by name, as scikit-learn does it, and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np


@dataclass(kw_only=True, eq=False)
class Parameters:
    """What an estimator does with its parameters, which are the fields of its dataclass.

    Attributes
    ----------
    CONDITIONS : dict of str to callable
        What each parameter must be for the fit to mean what it says.
    """

    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; `deep` is there for scikit-learn and changes nothing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ValueError if there is none of that name."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(self.get_params())}"
                )
            setattr(self, name, value)
        return self

    def check_parameters(self) -> None:
        """Raise ValueError, with its name, if a parameter has a value that it cannot have."""
        given = self.get_params()
        wrong = next((name for name, holds in self.CONDITIONS.items() if not holds(given[name])), None)
        if wrong is not None:
            raise ValueError(f"{wrong}={given[wrong]!r} is no value that it can have")


def is_count(value: Any) -> bool:
    """Whether a parameter is a whole number above 0."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def are_counts(values: Any) -> bool:
    """Whether a parameter is a sequence of one or more whole numbers above 0."""
    return len(values) >= 1 and all(map(is_count, values))


def check_convolutions(filters: Sequence[int], kernel_sizes: Sequence[int]) -> None:
    """Raise ValueError unless there are as many numbers of filters as widths of kernels: one a convolution."""
    if len(filters) != len(kernel_sizes):
        raise ValueError(f"{filters=} and {kernel_sizes=} differ in number")
