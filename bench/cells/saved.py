"""Models kept for live use: ``model.keras``, as its estimator saves itself, and beside it ``model.json``."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from bench.cells.quiet import import_quietly
from bench.data.scaling import FittedScaling
from bench.data.windows import Target
from bench.errors import DataError
from bench.registry import Plugin, get

MODEL, ABOUT = "model.keras", "model.json"
FORMAT = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSet(_Strict):
    """The recordings that a model was trained on: their name, and the plugin that loads them."""

    name: str
    plugin: str
    parameters: dict[str, Any]
    simulated: bool
    credit: str


class About(_Strict):
    """What live use of a model needs beside the model: the content of ``model.json``.

    Attributes
    ----------
    plugin, estimator : str
        The estimator's registered name, which finds the class that loads the model, and its spec.
    channels : list of str
        With their units, in the order of the windows.
    sampling_rate : float
        Samples a second of the windows.
    recorded_rate : float or None
        Samples a second of the recordings, where the windows were cut from resampled ones.
    window_samples, hop_samples : int
        Length of a window, and from one start to the next.
    baseline : bool
        Whether windows were cut from the part before the stimulus too.
    whole : bool
        Whether each trial was one window; shorter ones are filled up at the end.
    verdict : str
        Of the audit of the split under `protocol` that the model was trained on.
    scaling : FittedScaling
        As fitted on that split.
    trained_on : dict of int to list of int
        By subject, the trials with windows on the training side.
    """

    format: Literal[1] = 1
    plugin: str
    estimator: str
    data: DataSet
    target: Target
    classes: Annotated[list[str], Field(min_length=2)]
    channels: Annotated[list[str], Field(min_length=1)]
    sampling_rate: float = Field(gt=0, allow_inf_nan=False)
    recorded_rate: float | None = Field(None, gt=0, allow_inf_nan=False)
    window_samples: int = Field(ge=1)
    hop_samples: int = Field(ge=1)
    baseline: bool
    whole: bool
    protocol: str
    seed: int
    fold: int | None
    verdict: str
    scaling: FittedScaling
    trained_on: dict[int, list[int]]

    @model_validator(mode="after")
    def _scaling_is_of_the_channels(self) -> About:
        if not self.scaling.lengths() <= {len(self.channels)}:
            raise ValueError(f"scaling has values of other than {len(self.channels)} channels")
        return self

    @model_validator(mode="after")
    def _rate_is_lower_than_recorded(self) -> About:
        if self.recorded_rate is not None and self.recorded_rate <= self.sampling_rate:
            raise ValueError(f"recorded_rate is not above the sampling_rate of {self.sampling_rate:g}")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A model without resampling is described as it always was: files of older models hold the same.
        content: dict[str, Any] = dump(self)
        if self.recorded_rate is None:
            content.pop("recorded_rate", None)
        return content


def keeps_models(plugin: Plugin) -> bool:
    """Return whether an estimator can be kept: a class with ``save(path, about)`` and ``load(path)``.

    The name ``about`` tells such a method from the ``save`` that other libraries give their classes.
    """
    save, load = (getattr(plugin.factory, name, None) for name in ("save", "load"))
    return callable(load) and callable(save) and "about" in inspect.signature(save).parameters


def has_model(folder: Path) -> bool:
    """Return whether a cell's folder holds a model that was kept."""
    return (folder / MODEL).is_file() and (folder / ABOUT).is_file()


def save_model(folder: Path, estimator: Any, about: dict[str, Any]) -> None:
    """Write both files; what the estimator's ``save`` raises is raised."""
    estimator.save(folder / MODEL, about)
    (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")


def read_about(path: Path) -> tuple[About, Path]:
    """Return what is known of a kept model, and the model's file.

    Parameters
    ----------
    path : Path
        A cell's folder, or the model's file with ``model.json`` beside it.

    Raises
    ------
    DataError
        If there is no such model, or ``model.json`` is missing, damaged or of something else.
    """
    model = path / MODEL if path.is_dir() else path
    if not model.is_file():
        what = f"no {MODEL} in this folder" if path.is_dir() else "no such file"
        raise DataError(f"{path}: {what}; python -m bench run ... --save-models keeps models")
    file = model.with_name(ABOUT)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{model}: no {ABOUT} beside it, which says what the model takes and how that is scaled; "
            "python -m bench run ... --save-models writes both"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: damaged: {error}") from None
    if not isinstance(content, dict) or "format" not in content:
        raise DataError(f"{file}: not written by python -m bench run ... --save-models")
    if content["format"] != FORMAT:
        raise DataError(f"{file}: has format {content['format']!r}; this program reads format {FORMAT}")
    try:
        return About.model_validate(content), model
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise DataError(f"{file}: damaged: {f'{key}: ' if key else ''}{fault['msg']}") from None


def load_estimator(about: About, model: Path) -> Any:
    """Return the estimator in a model's file, ready to predict.

    Raises
    ------
    DataError
        If the file is damaged, of something else, or of another ``model.json``.
    PluginError
        If the estimator is not registered, or lacks a package.
    """
    plugin = get("estimator", about.plugin)
    if not keeps_models(plugin):
        raise DataError(f"{model}: estimator '{about.plugin}' has no load(path)")
    import_quietly(plugin.requires)
    kind: Any = plugin.factory
    try:
        estimator = kind.load(model)
    except Exception as error:  # a damaged file makes a plugin raise anything
        raise DataError(str(error) if str(model) in str(error) else f"{model}: {error!r}") from error
    # An estimator that gives back what it was saved with shows whether the two files belong together.
    if getattr(estimator, "about_", None) not in (None, about.model_dump(mode="json")):
        raise DataError(f"{model}: the {ABOUT} beside it is of another model, or was changed")
    strange = sorted({str(label) for label in estimator.classes_} - set(about.classes))
    if strange:
        raise DataError(f"{model}: predicts {strange[0]!r}, which {ABOUT} does not know")
    return estimator
