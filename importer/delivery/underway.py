"""Requests between their slot and their answer, and when they count as arrived. Never waits.

Three moments matter. A slot is reserved; its request leaves, once it has a connection; it arrives, some time
before its answer is here. A server counts arrivals. Counted by reservations, many that waited for connections
together would be too many; counted by departures, many that a busy machine or network held up on the way would.

So a slot is held until its answer, and then counts from its departure, plus the time by which its answer came
later than the quickest ones: it arrived by then, whatever held it up. Where answers differ for other reasons
that would cost much of the rate, so there is a budget for it; what of the rate is unused anyway adds to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from importer.delivery.windows import Window

_BUDGET_S = 0.006
"""By how much requests may count later than they left, on average: 0.6 % of a rate per second."""

_USUALLY_UNUSED = 0.03
"""A share of the rate that stays unused in good weather, too: it adds nothing to the budget."""

_SAVED_S = 3.0
"""So many seconds' worth of the budget can be saved up for bad moments."""

_LONGEST_WAIT_S = 1.0
"""Slots are held for an answer no longer than this; until then it costs nothing, as a window is no shorter."""

_FORGETTING = 1.01
"""By this factor a request the quickest answer is forgotten: the way may have become longer."""


class Holder(Protocol):
    """Who gave the slot (`StrictLimiter`)."""

    def departed(self, slot: HeldSlot) -> None:
        """A held slot is used now."""
        ...

    def answered(self, slot: HeldSlot) -> None:
        """The answer to its request begins to come in, or will not come."""
        ...

    def given_back(self) -> None:
        """A held slot will not be used."""
        ...


class HeldSlot:
    """One start, held until it is used or given back. Implements `ports.Slot`.

    Attributes:
        left_s: when its request left, monotonic seconds; infinite before that.
    """

    __slots__ = ("_holder", "left_s")

    def __init__(self, holder: Holder) -> None:
        self._holder: Holder | None = holder
        self.left_s = math.inf

    def depart(self) -> None:
        """Its request leaves now."""
        if self._holder is not None and self.left_s == math.inf:
            self._holder.departed(self)

    def answered(self) -> None:
        """Its answer begins to come in."""
        if self._holder is None:
            return
        self.depart()
        holder, self._holder = self._holder, None
        holder.answered(self)

    def give_back(self) -> None:
        """Leave the slot to others."""
        if self._holder is not None and self.left_s == math.inf:
            holder, self._holder = self._holder, None
            holder.given_back()

    def __repr__(self) -> str:
        return f"<HeldSlot {'done' if self._holder is None else 'held'}>"


class UnderWay:
    """The requests that have left and are not answered yet.

    Args:
        windows: what they are held in; the shortest first.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._slots: dict[HeldSlot, None] = {}
        self._quickest_s: float | None = None
        self._shortest = windows[0]
        self._most_s = self._budget_s = _BUDGET_S * max(1.0, self._shortest.per_second * _SAVED_S)
        self._longest_s = min(_LONGEST_WAIT_S, self._shortest.per_s)

    @property
    def since(self) -> float:
        """When the first of them left, monotonic seconds; infinite when there is none."""
        return next(iter(self._slots)).left_s if self._slots else math.inf

    def left(self, slot: HeldSlot, now: float) -> None:
        """Follow one more."""
        slot.left_s = now
        self._slots[slot] = None
        if self._budget_s < self._most_s:
            unused_s = max(0.0, self._shortest.spare - _USUALLY_UNUSED) * self._shortest.per_s
            self._budget_s = min(self._budget_s + _BUDGET_S + unused_s, self._most_s)
        for window in self._windows:
            window.left(now, len(self._slots))

    def answered(self, slot: HeldSlot, now: float) -> None:
        """Count it, from when it arrived at the latest; harmless when it was counted before."""
        took_s = now - slot.left_s
        if slot in self._slots:
            self._count(slot, took_s)
        quickest_s = self._quickest_s
        self._quickest_s = took_s if quickest_s is None else min(took_s, quickest_s * _FORGETTING)

    def count_overdue(self, now: float) -> None:
        """Count what has waited for its answer longer than a slot is held."""
        while now - self.since >= self._longest_s:
            slot = next(iter(self._slots))
            self._count(slot, now - slot.left_s)

    def _count(self, slot: HeldSlot, age_s: float) -> None:
        del self._slots[slot]
        late_s = min(max(0.0, age_s - (self._quickest_s or 0.0)), self._budget_s)
        self._budget_s -= late_s
        for window in self._windows:
            window.settle(slot.left_s + late_s)
