"""The adaptive rate: additive increase, multiplicative decrease. Pure: given answers, asked for a rate.

Up to the first failure the rate doubles every period, as long as it is used; after it the rate grows by
a fixed step. A demand for fewer requests cuts it at once, latency of creates that rises over two periods cuts it
a little, and what the server says about its allowance in headers is a ceiling: where it says that nothing is left,
nothing starts until more is. A configured rate always is a ceiling.
"""

from __future__ import annotations

import math
from statistics import median

from importer.core.outcomes import RateHint, Reply, Verdict
from importer.delivery.breaker import CREATE

START_PER_S = 5.0
FLOOR_PER_S = 0.5
PERIOD_S = 1.0
CUT = 0.7
"""What a demand for fewer requests leaves of the rate."""
EASE = 0.85
"""What latency that has doubled leaves of it."""

_STEP_SHARE = 0.02
_SMALLEST_STEP = 0.5
_IN_USE = 0.8
_HINT_SHARE = 0.95
_SAMPLE = 64
_SLOW_FACTOR = 2.0
_SLOW_EXTRA_S = 0.1
_UNTOUCHED = 0.1
"""As long as no more than this share of the allowance is used, a reset is as far away as the window is long."""
_PIECE_S = 1.0
_PIECES = 4_096
_FAILURES = frozenset({Verdict.RETRY, Verdict.IN_DOUBT})


class AdaptiveRate:
    """Finds the rate that a target can take.

    Args:
        ceiling_per_s: never more, in requests per second.

    Attributes:
        per_s: the rate to keep now, in requests per second.
        cuts: how often a demand for fewer requests reduced it.
        eases: how often rising latency did.
        hinted_per_s: what headers allow, with a little left over; None: they did not say.
    """

    def __init__(self, ceiling_per_s: float) -> None:
        self.ceiling_per_s = ceiling_per_s
        self.per_s = min(START_PER_S, ceiling_per_s)
        self.cuts = 0
        self.eases = 0
        self.hinted_per_s: float | None = None
        self._searching = True
        self._step = max(_SMALLEST_STEP, ceiling_per_s * _STEP_SHARE)
        self._cut_at = -math.inf
        self._window_s = 0.0
        self._used_up_s = 0.0
        self._sustained = SustainedRate()
        self._longest_pause_s = PERIOD_S
        self._base_s = math.inf
        self._slow_periods = 0
        self._since: float | None = None
        self._answers = 0
        self._calm = True
        self._latencies: list[float] = []

    @property
    def found_per_s(self) -> float:
        """The fastest rate that was kept up for the longest pause and more: a burst before one is not a rate."""
        return self._sustained.per_s(self._longest_pause_s)

    def answered(self, reply: Reply, began_s: float, now: float, kind: str = CREATE) -> None:
        """Learn from one reply.

        Args:
            began_s: when its request started, monotonic seconds.
            now: when it was answered, on the same clock.
            kind: what was asked for; the latency of creates alone is watched, for lists have another.
        """
        if self._since is None or now - self._since >= PERIOD_S:
            self._end_period(now)
        self._answers += 1
        if reply.throttled or reply.overloaded:
            self._throttled(began_s, now)
        elif reply.verdict in _FAILURES:
            self._calm = False
        else:
            self._sustained.add(now)
        if reply.verdict is Verdict.ACCEPT and kind == CREATE and reply.took_s is not None:
            self._sampled(reply.took_s)
        if reply.allowance is not None:
            self._hinted(reply.allowance)
            if reply.allowance.remaining == 0 and reply.retry_after_s is None:  # which says more exactly how long
                self._used_up_s = max(self._used_up_s, reply.allowance.reset_s or 0.0)

    def _sampled(self, took_s: float) -> None:
        if len(self._latencies) < _SAMPLE:
            self._latencies.append(took_s)

    def paused(self, delay_s: float) -> None:
        """Note that nothing starts for this many seconds."""
        self._longest_pause_s = max(self._longest_pause_s, delay_s)

    def take_used_up_s(self) -> float:
        """How long nothing more is allowed, as headers said since this was last asked, in seconds; 0: they did not."""
        used_up_s, self._used_up_s = self._used_up_s, 0.0
        return used_up_s

    def _throttled(self, began_s: float, now: float) -> None:
        """Cut once for all the requests that were under way together."""
        self._calm = self._searching = False
        if began_s < self._cut_at:
            return
        self.cuts += 1
        self._cut_at = now
        self._step = max(_SMALLEST_STEP, self.per_s * _STEP_SHARE)
        self._set(self.per_s * CUT)

    def _hinted(self, hint: RateHint) -> None:
        """A reset replaces a window that is not given, but only as long as hardly anything of it is used."""
        if not hint.limit:
            return
        if hint.remaining is not None and hint.limit - hint.remaining <= max(1.0, hint.limit * _UNTOUCHED):
            self._window_s = max(self._window_s, hint.reset_s or 0.0)
        window_s = hint.window_s or self._window_s
        if window_s > 0:
            self.hinted_per_s = hint.limit / window_s * _HINT_SHARE
            self._set(self.per_s)

    def _set(self, per_s: float) -> None:
        ceiling = min(self.ceiling_per_s, self.hinted_per_s or math.inf)
        self.per_s = max(min(per_s, ceiling), min(FLOOR_PER_S, ceiling))

    # ------------------------------------------------------------------ periods

    def _begin(self, now: float) -> None:
        self._since = now
        self._answers = 0
        self._calm = True
        self._latencies = []

    def _end_period(self, now: float) -> None:
        if self._since is not None:
            measured = self._answers / (now - self._since)
            self._judge_latency()
            if self._calm and measured >= self.per_s * _IN_USE:
                self._set(self.per_s * 2.0 if self._searching else self.per_s + self._step)
        self._begin(now)

    def _judge_latency(self) -> None:
        if not self._latencies:
            return
        typical_s = median(self._latencies)
        self._slow_periods = self._slow_periods + 1 if self._is_slow(typical_s) else 0
        self._base_s = min(self._base_s * 1.01, typical_s)
        if self._slow_periods >= 2:
            self._slow_periods = 0
            self._calm = self._searching = False
            self.eases += 1
            self._set(self.per_s * EASE)

    def _is_slow(self, typical_s: float) -> bool:
        return typical_s > self._base_s * _SLOW_FACTOR + _SLOW_EXTRA_S


class SustainedRate:
    """The fastest rate that a target kept up over some length of time.

    Answers are counted in pieces of a second. When there are too many pieces, adjacent ones are merged: a run of days
    takes no more memory than one of an hour, and what is asked about long spans stays as good.
    """

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
