"""How long to wait before another try: exponential, capped, with full jitter.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random


class Backoff:
    """Draws the pauses between tries.

    Args:
        base_s: upper bound of the first pause, in seconds.
        cap_s: no pause is longer, in seconds.
        rng: randomness, passed in so that a run can be replayed.
    """

    def __init__(self, base_s: float, cap_s: float, rng: random.Random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = rng

    def pause_s(self, tries: int) -> float:
        """The pause after the `tries`-th try (from 1): uniform between 0 and min(cap, base * 2^(tries-1))."""
        ceiling = min(self._cap_s, self._base_s * 2.0 ** min(tries - 1, 60))
        return self._rng.uniform(0.0, ceiling)
