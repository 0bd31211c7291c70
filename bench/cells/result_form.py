"""The form of a cell's result, as far as tables rely on it: checked where a result comes from somebody else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_Count = Annotated[int, Field(ge=0)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Cell(_Form):
    variant: str
    protocol: Annotated[str, Field(min_length=1)]
    estimator: Annotated[str, Field(min_length=1)]
    parameters: dict[str, Any]
    seed: _Count
    fold: _Count | None
    ablation: str = ""


class _Suite(_Form):
    name: str
    title: str
    target: str
    dataset: str
    simulated: bool
    credit: str
    classes: Annotated[list[str], Field(min_length=1)]
    channels: list[str]
    n_windows: _Count
    n_subjects: _Count
    profile: Literal["smoke", "quick", "full"]
    changes: list[str]


class _Audit(_Form):
    verdict: str


class _Identity(_Form):
    setting: dict[str, Any]
    row: dict[str, Any]
    split: str


class _Hardware(_Form):
    processor: str
    cores: _Count
    system: str


class _Result(_Form):
    status: str
    reason: str
    cell: _Cell
    prepare_seconds: float
    fit_seconds: float
    predict_seconds: float
    peak_memory_mb: float
    n_train: _Count
    n_test: _Count
    warnings: list[str]
    audit: _Audit
    suite: _Suite
    identity: _Identity
    versions: dict[str, str]
    hardware: _Hardware
    written: str


def check_form(result: Any) -> None:
    """Raise ValueError, naming the first key that is not as `bench.cells.job` writes it."""
    try:
        _Result.model_validate(result)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
