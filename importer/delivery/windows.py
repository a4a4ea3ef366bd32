"""One limit as a sliding log: how many starts any rolling window has seen, and when the next one fits. Pure.

Compact: starts that fall into the same small piece of a window (a four-thousandth) share one entry and count
as if all had happened with the last of them. So a day's window costs kilobytes, stays strict, and gives away
less than a thousandth of the allowance.
"""

from __future__ import annotations

import math
from collections import deque

GUARD_S = 0.008
"""Added to every window: what travel times usually differ by, so that the server's window is strict too.

At one second it costs 0.8 % of the allowance; what differs by more is `underway`'s."""

_LOOK_AGAIN_S = 1.0
"""While all of the allowance is held for connections, nobody knows when the next start fits."""

_PIECES = 4_096
_UNITS = {1.0: "s", 60.0: "min", 3_600.0: "h", 86_400.0: "day"}


class Window:
    """At most `count` starts in any rolling window of `per_s` seconds.

    Attributes:
        largest: the most starts that any window has held so far.
    """

    def __init__(self, count: int, per_s: float) -> None:
        self.count = count
        self.per_s = per_s
        self.largest = 0
        self._span_s = per_s + GUARD_S
        self._grain_s = per_s / _PIECES
        self._times: deque[float] = deque()
        self._counts: deque[int] = deque()
        self._opened = 0.0
        self._total = 0
        self._held = 0

    @property
    def per_second(self) -> float:
        """The mean rate, starts per second."""
        return self.count / self.per_s

    @property
    def spare(self) -> float:
        """The share of the allowance that nobody uses."""
        return 1.0 - (self._total + self._held) / self.count

    @property
    def has_space(self) -> bool:
        """Whether one more start fits at once, even if none of those that are counted were over yet."""
        return self._total + self._held < self.count

    def ready_at(self, now: float, under_way_since: float = math.inf) -> float:
        """The earliest moment at which one more start may fit; any moment before `now` means at once.

        Args:
            under_way_since: when the first of those that are held left; what is held counts for a window from then on,
                or from later.
        """
        self._forget(now)
        surplus = self._total + self._held - self.count + 1
        if surplus <= 0:
            return 0.0
        first = min(now + _LOOK_AGAIN_S, under_way_since) + self._span_s
        for moment, count in zip(self._times, self._counts, strict=True):
            surplus -= count
            if surplus <= 0:
                return min(moment + self._span_s, first)
        return min(now + _LOOK_AGAIN_S, first)

    def hold(self) -> None:
        """Keep room for a start whose moment is not known yet."""
        self._held += 1

    def left(self, now: float, under_way: int) -> None:
        """One that was held leaves: it fits, since nobody was let into its place, and is held until it has arrived.

        Args:
            under_way: how many of those that are held have left, this one included.
        """
        self._forget(now)
        self.largest = max(self.largest, self._total + under_way)

    def settle(self, moment: float) -> None:
        """One that was held has arrived, at this moment at the latest."""
        self._held -= 1
        self.preload(moment, 1)

    def give_back(self) -> None:
        """One that was held will not start."""
        self._held -= 1

    def add(self, moment: float) -> None:
        """Note a start that arrives at once."""
        self._forget(moment)
        self.preload(moment, 1)
        self.largest = max(self.largest, self._total)

    def preload(self, moment: float, count: int) -> None:
        """Count starts; any order will do."""
        times, counts, place = self._times, self._counts, self._place_of(moment)
        if place < len(times) and times[place] - moment < self._grain_s:
            counts[place] += count
        elif times and place == len(times) and moment - self._opened < self._grain_s:
            times[-1] = moment
            counts[-1] += count
        else:
            if place == len(times):
                self._opened = moment
            times.insert(place, moment)
            counts.insert(place, count)
        self._total += count

    def _place_of(self, moment: float) -> int:
        """Where the first entry at or after a moment stands: near the end, nearly always."""
        place = len(self._times)
        while place and self._times[place - 1] >= moment:
            place -= 1
        return place

    def _forget(self, now: float) -> None:
        times = self._times
        while times and times[0] + self._span_s <= now:
            times.popleft()
            self._total -= self._counts.popleft()

    def __str__(self) -> str:
        return f"{self.count}/{_UNITS.get(self.per_s) or f'{self.per_s:g}s'}"

    def __repr__(self) -> str:
        return f"<Window {self}, {self._total} in {len(self._times)} entries>"
