"""The club as a target: one attempt a call, and never a wait but for its slot of the rate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from importer.core.errors import AccessError
from importer.core.outcomes import Candidate, Found, Record, Reply, Verdict
from importer.core.ports import Clock, Limiter
from importer.targets import TargetAccess
from tests.toy_target.answers import PATH, TOKEN_HEADER, no_answer, refusal

_NETWORK = (aiohttp.ClientError, OSError)


class Club:
    """Implements `importer.targets.OpenTarget`."""

    def __init__(self, session: aiohttp.ClientSession, members: str, limiter: Limiter) -> None:
        self._session = session
        self._members = members
        self._limiter = limiter

    async def send(self, record: Record) -> Reply:
        slot = await self._limiter.reserve()
        slot.depart()
        try:
            async with self._session.post(self._members, data=record.payload) as answer:
                if answer.status != 201:
                    return refusal(answer.status)
                return Reply(Verdict.ACCEPT, (await answer.json())["memberNo"], 201)
        except _NETWORK as error:
            return no_answer(error)
        finally:
            slot.answered()

    async def find(self, record: Record) -> Found:
        if record.known_id:
            return await self.get(record.known_id)
        member = json.loads(record.payload)
        wanted = "ref" if member.get("ref") else "mail"
        return await self._read({wanted: member[wanted]})

    async def get(self, customer_id: str) -> Found:
        return await self._read({"memberNo": customer_id})

    async def check(self) -> Reply | None:
        found = await self._read({"memberNo": "0"})
        if found.failure is not None and found.failure.verdict is Verdict.ABORT:
            raise AccessError(found.failure.message, "Set CLUB_TOKEN.")
        return found.failure

    async def aclose(self) -> None:
        await self._session.close()

    async def _read(self, query: Mapping[str, str]) -> Found:
        slot = await self._limiter.reserve(finishing=True)
        slot.depart()
        try:
            async with self._session.get(self._members, params=query) as answer:
                if answer.status != 200:
                    return Found(failure=refusal(answer.status, reading=True))
                found: list[dict[str, Any]] = await answer.json()
                return Found(tuple(Candidate(one["memberNo"], one) for one in found))
        except _NETWORK as error:
            return Found(failure=no_answer(error, reading=True))
        finally:
            slot.answered()


async def open_target(access: TargetAccess, limiter: Limiter, clock: Clock) -> Club:
    """Open the club; no request is made yet."""
    headers = {TOKEN_HEADER: access.credentials["token"].get_secret_value(), "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=access.total_timeout_s)
    return Club(aiohttp.ClientSession(headers=headers, timeout=timeout), access.base_url + PATH, limiter)
