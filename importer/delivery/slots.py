"""A slot between its reservation and the departure of its request. Never waits.

A request does not leave when its slot is ours: its connection may have to be made first. Counted from the
reservation, many that were held up together would leave together, above the limit where it is measured, at
the server. So a slot is held first and counted from the moment at which the first byte leaves.
"""

from __future__ import annotations

from typing import Protocol


class Holder(Protocol):
    """Who gave the slot (`StrictLimiter`)."""

    def departed(self) -> None:
        """One held slot is used now."""
        ...

    def given_back(self) -> None:
        """One held slot will not be used."""
        ...


class HeldSlot:
    """One start, held until it is used or given back. Implements `ports.Slot`."""

    __slots__ = ("_holder",)

    def __init__(self, holder: Holder) -> None:
        self._holder: Holder | None = holder

    def depart(self) -> None:
        """Count the start from now on."""
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.departed()

    def give_back(self) -> None:
        """Leave the slot to others."""
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.given_back()

    def __repr__(self) -> str:
        return f"<HeldSlot {'used' if self._holder is None else 'held'}>"
