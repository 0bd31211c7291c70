"""What a channel measures, by its name."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["skin conductance", "pulse", "respiration", "temperature", ""]

# In this order: a respiratory inductance plethysmograph is a plethysmograph by name, and no pulse.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("respiration", re.compile(r"\b(resp\w*|rsp|breath\w*)\b", re.IGNORECASE)),
    ("skin conductance", re.compile(r"\b(eda|gsr|scl?|electrodermal|galvanic|skin)\b", re.IGNORECASE)),
    ("pulse", re.compile(r"\b(bvp|ppg|(photo)?plethysmo\w*|blood volume pulse)\b", re.IGNORECASE)),
    ("temperature", re.compile(r"\b(temp|temperature|skt)\b", re.IGNORECASE)),
)
_SKIN_TEMPERATURE = re.compile(r"\bskin temp", re.IGNORECASE)
_RESISTANCE = re.compile(r"ohm|Ω|resistance", re.IGNORECASE)


def kind_of(channel: str) -> Kind:
    """Return what a channel measures, from words of its name in either case.

    Parameters
    ----------
    channel : str
        As in the recordings, e.g. ``"EDA (uS)"``, ``"GSR (Ohm)"``, ``"BVP"``, ``"respiration (a.u.)"``.

    Returns
    -------
    str
        ``"skin conductance"`` (EDA, GSR, SC, SCL, skin, electrodermal, galvanic), ``"pulse"`` (BVP, PPG, plethysmograph),
        ``"respiration"`` (resp, RSP, breath), ``"temperature"`` (temp, SKT), or ``""`` for all others.
    """
    words = channel.replace("_", " ")
    if _SKIN_TEMPERATURE.search(words):
        return "temperature"
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "")


def is_resistance(channel: str) -> bool:
    """Whether a channel of skin conductance is its inverse, a resistance, by its name or unit."""
    return bool(_RESISTANCE.search(channel))
