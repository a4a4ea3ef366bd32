"""The target of the lab, which meets the misfortunes of its world. One for each life of the process."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from importer.core.outcomes import Candidate, Found, Record, Reply, Verdict
from importer.core.ports import Limiter
from tests.lab.virtual_time import VirtualClock
from tests.lab.world import STATUS_FAULTS, Stored, World, body_of, draw, latency, travel

CLIENT_TIMEOUT_S = 4.0
HANG_S = 60.0


class LabTarget:
    """Implements `ports.Target` and `ports.Finder` against a `World`."""

    def __init__(self, world: World, rng: random.Random, limiter: Limiter) -> None:
        self._world = world
        self._rng = rng
        self._limiter = limiter

    async def send(self, record: Record) -> Reply:
        slot = await self._limiter.reserve()
        if self._fate({"token": self._world.weather.token}) == "token":
            slot.give_back()
            return self._no_token()
        try:
            await travel(self._latency())  # until there is a connection
            slot.depart()
            async with asyncio.timeout(CLIENT_TIMEOUT_S):
                return await self._create(record)
        except (TimeoutError, ConnectionResetError) as error:
            return self._world.kind.failure_reply(error)
        finally:
            slot.answered()

    def _no_token(self) -> Reply:
        """The exchange failed: the create never began."""
        self._say("no token")
        reply = Reply(Verdict.RETRY, error_code="token_unavailable", message="No token.", shared=True)
        self._limiter.learn(reply)
        return reply

    async def _create(self, record: Record) -> Reply:
        if self._world.is_down(self._now()):
            self._say(f"create row {record.ordinal} nobody answers")
            await travel(self._latency())
            return Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")
        if self._world.takes_no_creates(self._now()):
            self._say(f"create row {record.ordinal} no creates for now")
            await travel(self._latency())
            return self._world.kind.status(self._rng.choice(STATUS_FAULTS))
        weather = self._world.weather
        fate = self._fate(
            {
                "drop before": weather.drop_before,
                "drop after": weather.drop_after,
                "fault before": weather.fault_before,
                "fault after": weather.fault_after,
                "hang before": weather.hang_before,
                "hang after": weather.hang_after,
                "throttle": weather.throttle,
            }
        )
        self._say(f"create row {record.ordinal} {fate}")
        if fate == "throttle" or fate.endswith("before"):
            await travel(self._latency())
            return await self._misfortune(fate)
        body = body_of(record.payload)
        self._world.on_the_way.append(body)
        await travel(self._latency())
        self._world.on_the_way.remove(body)
        return await self._commit(body, fate)

    async def _commit(self, body: dict[str, Any], fate: str) -> Reply:
        self._world.catch_up(self._now())
        if self._world.taken(body):
            return self._world.kind.status(409)
        if fate.endswith("after") and self._world.weather.late_s and self._rng.random() < 0.7:
            self._world.commit_late(body, self._now())
            return await self._misfortune(fate)
        stored = self._world.commit(body, self._now())
        await travel(self._latency())
        if fate.endswith("after"):
            return await self._misfortune(fate)
        return Reply(Verdict.ACCEPT, customer_id=stored.customer_id, http_status=201)

    async def _misfortune(self, fate: str) -> Reply:
        if fate.startswith("drop"):
            raise ConnectionResetError
        if fate.startswith("hang"):
            await travel(HANG_S)
        if fate == "throttle":
            return self._world.kind.status(429, retry_after_s=self._rng.choice((None, 0.5, 3.0)))
        return self._world.kind.status(self._rng.choice(STATUS_FAULTS))

    async def find(self, record: Record) -> Found:
        slot = await self._limiter.reserve(finishing=True)
        slot.depart()
        try:
            return await self._find(record)
        finally:
            slot.answered()

    async def _find(self, record: Record) -> Found:
        if self._world.is_down(self._now()):
            await travel(self._latency())
            return Found(failure=Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers."))
        fate = self._fate({"fault": self._world.weather.find_fault})
        self._say(f"find row {record.ordinal} {fate}")
        await travel(self._latency())
        if fate == "fault":
            return Found(failure=self._world.kind.status(self._rng.choice(STATUS_FAULTS)))
        self._world.catch_up(self._now())
        wanted = body_of(record.payload)
        found = tuple(
            self._seen(one) for one in self._world.visible(self._now()) if self._world.kind.is_wanted(one.body, wanted)
        )
        await travel(self._latency())
        return Found(found)

    async def get(self, customer_id: str) -> Found:
        slot = await self._limiter.reserve(finishing=True)
        slot.depart()
        await travel(self._latency())
        slot.answered()
        return Found(tuple(self._seen(one) for one in self._world.customers if one.customer_id == customer_id))

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _seen(self, stored: Stored) -> Candidate:
        return Candidate(stored.customer_id, stored.body, VirtualClock.EPOCH_S + stored.created_at)

    def _fate(self, chances: dict[str, float]) -> str:
        return draw(self._rng, chances) if self._world.stormy(self._now()) else "ok"

    def _latency(self) -> float:
        return min(latency(self._rng), self._world.weather.slowest_s)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _say(self, what: str) -> None:
        self._world.say(self._now(), what)
