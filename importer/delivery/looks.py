"""When a row in doubt is looked up: times after its request ended, later ones where this target was seen to be late.

Pure: knows no clock. One object serves all rows of a pass, since what one row taught holds for the next.
"""

from __future__ import annotations

from collections.abc import Sequence

LATER = 2.0
"""Looks end at so many times the latest arrival that was seen."""
LONGEST_S = 600.0
"""Nothing that was seen makes looks end later than this."""


class Looks:
    """The times of the looks, in seconds after the end of the request that left the doubt.

    Args:
        times_s: ascending; empty: never.

    Attributes:
        latest_s: how late a customer was seen to appear at most, in seconds; 0: none was late.
    """

    def __init__(self, times_s: Sequence[float]) -> None:
        self._times_s = tuple(times_s)
        self.latest_s = 0.0

    @property
    def times_s(self) -> tuple[float, ...]:
        """All of them, with the one that was added for late arrivals."""
        end_s = min(self.latest_s * LATER, LONGEST_S)
        if not self._times_s or end_s <= self._times_s[-1]:
            return self._times_s
        return (*self._times_s, end_s)

    def after(self, time_s: float) -> float | None:
        """The first one later than a time; None: that was the last."""
        return next((one for one in self.times_s if one > time_s), None)

    def arrived(self, after_s: float) -> None:
        """Learn that a customer was found so long after its request ended, and that an earlier look missed it."""
        self.latest_s = max(self.latest_s, after_s)
