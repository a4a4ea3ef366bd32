"""A sliding window log: how many requests any rolling window has seen, and when one more fits. Pure."""

from __future__ import annotations

import math
from bisect import insort

GUARD_S = 0.008
"""Added to every window: by so much the way to the server may always differ. It costs 0.8 % of a rate per second."""

_PIECES = 4_096
_LOOK_AGAIN_S = 1.0
_UNITS = {1.0: ("s", "second"), 60.0: ("min", "minute"), 3_600.0: ("h", "hour"), 86_400.0: ("day", "day")}


class Window:
    """At most `count` requests in any rolling window of `per_s` seconds.

    The count may be changed; what the window holds already stays in it.
    Requests are counted in pieces of the window, each as if it came at the end of its piece: a long window is kept
    in a few thousand counts, stays strict, and gives away less than a thousandth. `largest` is the most that any
    window has held.
    """

    def __init__(self, count: int, per_s: float) -> None:
        self.limit = self.count = count
        self.per_s, self.largest = per_s, 0
        self._piece_s = per_s / _PIECES
        self._pieces: dict[int, int] = {}
        self._order: list[int] = []
        self._total = 0

    def ready_at(self, now: float, reserved: int = 0) -> float:
        """The earliest moment at which one more request fits; 0: at once.

        Args:
            reserved: requests with a slot that leave at an unknown time; where they fill the window, look again soon.
        """
        self._forget(now)
        surplus = self._total + reserved - self.count + 1
        if surplus > self._total:
            return now + _LOOK_AGAIN_S
        return self._leaves_at(self._piece_of(surplus)) if surplus > 0 else 0.0

    def _piece_of(self, place: int) -> int:
        """The piece that holds the request of this place; the oldest request has 1."""
        piece = self._order[0]
        for piece in self._order:
            place -= self._pieces[piece]
            if place <= 0:
                break
        return piece

    def held(self, now: float) -> int:
        """How many requests the window holds."""
        self._forget(now)
        return self._total

    def unused(self, reserved: int) -> float:
        """The share of the window that no request uses or has reserved."""
        return 1.0 - (self._total + reserved) / self.count if self.count else 0.0

    def add(self, now: float) -> None:
        """Count a request that leaves now."""
        self._forget(now)
        self.preload(now, 1)
        self.largest = max(self.largest, self._total)

    def preload(self, moment: float, count: int) -> None:
        """Count requests of any moment, in any order."""
        piece = math.ceil(moment / self._piece_s)
        if piece not in self._pieces:
            insort(self._order, piece)
        self._pieces[piece] = self._pieces.get(piece, 0) + count
        self._total += count

    def move(self, moment: float, later: float) -> None:
        """Count a request later than it was counted."""
        self.preload(later, 1)
        self.preload(moment, -1)

    def _leaves_at(self, piece: int) -> float:
        return piece * self._piece_s + self.per_s + GUARD_S

    def _forget(self, now: float) -> None:
        while self._order and self._leaves_at(self._order[0]) <= now:
            self._total -= self._pieces.pop(self._order.pop(0))

    @property
    def length(self) -> str:
        """The length of the window in words."""
        return _UNITS[self.per_s][1] if self.per_s in _UNITS else f"{self.per_s:g} s"

    def __str__(self) -> str:
        return f"{self.limit}/{_UNITS[self.per_s][0] if self.per_s in _UNITS else f'{self.per_s:g}s'}"
