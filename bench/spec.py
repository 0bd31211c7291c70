"""Specs: ``name``, ``name[parameter=value,...]``, ``name[parameter=one|other]``, ``name[...]+resampler``, as typed and as in suites."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.errors import SuiteError, nearest
from bench.registry import Plugin

_SPEC = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)(\[(?P<parameters>[^\[\]]*)\])?(\+(?P<resampler>[a-z][a-z0-9-]*))?"
)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]*")


class Choice(tuple[Any, ...]):
    """Values of a parameter among which training decides: ``8|64|128``."""

    def __str__(self) -> str:
        return "|".join(map(_show, self))


@dataclass(frozen=True)
class Spec:
    """A plugin's name, the parameters set for it, and a resampler's name or ``""``."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    resampler: str = ""

    def __str__(self) -> str:
        inside = ",".join(f"{key}={_show(value)}" for key, value in self.parameters.items())
        return (
            self.name + (f"[{inside}]" if inside else "") + (f"+{self.resampler}" if self.resampler else "")
        )


def parse_spec(text: str) -> Spec:
    """Read one spec.

    Values are TOML values (``8``, ``0.5``, ``true``, ``"text"``); a bare word is a string, and several with ``|`` between
    them are a `Choice`.

    Raises
    ------
    SuiteError
        If the text has another form.
    """
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        raise SuiteError(f"{text!r} is not of the form name, name[parameter=value] or name+resampler")
    parameters: dict[str, Any] = {}
    for item in filter(None, (match["parameters"] or "").split(",")):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not key.isidentifier() or key in parameters:
            raise SuiteError(f"{text!r}: {item.strip()!r} is not of the form parameter=value, each once")
        values = [_value(one.strip(), text) for one in value.split("|")]
        if len(set(map(_show, values))) < len(values):
            raise SuiteError(f"{text!r}: {value!r} offers a value twice")
        parameters[key] = Choice(values) if len(values) > 1 else values[0]
    return Spec(match["name"], parameters, match["resampler"] or "")


def split_specs(text: str) -> list[str]:
    """Split a comma-separated list of specs; commas in brackets separate parameters."""
    return [part for part in (p.strip() for p in re.split(r",(?![^\[]*\])", text)) if part]


def check_parameters(plugin: Plugin, names: Iterable[str], reserved: Iterable[str], where: str) -> None:
    """Refuse a parameter that the plugin's function does not have, naming the nearest that it has."""
    known = plugin.parameters(reserved)
    for name in names:
        if name not in known:
            has = nearest(name, known) if known else f"; {plugin.name} has no parameters"
            raise SuiteError(f"{where}: {plugin.kind} '{plugin.name}' has no parameter '{name}'{has}")


def _value(text: str, spec: str) -> Any:
    if _PLAIN.fullmatch(text) and text not in ("true", "false", "inf", "nan"):
        return text
    try:
        value = tomllib.loads(f"value = {text}\n")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        raise SuiteError(f"{spec!r}: {text!r} is not a number, true, false or a word") from None
    # The spec names a folder: a string may hold nothing that a path could make more of.
    if not isinstance(value, bool | int | float) and not (isinstance(value, str) and _PLAIN.fullmatch(value)):
        raise SuiteError(f"{spec!r}: {text!r} is not a number, true, false or a word")
    return value


def _show(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
