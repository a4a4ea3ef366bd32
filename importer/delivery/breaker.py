"""When a target is down: nothing starts, one request at a time finds out whether it is back, and that ends some time.

Closed, everything passes. After this many faults in a row it opens: the limiter lets nothing start until the
probe's moment, then a single request; the others wait for its answer. A sound answer closes the breaker, a
fault doubles the pause before the next probe, and after `give_up_s` without a sound answer the run stops.

What fails decides what has to succeed: every failed create is followed by look-ups, and a target whose look-ups
work creates nothing for all that. So a sound look-up makes up for failed look-ups alone, a sound create for all.
"""

from __future__ import annotations

from dataclasses import dataclass

from importer.core.outcomes import Reply, Verdict
from importer.delivery.stops import StopSwitch

CREATE, FIND, TOKEN = "create", "find", "token"
"""Kinds of request. Those of steps after a create have the step's name, and count like creates."""

_CHANGES_NOTHING = frozenset({FIND, TOKEN})
_LONGEST_PAUSE_S = 60.0
_NEVER_ANSWERED_S = 10.0
"""A target that has not given one sound answer in this pass is given up sooner: the address may just be wrong."""
_ALONE_S = 10.0
"""So is one that others reach: they can send what waits here."""

_EXCHANGES = 5
"""Failed token exchanges in a row that open it: everybody waits for each of them, and it is reported once."""

_SOUND = frozenset({Verdict.ACCEPT, Verdict.REJECT, Verdict.DUPLICATE, Verdict.ABORT})


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """How patient.

    Args:
        faults: faults in a row, over all workers, that open it.
        probe_s: the pause before the first probe, in seconds; it doubles up to a minute.
        give_up_s: how long to go on probing without a sound answer, in seconds.
        answer_s: how long a probe's answer is awaited before another request may probe, in seconds.
    """

    faults: int = 20
    probe_s: float = 1.0
    give_up_s: float = 300.0
    answer_s: float = 60.0


class Breaker:
    """Opens and closes: gets every reply, and the limiter asks it before every start."""

    def __init__(self, stop: StopSwitch, rules: BreakerRules) -> None:
        self.rules = rules
        self.openings = 0
        self._stop = stop
        self._faults = 0
        self._creates_failed = 0
        """How many of the faults a sound look-up does not make up for."""
        self._answered_ever = False
        self._given_up = False
        self._opened_at: float | None = None
        self._is_for_others = False
        self._alone_since: float | None = None
        self._throttled_since: float | None = None
        self._ready_at = self._held_until = 0.0
        self._pause_s = 0.0
        self._probe_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the pool is held while single requests probe, from here or from another worker."""
        return self.has_opened or self._held_until > 0

    @property
    def has_opened(self) -> bool:
        """Whether single requests probe from here."""
        return self._opened_at is not None

    def ready_at(self) -> float:
        """The moment before which nothing may start; 0 while it is closed, and once it is given up.

        Then a stopping run only finishes what it has begun, and look-ups may work where creates do not.
        """
        return 0.0 if self._given_up else max(self._ready_at, self._held_until)

    def started(self, now: float) -> None:
        """A request starts: while open it is the probe, and the others wait for its answer."""
        if self._opened_at is not None:
            self._probe_at = now
            self._ready_at = now + self.rules.answer_s

    def withdrawn(self) -> None:
        """What got its slot last is not made after all: another request may probe in its place."""
        if self._probe_at is not None:
            self._ready_at, self._probe_at = self._probe_at, None

    def hold(self, until: float) -> None:
        """Let nothing start before a moment, since another worker probes; 0: none does."""
        self._held_until = until

    def open_to_probe(self, now: float) -> None:
        """Find out for other workers whether the target is down: a create has failed there."""
        if self._opened_at is None:
            self._faults = self._creates_failed = 1
            self._answered_ever = self._is_for_others = True
            self._opened_at, self._pause_s = now, self.rules.probe_s
            self._probe_at, self._ready_at = None, now

    def know_alone(self, now: float, *, is_alone: bool) -> None:
        """Know whether other workers reach the target, while this one does not."""
        self._alone_since = (now if self._alone_since is None else self._alone_since) if is_alone else None

    def probe_now(self, now: float) -> None:
        """Another worker has found the target sound: where this one is open, its next request may be the probe.

        Where it was open for others alone, and has met no fault itself, there is nothing left to find out.
        """
        if self._is_for_others:
            self._close()
        elif self._opened_at is not None:
            self._pause_s = self.rules.probe_s
            self._probe_at, self._ready_at = None, now

    def answered(self, reply: Reply, now: float, kind: str = CREATE) -> None:
        """Learn from one reply.

        Args:
            now: monotonic seconds.
            kind: what was asked for: `create`, `find` or `token`.
        """
        if reply.verdict in _SOUND and kind in _CHANGES_NOTHING:
            self._alive_otherwise(now)
        elif reply.verdict in _SOUND:
            self._close()
        else:
            self._is_for_others = False
            (self._throttled if reply.throttled else self._fault)(reply, now, kind)

    def _alive_otherwise(self, now: float) -> None:
        """What creates nothing works. While creates fail, the next request may show at once whether they still do."""
        self._answered_ever = True
        if not self._creates_failed:
            self._close()
            return
        self._faults = self._creates_failed
        self._throttled_since = None
        if self._probe_at is not None:
            self._probe_at = None
            self._ready_at = now

    def _close(self) -> None:
        self._is_for_others = False
        self._faults = self._creates_failed = 0
        self._answered_ever = True
        self._opened_at = self._throttled_since = self._probe_at = None
        self._ready_at = 0.0

    def _throttled(self, reply: Reply, now: float, kind: str) -> None:
        """It is alive, and it may refuse us for as long as it refuses everybody: that has its end as well."""
        if self._throttled_since is None:
            self._throttled_since = now
        if now - self._throttled_since >= max(self.rules.give_up_s, reply.retry_after_s or 0.0):
            self._give_up(reply, "answered every request with a demand for fewer ones", now - self._throttled_since)
        if self._opened_at is None:
            return
        if kind in _CHANGES_NOTHING and self._creates_failed:
            self._probe_at, self._ready_at = None, now
            return
        self._opened_at = self._probe_at = None
        self._faults = self._creates_failed = 0
        self._ready_at = 0.0

    def _fault(self, reply: Reply, now: float, kind: str) -> None:
        self._faults += 1
        self._creates_failed += kind != FIND
        if self._opened_at is None:
            if self._faults >= (min(self.rules.faults, _EXCHANGES) if kind == TOKEN else self.rules.faults):
                self.openings += 1
                self._opened_at = now
                self._pause_s = self.rules.probe_s
                self._wait_for_probe(now)
        elif self._is_probes(reply, now):
            if now >= self._ends_at(self._opened_at):
                self._give_up(reply, f"failed {self._faults} times in a row", now - self._opened_at)
            self._pause_s = min(self._pause_s * 2.0, _LONGEST_PAUSE_S)
            self._wait_for_probe(now)

    def _ends_at(self, opened_at: float) -> float:
        """When patience ends."""
        give_up_s = self.rules.give_up_s
        end = opened_at + (give_up_s if self._answered_ever else min(give_up_s, _NEVER_ANSWERED_S))
        return end if self._alone_since is None else min(end, self._alone_since + _ALONE_S)

    def _wait_for_probe(self, now: float) -> None:
        """The last probe comes when patience ends, however long the pause has become."""
        assert self._opened_at is not None  # noqa: S101  # only while open: for the type checker
        end = self._ends_at(self._opened_at)
        self._probe_at = None
        self._ready_at = min(now + self._pause_s, end) if now < end else now + self._pause_s

    def _is_probes(self, reply: Reply, now: float) -> bool:
        """Whether this is the probe's answer, and not a late one to a request that was under way before."""
        if self._probe_at is None:
            return False
        return reply.took_s is None or now - reply.took_s >= self._probe_at - 0.001

    def _give_up(self, reply: Reply, what: str, for_s: float) -> None:
        self._given_up = True
        last = reply.message.rstrip(".") or "no answer"
        self._stop.request("breaker", f"The target {what} over {for_s:.0f} s; the last time: {last}.")
