"""What every answer teaches the whole pool: to pause, to slow down, to stand still until the target is back.

Retries of a single row are `deliver`'s; here is what concerns all workers at once.
"""

from __future__ import annotations

from typing import Any

from importer.delivery.backoff import Backoff
from importer.delivery.breaker import Breaker
from importer.delivery.governor import Governor
from importer.delivery.rate import StrictLimiter
from importer.ports import Clock, Events
from importer.records import Event, Reply

_NEWS = 0.5
"""A pause that lengthens the one before by less than this share of itself is no news."""


class Traffic:
    """Told of every answer by `Deliver`; acts on the limiter.

    Args:
        backoff: draws the pool's pauses where the server names none.
        governor: finds the rate; None: the configured one is kept.
    """

    def __init__(
        self,
        limiter: StrictLimiter,
        breaker: Breaker,
        backoff: Backoff,
        *,
        governor: Governor | None = None,
        clock: Clock,
        emit: Events,
    ) -> None:
        self._limiter = limiter
        self._breaker = breaker
        self._backoff = backoff
        self._governor = governor
        self._clock = clock
        self._emit = emit
        self._throttles = 0
        self._backed_off_at = 0.0
        limiter.heed(breaker)
        if governor is not None:
            limiter.set_pace(governor.per_s)

    @property
    def held(self) -> bool:
        """Whether the target is down for everybody: what a row suffers now is not its own doing."""
        return self._breaker.is_open

    def answered(self, reply: Reply, duration_s: float) -> None:
        """Learn from one reply.

        Args:
            duration_s: how long the caller waited for it, in seconds; used where the target did not measure.
        """
        now = self._clock.monotonic()
        started_s = now - (duration_s if reply.took_s is None else reply.took_s)
        self._watch(reply, now)
        if reply.retry_after_s is not None:
            self._pause(reply.retry_after_s, reply.error_code)
        elif reply.throttled:
            self._back_off(reply, started_s if reply.took_s is not None else now, now)
        if not reply.throttled:
            self._throttles = 0
        if self._governor is not None:
            self._adapt(self._governor, reply, started_s, now)

    def _watch(self, reply: Reply, now: float) -> None:
        was_open = self._breaker.is_open
        self._breaker.answered(reply, now)
        if self._breaker.is_open == was_open:
            return
        self._emit(Event("breaker_closed" if was_open else "breaker_opened", {"reason": reply.error_code}))
        self._limiter.look_again()

    def _back_off(self, reply: Reply, started_s: float, now: float) -> None:
        """Pause once for all the requests that were refused together."""
        if now < self._limiter.paused_until or started_s < self._backed_off_at:
            return
        self._throttles += 1
        self._backed_off_at = now
        self._pause(self._backoff.pause_s(self._throttles), reply.error_code)

    def _pause(self, delay_s: float, reason: str) -> None:
        if self._limiter.pause(delay_s, reason) > delay_s * _NEWS:
            self._emit(Event("paused", {"seconds": delay_s, "reason": reason}))

    def _adapt(self, governor: Governor, reply: Reply, started_s: float, now: float) -> None:
        before = governor.per_s
        governor.answered(reply, started_s, now)
        if governor.per_s != before:
            self._limiter.set_pace(governor.per_s)
            self._emit(Event("rate_changed", {"per_s": round(governor.per_s, 2)}))

    def receipt(self) -> dict[str, Any]:
        """The limiter's account, with what the governor found and how often the breaker opened."""
        receipt = self._limiter.receipt()
        if self._breaker.openings:
            receipt["breaker_openings"] = self._breaker.openings
        governor = self._governor
        if governor is not None:
            receipt["auto"] = {
                "found_per_s": round(governor.found_per_s, 2),
                "last_per_s": round(governor.per_s, 2),
                "cuts_after_429": governor.cuts,
                "cuts_for_latency": governor.eases,
            }
            if governor.told_per_s is not None:
                receipt["auto"]["told_by_headers_per_s"] = round(governor.told_per_s, 2)
        return receipt
