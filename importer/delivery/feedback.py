"""Feedback: what every answer means for all workers: pause, slow down, wait until the target is back.

Retries of a single row are in `deliver`.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from importer.core.events import Event
from importer.core.outcomes import Reply
from importer.core.ports import Clock, Events
from importer.delivery.adaptive_rate import AdaptiveRate
from importer.delivery.backoff import Backoff
from importer.delivery.breaker import CREATE, TOKEN, Breaker
from importer.delivery.rate_limit import StrictLimiter

_BELIEVED = 8.0
"""Where a server says how long to wait, we wait no longer than this many times that, however often it refuses us."""

_NEWS = 0.5
"""A pause that lengthens the one before by less than this share of itself is not reported."""


class Feedback:
    """Takes every answer from whoever asked; acts on the limiter, and reports to listeners.

    Args:
        backoff: draws the pool's pauses where the server names none.
        adaptive: finds the rate; None: the configured one is kept.
    """

    def __init__(
        self,
        limiter: StrictLimiter,
        breaker: Breaker,
        backoff: Backoff,
        *,
        adaptive: AdaptiveRate | None = None,
        clock: Clock,
        emit: Events,
    ) -> None:
        self._limiter = limiter
        self._breaker = breaker
        self._backoff = backoff
        self._adaptive = adaptive
        self._clock = clock
        self._emit = emit
        self._refusals = 0
        self._backed_off_at = 0.0
        self._pauses: Counter[str] = Counter()
        self._paused_s = 0.0
        limiter.breaker, limiter.learn = breaker, self._exchanged
        if adaptive is not None:
            limiter.set_pace(adaptive.per_s)

    @property
    def held(self) -> bool:
        """Whether the target is down for everybody: what a row suffers now is not its own doing."""
        return self._breaker.is_open

    def answered(self, reply: Reply, duration_s: float, kind: str = CREATE) -> None:
        """Learn from one reply.

        Args:
            duration_s: how long the caller waited for it, in seconds; used where the target did not measure.
            kind: what was asked for: `create`, `find` or `token`.
        """
        now = self._clock.monotonic()
        began_s = now - (duration_s if reply.took_s is None else reply.took_s)
        self._watch(reply, now, kind)
        self._hold(reply, began_s if reply.took_s is not None else now, now)
        if not (reply.throttled or reply.overloaded):
            self._refusals = 0
        if self._adaptive is not None and not self.held:
            self._adapt(self._adaptive, reply, began_s, now, kind)
        self._emit(request_done(kind, reply, duration_s))

    def _exchanged(self, reply: Reply) -> None:
        """Learn from a token exchange: once, however many wait for its token."""
        self.answered(reply, 0.0, TOKEN)

    def _watch(self, reply: Reply, now: float, kind: str) -> None:
        was_open = self._breaker.is_open
        self._breaker.answered(reply, now, kind)
        if self._breaker.is_open != was_open:
            self._emit(Event("breaker_closed" if was_open else "breaker_opened", {"reason": reply.error_code}))
        if was_open:
            self._limiter.changed.set()

    def _hold(self, reply: Reply, began_s: float, now: float) -> None:
        """Pause as long as the server says, and longer where that does not help; `Retry-After: 0` says nothing."""
        delay_s = reply.retry_after_s or 0.0
        if reply.throttled or (reply.overloaded and not self.held):
            delay_s = max(delay_s, min(self._backed_off(began_s, now), delay_s * _BELIEVED or math.inf))
        if delay_s > 0:
            self._pause(delay_s, reply.error_code)

    def _backed_off(self, began_s: float, now: float) -> float:
        """Draw one pause for all the requests that were refused together; 0 for those that it holds for already."""
        if now < self._limiter.paused_until or began_s < self._backed_off_at:
            return 0.0
        self._refusals += 1
        self._backed_off_at = now
        return self._backoff.pause_s(self._refusals)

    def _pause(self, delay_s: float, reason: str) -> None:
        if self._adaptive is not None:
            self._adaptive.paused(delay_s)
        is_first = self._clock.monotonic() >= self._limiter.paused_until
        longer_s = self._limiter.pause(delay_s)
        self._pauses[reason or "asked_for"] += is_first and longer_s > 0
        self._paused_s += longer_s
        if longer_s > delay_s * _NEWS:
            self._emit(Event("paused", {"seconds": delay_s, "reason": reason}))

    def _adapt(self, adaptive: AdaptiveRate, reply: Reply, began_s: float, now: float, kind: str) -> None:
        before = adaptive.per_s
        adaptive.answered(reply, began_s, now, kind)
        if (used_up_s := adaptive.take_used_up_s()) > 0:
            self._pause(used_up_s, "allowance_used_up")
        if adaptive.per_s != before:
            self._limiter.set_pace(adaptive.per_s)
            self._emit(Event("rate_changed", {"per_s": round(adaptive.per_s, 2)}))

    def receipt(self) -> dict[str, Any]:
        """What the limiter allowed and used, the pauses, what rate was found and how often the breaker opened."""
        pauses = {"pauses": dict(+self._pauses), "paused_s": round(self._paused_s, 3)}
        receipt = self._limiter.receipt() | pauses
        if self._breaker.openings:
            receipt["breaker_openings"] = self._breaker.openings
        adaptive = self._adaptive
        if adaptive is not None:
            receipt["auto"] = {
                "found_per_s": round(adaptive.found_per_s, 2),
                "last_per_s": round(adaptive.per_s, 2),
                "cuts_after_429": adaptive.cuts,
                "cuts_for_latency": adaptive.eases,
            }
            if adaptive.hinted_per_s is not None:
                receipt["auto"]["told_by_headers_per_s"] = round(adaptive.hinted_per_s, 2)
        return receipt


def request_done(kind: str, reply: Reply, duration_s: float) -> Event:
    """The event that reports one request.

    Args:
        duration_s: how long the caller waited for the answer, in seconds; used where the target did not measure.
    """
    return Event(
        "request_done",
        {
            "kind": kind,
            "status": reply.http_status,
            "verdict": reply.verdict.value,
            "code": reply.error_code,
            "duration_s": duration_s if reply.took_s is None else reply.took_s,
        },
    )
