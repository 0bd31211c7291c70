"""`Suite`: a study, checked, and what a profile makes of it. `bench.study.suite_files` reads one."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bench.data.scaling import Scaling
from bench.data.windows import Target, Windowing
from bench.errors import SuiteError, nearest

Profile = Literal["smoke", "quick", "full"]
Derived = Literal["hrv"]
PROFILES: tuple[Profile, ...] = ("smoke", "quick", "full")


def profile_of(text: str) -> Profile:
    """Return the profile of that name; SuiteError, with the nearest name, if there is none."""
    for name in PROFILES:
        if name == text:
            return name
    raise SuiteError(f"--profile {text}: unknown{nearest(text, PROFILES)}")


def parse_subjects(text: str) -> list[int]:
    """Read subjects as typed: ``"1-4,7"`` is 1, 2, 3, 4, 7."""
    subjects: set[int] = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise SuiteError(f"subjects {text!r}: {part!r} is neither a number nor a range such as 1-4")
        subjects.update(range(int(first), int(last or first) + 1))
    if not subjects:
        raise SuiteError("subjects: none is named")
    return sorted(subjects)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thinning(_Strict):
    """What one profile changes; a key that is absent changes nothing."""

    seeds: int | None = Field(None, ge=1)
    subjects: str | None = None
    windows_per_trial: int | None = Field(None, ge=1)
    sampling_rate: float | None = Field(None, gt=0, allow_inf_nan=False)
    estimators: Annotated[list[str], Field(min_length=1)] | None = None
    protocols: Annotated[list[str], Field(min_length=1)] | None = None
    parameters: dict[str, dict[str, Any]] = {}

    @field_validator("subjects")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_subjects(value)
            except SuiteError as error:
                raise ValueError(str(error)) from None
        return value


class Change(_Strict):
    """What one ablation changes; a key that is absent changes nothing.

    `target` and `windows` hold single keys of these tables; windows of another length are thinned to the same
    seconds of a trial. `without` and `only` name a channel, and `derived` adds channels computed from others.
    `compared_with` names the row that this one is compared with, where it changes one thing of that and
    not of the reference.
    """

    estimator: str | None = None
    target: dict[str, Any] = {}
    windows: dict[str, Any] = {}
    scaling: Scaling | None = None
    without: str | None = None
    only: str | None = None
    derived: list[Derived] | None = None
    compared_with: str | None = None


class Ablations(_Strict):
    """Rows that each change something of a reference: an estimator under a protocol.

    ``each_channel`` adds two rows a channel: left out, and alone. ``sampling_rates`` (Hz) makes a table of its own,
    with a row for every estimator of the suite at each of them, compared with the highest.
    """

    estimator: str
    protocol: str = "subject-stratified"
    each_channel: bool = False
    sampling_rates: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] = []
    rows: dict[str, Change] = {}

    @field_validator("rows")
    @classmethod
    def _names_of_folders(cls, value: dict[str, Change]) -> dict[str, Change]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 .,+-]*", name):
                raise ValueError(f"{name!r}: a row's name is of letters, digits, spaces and . , + -")
            other = value[name].compared_with
            if other is not None and (other not in value or other == name):
                raise ValueError(f"{name!r} is compared with {other!r}, which is no other row")
        return value


class Published(_Strict):
    """A figure of published work, to stand beside ours.

    `variant` says of which problem the figure is, where the data set has several; ``""`` stands for all.
    `protocols` are those under which it may have been made; `recall` is by class, in their order. `source`
    says where the figure can be read: author and year, a number of arXiv or a DOI, or repository and file.
    """

    variant: str = ""
    estimator: str
    protocols: Annotated[list[str], Field(min_length=1)]
    oversampled: bool = False
    epochs: int | None = None
    accuracy: float = Field(ge=0, le=1)
    recall: list[float] = []
    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

    @field_validator("variant")
    @classmethod
    def _name_of_a_problem(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError("the name of a problem is of letters, digits, '.', '_' and '-'")
        return value

    @field_validator("recall")
    @classmethod
    def _of_one_data_set(cls, value: list[float], info: ValidationInfo) -> list[float]:
        if value and info.data.get("variant"):
            raise ValueError("recall by class is compared where there is one data set, so not with 'variant'")
        return value


class Folder(_Strict):
    """A data set that is a folder of recordings: seen from the suite's file, ``dataset = {folder = "DIR"}``."""

    folder: Annotated[str, StringConstraints(min_length=1)]


class Suite(_Strict):
    """One study: data set, target, windows, scaling, protocols, estimators and seeds.

    ``dataset`` is the spec of a data set, or a `Folder`, whose path is absolute once a file has been read.

    ``seeds = 5`` stands for seeds 0 to 4: each gives a split and the estimators' random state.
    ``parameters`` sets parameters of an estimator by its name for all its specs; what a spec says in
    brackets goes before them, and a profile's before the suite's. ``channels`` are named with or
    without their units; ``derived`` adds channels computed from the others. ``unknown`` holds sentences on
    what is not known of the published work, for the reader of its figures beside ours.
    """

    name: str
    title: str
    dataset: str | Folder
    target: Target
    windows: Windowing = Windowing()
    scaling: Scaling = "min-max"
    channels: Annotated[list[str], Field(min_length=1)] | None = None
    derived: list[Derived] = []
    protocols: list[str] = Field(min_length=1)
    estimators: list[str] = Field(min_length=1)
    seeds: int = Field(1, ge=1)
    subjects: str | None = None
    parameters: dict[str, dict[str, Any]] = {}
    profiles: dict[Profile, Thinning] = {}
    ablations: Ablations | None = None
    published: list[Published] = []
    unknown: list[str] = []

    @field_validator("dataset", mode="before")
    @classmethod
    def _named_or_a_folder(cls, value: Any) -> Any:
        if isinstance(value, str | Folder):
            return value
        if isinstance(value, dict):
            for key in value:
                if key not in Folder.model_fields:
                    raise ValueError(f"its key '{key}' is unknown{nearest(key, Folder.model_fields)}")
            if isinstance(value.get("folder"), str) and value["folder"]:
                return Folder(**value)
        raise ValueError('has to be the name of a data set, or { folder = "DIR" }')

    @model_validator(mode="after")
    def _ablations_fit(self) -> Suite:
        for name, change in self.ablations.rows.items() if self.ablations else ():
            for table in ("target", "windows"):
                base = getattr(self, table)
                try:
                    base.model_validate({**base.model_dump(), **getattr(change, table)})
                except ValidationError as error:
                    fault = error.errors()[0]
                    place = ("ablations", "rows", name, table, *fault["loc"])
                    # The fault goes along, so that whoever reads a file can say which key of it is wrong.
                    raise PydanticCustomError(
                        "ablation_row",
                        "{key}: {message}",
                        {
                            "key": ".".join(map(str, place)),
                            "message": fault["msg"],
                            "fault": {**fault, "loc": place},
                        },
                    ) from None
        return self

    def thinned(self, profile: Profile) -> Suite:
        """Return the suite as the profile runs it."""
        thinning = self.profiles.get(profile, Thinning())
        changes: dict[str, Any] = thinning.model_dump(
            exclude_none=True, exclude={"windows_per_trial", "sampling_rate", "parameters"}
        )
        thinner = {"per_trial": thinning.windows_per_trial, "sampling_rate": thinning.sampling_rate}
        changes["windows"] = self.windows.model_copy(
            update={key: value for key, value in thinner.items() if value is not None}
        )
        names = [*self.parameters, *(n for n in thinning.parameters if n not in self.parameters)]
        changes["parameters"] = {
            name: {**self.parameters.get(name, {}), **thinning.parameters.get(name, {})} for name in names
        }
        return self.model_copy(update=changes)

    def changes_from(self, original: Suite) -> list[str]:
        """Say in words, a line each, where this suite is another than `original`."""
        pairs = [
            (key.replace("_", " "), getattr(self, key), getattr(original, key))
            for key in ("subjects", "protocols", "estimators", "seeds")
        ]
        pairs.append(("consecutive windows per trial", self.windows.per_trial, original.windows.per_trial))
        rates = [suite.windows.sampling_rate for suite in (self, original)]
        new, old = ("as recorded" if rate is None else f"{rate:g} Hz" for rate in rates)
        pairs.append(("sampling rate", new, old))
        for name, parameters in self.parameters.items():
            before = original.parameters.get(name, {})
            pairs += [
                (f"{name} {key}", value, before.get(key, "default")) for key, value in parameters.items()
            ]
        return [f"{key}: {_show(new)} (suite: {_show(old)})" for key, new, old in pairs if new != old]


def _show(value: Any) -> str:
    return "all" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
