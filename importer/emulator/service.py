"""One request from its arrival to its answer: ledger, allowance, faults, endpoint, answer.

The arrival is noted before anything else, so the ledger sees what the network delivered and not
what the endpoints made of it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import NamedTuple

from aiohttp import web

from importer.emulator import fault_injection
from importer.emulator.allowance import Allowance
from importer.emulator.answers import Answer, Refusal, error_answer
from importer.emulator.api import Api, Call, Route, find_route
from importer.emulator.auth import Tokens
from importer.emulator.faults import CALM, Fate
from importer.emulator.ledger import DROPPED, Ledger
from importer.emulator.rate_headers import spelt
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store

_log = logging.getLogger("importer.emulator")


class _Visit(NamedTuple):
    """One request on its way through."""

    number: int
    route: Route
    customer_id: str
    fate: Fate
    wait_s: float


class Service:
    """Answers the requests of one server.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, settings: EmulatorSettings, store: Store, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._tokens = Tokens(settings, clock)
        self._api = Api(settings, store, self._tokens, ledger.commit)
        self._allowance = Allowance(settings.rates)
        self._stopping = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()
        self._began_s = time.monotonic()

    def stop(self) -> None:
        """Cut every pause short: the server ends."""
        self._stopping.set()

    async def handle(self, request: web.BaseRequest, arrived_s: float) -> web.StreamResponse:
        """Note, judge and answer one request.

        Args:
            arrived_s: when it was first seen, on the monotonic clock.
        """
        route, customer_id = find_route(request.method, request.path)
        number = self._ledger.arrive(arrived_s, route.kind, request.method, route.path)
        wait_s = self._allowance.wait_s(arrived_s)
        fate = CALM if wait_s else self._fate(number, route.kind, arrived_s)
        status, code = DROPPED, ""
        try:
            answer = await self._judged(request, _Visit(number, route, customer_id, fate, wait_s))
            status, code = answer.status, answer.code
            return await self._send(request, answer, fate, arrived_s)
        except (fault_injection.Dropped, ConnectionError):
            fault_injection.cut(request, fate)
            return web.Response()
        finally:
            self._ledger.settle(number, route.kind, status, code=code, faults=fate.names)

    def _fate(self, number: int, kind: str, arrived_s: float) -> Fate:
        faults = self._settings.faults
        if faults is None:
            return CALM
        return faults.fate(number, kind, arrived_s - self._began_s, seed=self._settings.seed)

    async def _judged(self, request: web.BaseRequest, visit: _Visit) -> Answer:
        try:
            return await self._worked(request, visit)
        except Refusal as refusal:
            return self._error(refusal)
        except web.HTTPRequestEntityTooLarge:
            return self._error(Refusal(413, "EMU_TOO_LARGE", "The body is larger than 1 MiB"))
        except (fault_injection.Dropped, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must look like one of the server's
            _log.error("the emulator failed: %s", type(error).__name__)
            return self._error(Refusal(500, "EMU_INTERNAL", f"The emulator itself failed: {type(error).__name__}"))

    async def _worked(self, request: web.BaseRequest, visit: _Visit) -> Answer:
        body, fate = await request.read(), visit.fate
        if visit.wait_s:
            headers = {"Retry-After": str(math.ceil(visit.wait_s))} if self._settings.retry_after else {}
            raise Refusal(429, "EMU_RATE_LIMIT", "The call rate is exceeded", (), headers)
        await self._pause(fate.before_s)
        if fate.rule is not None and fate.rule.fault == "token-expiry":
            self._tokens.expire_all()
        instead = fault_injection.before_work(fate, self._clock())
        if instead is not None:
            return instead
        authorization = request.headers.get("Authorization", "")
        call = Call(visit.number, authorization, visit.customer_id, request.query, body, self._clock(), fate.lag_s)
        if fate.rule is not None and fate.rule.fault == "late-commit":
            self._commit_later(visit.route, call, fate.rule.commit_after_s)
            await self._pause(fate.rule.answer_after_s)
            code = f"EMU_FAULT_{fate.rule.status}"
            raise Refusal(fate.rule.status, code, "This failure is part of the plan of faults")
        answer = await self._asked(visit.route, call)
        await self._pause(fate.after_s)
        return fault_injection.after_work(fate, answer, self._clock())

    def _commit_later(self, route: Route, call: Call, after_s: float) -> None:
        """Work on a request some time after it came, whatever is answered; what is left at the server's end is lost."""
        task = asyncio.create_task(self._worked_later(route, call, after_s))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _worked_later(self, route: Route, call: Call, after_s: float) -> None:
        await self._pause(after_s)
        if not self._stopping.is_set():
            await self._asked(route, call._replace(epoch_s=self._clock()))

    async def _asked(self, route: Route, call: Call) -> Answer:
        """Ask the endpoint; its refusals are answers too, and faults may befall them as any other."""
        try:
            return await self._api.answer(route, call)
        except Refusal as refusal:
            return self._error(refusal)

    def _error(self, refusal: Refusal) -> Answer:
        return error_answer(refusal, self._clock(), self._settings.error_body)

    def _date(self) -> dict[str, str]:
        """The moment of an answer, where this server's clock is not the machine's."""
        return {"Date": formatdate(self._clock(), usegmt=True)} if self._settings.clock_ahead_s else {}

    async def _pause(self, delay_s: float) -> None:
        if delay_s <= 0:
            return
        try:
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _send(self, request: web.BaseRequest, answer: Answer, fate: Fate, arrived_s: float) -> web.StreamResponse:
        allowed = self._allowance.at(arrived_s)
        hints = spelt(allowed, self._settings.rate_headers, self._clock()) if allowed else {}
        response = web.Response(
            status=answer.status,
            body=answer.body,
            headers={**answer.headers, **hints, **self._date()},
            content_type=answer.content_type,
        )
        if fate.rule is None or not fault_injection.is_special(fate):
            return response
        return await fault_injection.send_specially(request, answer, response, fate.rule, self._pause)
