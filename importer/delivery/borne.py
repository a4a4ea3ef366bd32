"""How much a target has borne: the fastest pace that it kept up over some length of time. Pure.

Answers are counted in pieces of a second. When there are too many pieces, neighbours become one: a run of days
takes no more memory than one of an hour, and what is asked about long spans stays as good.
"""

from __future__ import annotations

_PIECE_S = 1.0
_PIECES = 4_096


class Borne:
    """The answers of a run that did not ask for less, by when they came."""

    def __init__(self) -> None:
        self._piece_s = _PIECE_S
        self._begins: list[float] = []
        self._counts: list[int] = []
        self._last = 0.0

    def add(self, now: float) -> None:
        """Count one answer that comes now, monotonic seconds."""
        self._last = now
        if self._begins and now - self._begins[-1] < self._piece_s:
            self._counts[-1] += 1
            return
        self._begins.append(now)
        self._counts.append(1)
        if len(self._begins) > _PIECES:
            self._merge()

    def per_s(self, over_s: float) -> float:
        """The highest mean of any span of at least `over_s` seconds; of the whole time, where that is shorter."""
        if not self._begins:
            return 0.0
        ends = [*self._begins[1:], max(self._last, self._begins[-1] + self._piece_s)]
        best, first, held = 0.0, 0, 0
        for place, end in enumerate(ends):
            held += self._counts[place]
            while first <= place and end - self._begins[first] >= over_s:
                best = max(best, held / (end - self._begins[first]))
                held -= self._counts[first]
                first += 1
        return best or held / max(over_s, self._last - self._begins[0])

    def _merge(self) -> None:
        self._piece_s *= 2.0
        counts = [*self._counts, 0] if len(self._counts) % 2 else self._counts
        self._counts = [counts[place] + counts[place + 1] for place in range(0, len(counts), 2)]
        self._begins = self._begins[::2]
