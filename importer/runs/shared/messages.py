"""What workers say while they send: their events, and an account of what they used. Numbers, codes and ids only."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from importer.core.events import Event
from importer.core.ports import Clock, Events
from importer.journal import Message, RunDelivery

_EVERY_S = 0.5
_OF_THE_RUN = frozenset({"stopping", "drain_timeout"})
"""Events that whoever has taken up the run emits itself."""
_SUMS = ("requests", "breaker_openings")


def name_of_sender() -> str:
    """What this worker is called in logs: no other has the same name, nor has it, where it begins again."""
    return f"{socket.gethostname()}-{os.getpid()}-{token_hex(2)}"


def process_of(sender: str) -> str:
    """The host and process of a name."""
    return sender.rpartition("-")[0]


Used = Callable[[], Mapping[str, Any]]
"""Gives what was used so far, as the limiter accounts for it."""


@dataclass(slots=True)
class Saying:
    """Collects the events of a worker, and says them together with what it has used so far. A sink.

    Args:
        sender: the worker's name.
    """

    sender: str
    clock: Clock
    _events: list[tuple[float, Event]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if event.name not in _OF_THE_RUN:
            self._events.append((self.clock.monotonic(), event))

    @asynccontextmanager
    async def to(self, journal: RunDelivery, used: Used) -> AsyncIterator[None]:
        """Say them at intervals while the block lasts, and the rest at its end."""
        saying = asyncio.create_task(self._say_at_intervals(journal, used), name="saying")
        try:
            yield
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
        await self._say(journal, used)

    async def _say_at_intervals(self, journal: RunDelivery, used: Used) -> None:
        while True:
            await self.clock.sleep(_EVERY_S)
            if self._events:
                await self._say(journal, used)

    async def _say(self, journal: RunDelivery, used: Used) -> None:
        events, self._events = self._events, []
        now = self.clock.monotonic()
        listed = [[event.name, {**event.data, "ago_s": round(now - at, 3)}] for at, event in events]
        said = {"events": listed, "used": used()}
        await journal.say(self.sender, zlib.compress(json.dumps(said).encode(), 1))


@dataclass(slots=True)
class Heard:
    """Passes the events of workers on, and keeps the account of what they used.

    Each has the worker's name, and how long before it was said it has happened: about as long before it is heard.

    Args:
        emit: gets every event.
    """

    emit: Events
    _used: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def take(self, messages: Sequence[Message]) -> None:
        """Take what was said."""
        for message in messages:
            said = json.loads(zlib.decompress(message.content))
            self._used[message.sender] = said["used"]
            for name, data in said["events"]:
                self.emit(Event(name, {**data, "worker": message.sender}))

    @property
    def workers(self) -> int:
        """How many workers have sent something: a process that began again is one."""
        return len({process_of(sender) for sender, used in self._used.items() if used["requests"]})

    def used(self, own: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Return what all have used together, as one limiter accounts for it.

        The largest number in a window is left out: clocks differ, so nobody knows what fell into one window of all.

        Args:
            own: the account of this process.
            seconds: how long the workers sent.
        """
        if not self.workers:
            return dict(own)
        accounts = [own, *self._used.values()]
        total: dict[str, Any] = {**own, **{name: sum(one.get(name, 0) for one in accounts) for name in _SUMS}}
        total["seconds"] = round(own["seconds"] + seconds, 3)
        total["achieved_per_s"] = round(total["requests"] / max(total["seconds"], 1.0), 3)
        total["paused_s"] = max(one.get("paused_s", 0.0) for one in accounts)
        total["most_in_flight"] = sum(used["most_in_flight"] for used in self._used.values())
        total["pauses"] = _most(one.get("pauses", {}) for one in accounts)
        total["largest"] = {}
        return {**total, "workers": self.workers}


def _most(counts: Any) -> dict[str, int]:
    """Of every kind of pause as many as one of them has seen: all of them make the same one."""
    most: dict[str, int] = {}
    for one in counts:
        most |= {name: max(count, most.get(name, 0)) for name, count in one.items()}
    return most
