"""A target's server in one process and in virtual time, with a seeded schedule of misfortunes."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.lab.kinds import LabKind

STATUS_FAULTS = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely each misfortune is, per request, while the storm lasts.

    Args:
        storm_s: after this much virtual time nothing goes wrong any more.
        lag_s: the longest time between a create and its appearance in lists.
        slowest_s: the longest time that a request, or its answer, is on its way.
        enforce: whether a second customer with the same externalId is refused.
    """

    storm_s: float = 60.0
    drop_before: float = 0.06
    drop_after: float = 0.06
    fault_before: float = 0.06
    fault_after: float = 0.06
    hang_before: float = 0.03
    hang_after: float = 0.03
    throttle: float = 0.05
    token: float = 0.03
    find_fault: float = 0.10
    lag_s: float = 5.0
    slowest_s: float = 2.5
    enforce: bool = True
    outages: tuple[tuple[float, float], ...] = ()
    """When nobody answers at all: begin and end, in virtual seconds."""
    create_outages: tuple[tuple[float, float], ...] = ()
    """When every create fails and look-ups work."""
    late_s: float = 0.0
    """How late a create that was not answered well may be committed all the same; 0: at once."""
    keeps_metadata: bool = True

    @property
    def is_hard(self) -> bool:
        """Whether nothing can keep a row from being created twice here: then it has to be said."""
        return bool(self.late_s) or self.lag_s > 30.0


@dataclass(slots=True)
class Stored:
    """One customer at the server."""

    customer_id: str
    body: dict[str, Any]
    created_at: float
    visible_at: float


@dataclass(slots=True)
class World:
    """The server: it outlives every process of the importer."""

    rng: random.Random
    weather: Weather
    kind: LabKind
    customers: list[Stored] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    on_the_way: list[dict[str, Any]] = field(default_factory=list)
    """Creates that have left the importer and not yet reached the server."""
    later: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """Creates that will be committed, and when."""

    def importer_died(self, now: float) -> None:
        """What was on the way may still arrive: a dead process does not call its bytes back."""
        for body in self.on_the_way:
            if self.rng.random() < 0.5 and not self.taken(body):
                self.commit(body, now + self.rng.uniform(0.0, 2.0))
        self.on_the_way.clear()

    def commit_late(self, body: dict[str, Any], now: float) -> None:
        """Create a customer some time from now."""
        self.later.append((now + self.rng.uniform(0.0, self.weather.late_s), body))
        self.say(now, "will commit late")

    def catch_up(self, now: float) -> None:
        """Commit what is due."""
        for due, body in [one for one in self.later if one[0] <= now]:
            self.later.remove((due, body))
            if not self.taken(body):
                self.commit(body, due)

    def commit(self, body: dict[str, Any], now: float) -> Stored:
        """Create a customer; it shows in lists only after a while."""
        if not self.weather.keeps_metadata:
            body = self.kind.without_stamp(body)
        lag_s = self.rng.uniform(0.0, self.weather.lag_s)
        stored = Stored(f"cust-{len(self.customers) + 1:05d}", body, now, now + lag_s)
        self.customers.append(stored)
        self.say(now, f"commit {stored.customer_id} lag {lag_s:.1f}")
        return stored

    def taken(self, body: dict[str, Any]) -> bool:
        """Whether a create is refused as a duplicate: its external id is there already."""
        external_id = self.kind.external_id(body)
        if not external_id or not self.weather.enforce:
            return False
        return any(self.kind.external_id(one.body) == external_id for one in self.customers)

    def per_name(self) -> Counter[str]:
        """How many customers there are of each row."""
        return Counter(self.kind.name(one.body) for one in self.customers)

    def visible(self, now: float) -> Iterator[Stored]:
        """The customers that a list shows."""
        return (one for one in self.customers if one.visible_at <= now)

    def is_down(self, now: float) -> bool:
        """Whether nobody answers."""
        return any(begin <= now < end for begin, end in self.weather.outages)

    def takes_no_creates(self, now: float) -> bool:
        """Whether every create fails, though look-ups work."""
        return any(begin <= now < end for begin, end in self.weather.create_outages)

    def stormy(self, now: float) -> bool:
        """Whether misfortunes still happen."""
        return now < self.weather.storm_s

    def say(self, now: float, what: str) -> None:
        """Note something for the schedule that a failing seed prints."""
        self.log.append(f"{now:10.3f}  {what}")


def draw(rng: random.Random, chances: dict[str, float]) -> str:
    """One of the named misfortunes by its chance, or `ok`."""
    roll = rng.random()
    for name, chance in chances.items():
        roll -= chance
        if roll < 0:
            return name
    return "ok"


def latency(rng: random.Random) -> float:
    """A request's way to the server and back: mostly short, sometimes seconds."""
    return rng.choice((0.001, 0.01, 0.05, 0.2, 1.0, 2.5))


async def travel(delay_s: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(delay_s)  # noqa: TID251  # the world is not the importer


def body_of(payload: bytes) -> dict[str, Any]:
    """What a create carried."""
    body: dict[str, Any] = json.loads(payload)
    return body
