"""The rules of fault injection, and the choice of what happens to one request.

Each rule names a fault, the kinds of request it is for, how probable it is, and windows in time and in request numbers,
which may repeat. What happens to request number n depends on the seed and n alone, so it can be replayed. Delays and
list lags add up; of all other faults the first rule that hits wins.

Nothing here touches a connection: `fault_injection` carries out what is chosen here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

KINDS: tuple[str, ...] = (
    "token", "create", "get", "list", "update", "suspend", "activate", "delete", "beneficiary", "beneficiaries",
    "limits", "limits_set", "idv_profiles", "idv_submit", "idv_get", "idv_list", "document", "upload", "other",
)  # fmt: skip
"""The kinds of request."""

FAULTS: Mapping[str, frozenset[str]] = {
    "latency": frozenset({"distribution", "delay_s", "min_s", "max_s", "median_s", "sigma", "commit"}),
    "status": frozenset({"status", "retry_after_s", "retry_after_form", "body", "commit"}),
    "commit-then-drop": frozenset(),
    "drop-before-commit": frozenset(),
    "truncated": frozenset(),
    "html": frozenset(),
    "empty": frozenset(),
    "no-id": frozenset(),
    "wrong-type": frozenset(),
    "huge": frozenset({"size_bytes"}),
    "dribble": frozenset({"delay_s"}),
    "redirect": frozenset({"status", "location"}),
    "close": frozenset(),
    "list-lag": frozenset({"lag_s"}),
    "token-expiry": frozenset(),
    "late-commit": frozenset({"status", "commit_after_s", "answer_after_s"}),
}
"""Every fault and the keys that only it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a plan.

    Args:
        fault: one of `FAULTS`.
        on: the kinds of request it is for.
        probability: 0 to 1, for each request inside the windows.
        from_s: when the window opens, seconds since the server started.
        for_s: how long it stays open; None: to the end.
        every_s: opens again that long after each opening; None: once.
        from_request: the same window in request numbers, counted from 0 over all kinds.
        commit: whether the work is done before the delay or the failing answer.
        distribution: `fixed` (`delay_s`), `uniform` (`min_s` to `max_s`) or `lognormal` (`median_s`, `sigma`,
            never above `max_s`).
        delay_s: a fixed delay; for `dribble` the pause between two bytes.
        commit_after_s: when the work is done, seconds after the request's arrival, whatever was answered meanwhile.
        answer_after_s: when such a request is answered with `status`, seconds after its arrival.
        retry_after_s: what a failing status asks for; None: no header.
        retry_after_form: `seconds` or `date`.
        body: of a failing status: `json`, `html` (as a gateway sends) or `empty`.
    """

    fault: str
    on: tuple[str, ...] = KINDS
    probability: float = 1.0
    from_s: float = 0.0
    for_s: float | None = None
    every_s: float | None = None
    from_request: int = 0
    for_requests: int | None = None
    every_requests: int | None = None
    commit: bool = False
    distribution: str = "fixed"
    delay_s: float = 0.1
    min_s: float = 0.0
    max_s: float = 60.0
    median_s: float = 0.05
    sigma: float = 1.0
    status: int = 503
    retry_after_s: float | None = None
    retry_after_form: str = "seconds"
    body: str = "json"
    size_bytes: int = 100 * 1024 * 1024
    location: str = "/v1/elsewhere"
    lag_s: float = 2.0
    commit_after_s: float = 0.0
    answer_after_s: float = 0.0

    def open_at(self, number: int, elapsed_s: float) -> bool:
        """Whether both windows are open for this request."""
        return _inside(elapsed_s, self.from_s, self.for_s, self.every_s) and _inside(
            number, self.from_request, self.for_requests, self.every_requests
        )

    @property
    def latest_s(self) -> float:
        """How much later it can make a customer appear, in seconds."""
        if self.fault == "latency":
            return self.delay_s if self.distribution == "fixed" else self.max_s
        if self.fault == "late-commit":
            return self.commit_after_s
        return self.lag_s if self.fault == "list-lag" else 0.0

    def delay(self, draw: float) -> float:
        """Turn a number between 0 and 1 into a delay in seconds."""
        if self.distribution == "uniform":
            return self.min_s + draw * (self.max_s - self.min_s)
        if self.distribution == "lognormal":
            from statistics import NormalDist  # noqa: PLC0415 - heavy, and only this distribution needs it

            spread = NormalDist().inv_cdf(min(max(draw, 1e-9), 1 - 1e-9))
            return min(self.median_s * math.exp(self.sigma * spread), self.max_s)
        return self.delay_s


def _inside(value: float, start: float, length: float | None, every: float | None) -> bool:
    since = value - start
    if since < 0:
        return False
    if every is not None:
        since %= every
    return length is None or since < length


@dataclass(frozen=True, slots=True)
class Injection:
    """What is done to one request.

    Args:
        rule: the fault; None when there are only delays and lags.
        before_s: delay before it is worked on.
        after_s: delay between the work and the answer.
        lag_s: how much later than usual a created object appears in lists.
        draw: a number between 0 and 1 for whatever choice is left.
        names: the faults that hit, for the ledger.
    """

    rule: Rule | None = None
    before_s: float = 0.0
    after_s: float = 0.0
    lag_s: float = 0.0
    draw: float = 0.0
    names: tuple[str, ...] = ()


NO_FAULT = Injection()


def choose(rules: Sequence[Rule], seed: int, number: int, kind: str, elapsed_s: float) -> Injection:
    """Decide what happens to a request.

    Args:
        number: its number, from 0 over all kinds.
        kind: one of `KINDS`.
        elapsed_s: seconds since the server started.
    """
    chosen = NO_FAULT
    for place, rule in enumerate(rules):
        if kind in rule.on and rule.open_at(number, elapsed_s):
            chance, draw = _draws(seed, number, place)
            if chance < rule.probability:
                chosen = _with(chosen, rule, draw)
    return chosen


def _draws(seed: int, number: int, place: int) -> tuple[float, float]:
    digest = blake2b(f"{seed}:{number}:{place}".encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:]) / 2**64


def _with(chosen: Injection, rule: Rule, draw: float) -> Injection:
    if rule.fault == "latency":
        delay_s = rule.delay(draw)
        before_s, after_s = (0.0, delay_s) if rule.commit else (delay_s, 0.0)
        changed = replace(chosen, before_s=chosen.before_s + before_s, after_s=chosen.after_s + after_s)
    elif rule.fault == "list-lag":
        changed = replace(chosen, lag_s=chosen.lag_s + rule.lag_s)
    elif chosen.rule is None:
        changed = replace(chosen, rule=rule, draw=draw)
    else:
        return chosen
    return replace(changed, names=(*chosen.names, rule.fault))
