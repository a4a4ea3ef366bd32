"""One limit as a sliding log: how many starts any rolling window has seen, and when the next one fits. Pure.

Compact: starts that fall into the same small piece of a window (a four-thousandth) share one entry and count
as if all had happened with the last of them. So a day's window costs kilobytes, stays strict, and gives away
less than a thousandth of the allowance.
"""

from __future__ import annotations

from collections import deque

GUARD_S = 0.012
"""Added to every window: what travel times may differ by, so that the server's window is strict too.

At one second it costs 1.2 % of the allowance."""

_LOOK_AGAIN_S = 1.0
"""While all of the allowance is held, nobody knows when the next start fits."""

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

    def ready_at(self, now: float) -> float:
        """The earliest moment at which one more start fits; any moment before `now` means at once.

        What is held may leave at any moment, and counts for a whole window from then on.
        """
        self._forget(now)
        surplus = self._total + self._held - self.count + 1
        if surplus <= 0:
            return 0.0
        for moment, count in zip(self._times, self._counts, strict=True):
            surplus -= count
            if surplus <= 0:
                return moment + self._span_s
        return now + min(self._span_s, _LOOK_AGAIN_S)

    def hold(self) -> None:
        """Keep room for a start whose moment is not known yet."""
        self._held += 1

    def depart(self, moment: float) -> None:
        """One that was held starts: it fits, since nobody was let into its place."""
        self._held -= 1
        self.add(moment)

    def give_back(self) -> None:
        """One that was held will not start."""
        self._held -= 1

    def add(self, moment: float) -> None:
        """Note a start; a moment before the last one counts as that."""
        self._forget(moment)
        self.preload(moment, 1)
        self.largest = max(self.largest, self._total)

    def preload(self, moment: float, count: int) -> None:
        """Count starts that were not made here."""
        if self._times and moment - self._opened < self._grain_s:
            self._times[-1] = max(moment, self._times[-1])
            self._counts[-1] += count
        else:
            self._opened = moment
            self._times.append(moment)
            self._counts.append(count)
        self._total += count

    def _forget(self, now: float) -> None:
        times = self._times
        while times and times[0] + self._span_s <= now:
            times.popleft()
            self._total -= self._counts.popleft()

    def __str__(self) -> str:
        return f"{self.count}/{_UNITS.get(self.per_s) or f'{self.per_s:g}s'}"

    def __repr__(self) -> str:
        return f"<Window {self}, {self._total} in {len(self._times)} entries>"
