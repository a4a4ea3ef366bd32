"""Which requests fail, and how: a given share of every kind of request, by a seed. Decides only."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

CUT_AFTER, CUT_BEFORE, FAILS_AFTER, OFFLINE, BUSY, BUSY_UNTIL, EXPIRED = FAULTS = (
    "cut-after-commit",
    "cut-before-commit",
    "500-after-commit",
    "503",
    "429",
    "429-retry-after",
    "token-expiry",
)
_WEIGHTS = (2.0, 1.5, 2.0, 1.5, 1.0, 0.1, 0.4)
"""A `Retry-After` is whole seconds, and an expired token is everybody's: both are rare, or tests get slow."""


class FaultPlan:
    """The faults of one server.

    Args:
        share: of the requests of every kind that fail, 0 to 1.
        seed: the same seed gives the same fates to the same numbers of requests of each kind.

    Attributes:
        met: how many requests of each kind met which fault.
    """

    def __init__(self, share: float, seed: int) -> None:
        self.met: dict[str, Counter[str]] = defaultdict(Counter)
        self._share = share
        self._seed = seed
        self._dice: dict[str, random.Random] = {}

    def fate(self, kind: str) -> str:
        """Decide the next request of a kind; empty: nothing happens to it."""
        dice = self._dice.setdefault(kind, random.Random(f"{self._seed} {kind}"))
        roll, fault = dice.random(), dice.choices(FAULTS, _WEIGHTS)[0]
        if roll >= self._share:
            return ""
        if fault == EXPIRED and kind in {"token", "upload"}:
            fault = OFFLINE  # no token is asked for there
        self.met[kind][fault] += 1
        return fault
