"""Values that do not fit the unit in a channel's name, or those of the other trials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.datasets.folder.findings import Findings
from bench.datasets.folder.trials import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FACTOR = 100.0  # between the level of a trial and that of the others, from which on it is said


class Quantity(NamedTuple):
    """What a channel of some name can hold: the range of a trial's median, and what others look like."""

    name: re.Pattern[str]
    low: float
    high: float
    others: tuple[tuple[str, float, float], ...]


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# Of people; the first that fits a channel's name counts.
QUANTITIES = (
    Quantity(_named(r"\((deg ?|°) ?F\)"), 50, 115, (("degrees Celsius", 5, 45), ("kelvin", 278, 320))),
    Quantity(_named(r"\(K\)"), 278, 320, (("degrees Celsius", 5, 45), ("degrees Fahrenheit", 50, 115))),
    Quantity(
        _named(r"\((deg ?|°)? ?(C|Celsius)\)|^(skin.?)?temp[^(]*$"),
        5,
        45,
        (("degrees Fahrenheit", 50, 115), ("kelvin", 278, 320)),
    ),
    Quantity(_named(r"\((u|µ|μ|micro)S(iemens)?\)"), -1, 100, (("nS", 100, 5e4), ("ohm", 5e4, 1e9))),
    Quantity(_named(r"\((bpm|1/min|beats.*)\)"), 25, 230, (("Hz", 0.4, 4), ("milliseconds", 260, 2500))),
    Quantity(_named(r"^(IBI|RR|NN).*\(ms\)"), 250, 2500, (("seconds", 0.25, 2.5),)),
    Quantity(_named(r"^(IBI|RR|NN).*\(s\)"), 0.25, 2.5, (("milliseconds", 250, 2500),)),
    Quantity(_named(r"^SpO2.*\(%\)"), 50, 100, (("a share", 0.5, 1),)),
)


def check_units(
    rows: Sequence[Row],
    signals: Sequence[NDArray[np.float32]],
    channels: Sequence[str],
    findings: Findings,
) -> None:
    """Compare the median of each channel and trial with its unit, and its level with the other trials'."""
    medians = np.array([np.median(signal, axis=1) for signal in signals])
    levels = np.array([np.median(np.abs(signal), axis=1) for signal in signals])
    for number, channel in enumerate(channels):
        constant = np.array([bool((signal[number] == signal[number, 0]).all()) for signal in signals])
        for row in np.flatnonzero(constant):
            value = float(signals[row][number, 0])
            findings.notice(
                "channels that do not change", f"{rows[row].place}: {channel} is {value:.4g} throughout"
            )
        judged = _against_unit(rows, medians[:, number], channel, findings)
        if len(rows) > 2:
            _against_others(rows, levels[:, number], channel, findings, skip=judged | constant)


def _against_unit(
    rows: Sequence[Row], medians: NDArray[np.float32], channel: str, findings: Findings
) -> NDArray[np.bool_]:
    """Return in which trials the unit is in doubt."""
    quantity = next((one for one in QUANTITIES if one.name.search(channel)), None)
    if quantity is None:
        return np.zeros(len(medians), dtype=bool)
    outside = (medians < quantity.low) | (medians > quantity.high)
    if outside.sum() * 2 > len(medians):
        guess = _guess(quantity, float(np.median(medians[outside])))
        findings.notice(
            "units",
            f"{channel}: in {outside.sum()} of {len(medians)} trials the median is not within {quantity.low:g} to "
            f"{quantity.high:g}{guess and f'; is it {guess}?'}",
        )
        return outside
    usual = float(np.median(medians[~outside]))
    for row in np.flatnonzero(outside):
        value = float(medians[row])
        guess = _guess(quantity, value)
        line = f"{rows[row].place}: {channel} has the median {value:.4g}, the other trials {usual:.4g}"
        if guess:
            findings.fault("other units", f"{line}: it looks like {guess}")
        else:
            findings.notice("values outside the unit's range", line)
    return outside


def _guess(quantity: Quantity, value: float) -> str:
    return next((name for name, low, high in quantity.others if low <= value <= high), "")


def _against_others(
    rows: Sequence[Row],
    levels: NDArray[np.float32],
    channel: str,
    findings: Findings,
    skip: NDArray[np.bool_],
) -> None:
    usual = float(np.median(levels))
    if not usual > 0:
        return
    for row in np.flatnonzero(~skip):
        level = float(levels[row])
        ratio = max(level / usual, usual / level) if level > 0 else np.inf
        if ratio > _FACTOR:
            how = "more" if level > usual else "less"
            times = f"{ratio:.0f} times {how}" if np.isfinite(ratio) else "nothing"
            findings.notice(
                "levels far from the others'",
                f"{rows[row].place}: {channel} is {level:.3g} (median), {times} than in other trials: "
                "another unit, or a loose sensor?",
            )
