"""Scripted trouble: a seeded plan that says what happens to which request.

A plan is a list of rules. Each rule names a fault, the kinds of request it is for, how probable it
is, and windows in time and in request numbers, which may repeat. What befalls request number n
depends on the seed and n alone, so a plan can be replayed. Delays and list lags add up; of all
other faults the first rule that hits wins.

Nothing here touches a connection: `fault_injection` carries out what is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

KINDS: tuple[str, ...] = ("token", "create", "get", "list", "update", "delete", "other")
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
    """One line of a plan.

    Args:
        fault: one of `FAULTS`.
        on: the kinds of request it is for.
        probability: 0 to 1, for each request inside the windows.
        from_s: when the window opens, seconds since the server started.
        for_s: how long it stays open; None: for ever.
        every_s: opens again that long after each opening; None: once.
        from_request: the same window in request numbers, counted from 0 over all kinds.
        commit: whether a create is committed before the delay or the failing answer.
        distribution: `fixed` (`delay_s`), `uniform` (`min_s` to `max_s`) or `lognormal` (`median_s`, `sigma`,
            never above `max_s`).
        delay_s: a fixed delay; for `dribble` the pause between two bytes.
        commit_after_s: when a create is committed, seconds after its arrival, whatever was answered meanwhile.
        answer_after_s: when such a create is answered with `status`, seconds after its arrival.
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
        """Tell whether both windows are open for this request."""
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
class Fate:
    """What will happen to one request.

    Args:
        rule: the fault that befalls it; None when only delays and lags do.
        before_s: delay before it is worked on.
        after_s: delay between the work and the answer.
        lag_s: how much later than usual a created customer appears in lists.
        coin: a number between 0 and 1 for whatever choice is left.
        names: the faults that hit, for the ledger.
    """

    rule: Rule | None = None
    before_s: float = 0.0
    after_s: float = 0.0
    lag_s: float = 0.0
    coin: float = 0.0
    names: tuple[str, ...] = ()


CALM = Fate()


@dataclass(frozen=True, slots=True)
class Faults:
    """A plan: its seed and its rules in order.

    Args:
        manners: how the server is apart from its faults: settings of the emulator by name.
    """

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    manners: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latest_s(self) -> float:
        """How much later than its request a customer may be created and appear in lists at most, in seconds."""
        return sum(rule.latest_s for rule in self.rules) + float(self.manners.get("list_lag_s", 0.0))

    @classmethod
    def load(cls, name_or_path: str | Path) -> Faults:
        """Load a preset by its name, or a plan from a TOML file.

        Raises:
            ValueError: neither a preset nor a readable file, or a plan that makes no sense; the
                sentence names the wrong key.
        """
        from importer.emulator import script  # noqa: PLC0415 - only needed where a plan is read

        return script.load(name_or_path)

    @classmethod
    def of(cls, *rules: Mapping[str, Any], seed: int = 0) -> Faults:
        """Make a plan from rules written as mappings, as they stand in a file.

        Raises:
            ValueError: a rule makes no sense; the sentence names the wrong key.
        """
        from importer.emulator import script  # noqa: PLC0415 - only needed where a plan is read

        return script.plan({"seed": seed, "rule": list(rules)}, "the plan")

    @classmethod
    def of_plan(cls, data: Mapping[str, Any]) -> Faults:
        """Make the plan again that `as_plan` gave.

        Raises:
            ValueError: it makes no sense; the sentence names the wrong key.
        """
        from importer.emulator import script  # noqa: PLC0415 - only needed where a plan is read

        return script.plan(data, "the plan")

    def as_plan(self) -> dict[str, Any]:
        """Give the plan as its file would hold it, in JSON types."""
        from importer.emulator import script  # noqa: PLC0415 - only needed where a plan is written

        return script.as_plan(self)

    def fate(self, number: int, kind: str, elapsed_s: float, *, seed: int | None = None) -> Fate:
        """Decide what happens to a request.

        Args:
            number: its number, from 0 over all kinds.
            kind: one of `KINDS`.
            elapsed_s: seconds since the server started.
            seed: instead of the plan's own; None: the plan's own.
        """
        fate = CALM
        for place, rule in enumerate(self.rules):
            if kind in rule.on and rule.open_at(number, elapsed_s):
                chance, draw = _draws(self.seed if seed is None else seed, number, place)
                if chance < rule.probability:
                    fate = _joined(fate, rule, draw)
        return fate


def _draws(seed: int, number: int, place: int) -> tuple[float, float]:
    digest = blake2b(f"{seed}:{number}:{place}".encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:]) / 2**64


def _joined(fate: Fate, rule: Rule, draw: float) -> Fate:
    before_s, after_s, lag_s = fate.before_s, fate.after_s, fate.lag_s
    chosen, coin = fate.rule, fate.coin
    if rule.fault == "latency":
        before_s += 0.0 if rule.commit else rule.delay(draw)
        after_s += rule.delay(draw) if rule.commit else 0.0
    elif rule.fault == "list-lag":
        lag_s += rule.lag_s
    elif chosen is None:
        chosen, coin = rule, draw
    else:
        return fate
    return Fate(chosen, before_s, after_s, lag_s, coin, (*fate.names, rule.fault))
