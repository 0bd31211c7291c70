"""What is wrong with a folder, or worth knowing of it: a plain line each, and not a hundred of one kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bench.errors import DataError

_MOST = 4  # lines of one kind


@dataclass
class Findings:
    """Collects faults, which end the reading, and notices, which do not."""

    faults: list[tuple[str, str]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, kind: str, line: str) -> None:
        """Add what somebody has to mend; `kind` says in two or three words what it is."""
        self.faults.append((kind, line))

    def notice(self, kind: str, line: str) -> None:
        """Add what somebody should know."""
        self.notices.append((kind, line))

    def stop(self) -> None:
        """Raise DataError with a line a fault, if there are any."""
        if self.faults:
            raise DataError("\n".join(_shortened(self.faults)))

    def lines(self) -> list[str]:
        """Return a line a notice, in their order."""
        return _shortened(self.notices)


def _shortened(found: list[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    seen: Counter[str] = Counter()
    for kind, line in found:
        seen[kind] += 1
        if seen[kind] <= _MOST:
            lines.append(line)
    return [*lines, *(f"and {n - _MOST} more: {kind}" for kind, n in seen.items() if n > _MOST)]
