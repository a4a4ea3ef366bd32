"""One request from its arrival to its answer: ledger, rate limit, faults, endpoint, answer.

The arrival is recorded before anything else, so the ledger shows what the network delivered and not what the endpoints
made of it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import NamedTuple

from aiohttp import web

from importer.emulator import fault_injection
from importer.emulator.answers import Answer, Refusal, encoded, error_answer
from importer.emulator.auth import Tokens
from importer.emulator.beneficiaries import Beneficiaries
from importer.emulator.customers_api import Customers
from importer.emulator.documents import Documents
from importer.emulator.faults import NO_FAULT, Injection, Rule
from importer.emulator.ledger import DROPPED, Ledger
from importer.emulator.limits import Limits
from importer.emulator.rate_limit import RateLimit
from importer.emulator.routes import Call, Endpoint, Route, Server, allowed_methods, find_route
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store
from importer.emulator.verification import Verification

_log = logging.getLogger("importer.emulator")


class _Visit(NamedTuple):
    """One request on its way through."""

    number: int
    route: Route
    ids: tuple[str, ...]
    injection: Injection
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
        account_id = str(uuid.uuid5(uuid.NAMESPACE_URL, settings.api_key))
        self._endpoints = _endpoints(Server(settings, store, account_id, ledger.commit), self._tokens)
        self._limit = RateLimit(settings.rates)
        self._stopping = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()
        self._began_s = time.monotonic()

    def stop(self) -> None:
        """Cut every pause short: the server ends."""
        self._stopping.set()

    async def handle(self, request: web.BaseRequest, arrived_s: float) -> web.StreamResponse:
        """Record and answer one request.

        Args:
            arrived_s: when it was first seen, on the monotonic clock.
        """
        route, ids = find_route(request.method, request.path)
        number = self._ledger.arrive(arrived_s, route.kind, request.method, route.path)
        wait_s = self._limit.wait_s(arrived_s)
        injection = NO_FAULT if wait_s else self._chosen(number, route.kind, arrived_s)
        status, code = DROPPED, ""
        try:
            answer = await self._answered(request, _Visit(number, route, ids, injection, wait_s))
            status, code = answer.status, answer.code
            return await self._send(request, answer, injection, arrived_s)
        except (fault_injection.Dropped, ConnectionError):
            fault_injection.cut(request, injection)
            return web.Response()
        finally:
            self._ledger.settle(number, route.kind, status, code=code, faults=injection.names)

    def _chosen(self, number: int, kind: str, arrived_s: float) -> Injection:
        faults = self._settings.faults
        if faults is None:
            return NO_FAULT
        return faults.choose(number, kind, arrived_s - self._began_s, seed=self._settings.seed)

    async def _answered(self, request: web.BaseRequest, visit: _Visit) -> Answer:
        try:
            return await self._worked(request, visit)
        except Refusal as refusal:
            return self._error(refusal)
        except web.HTTPRequestEntityTooLarge:
            return self._error(Refusal(413, "EMU_TOO_LARGE", "The body is larger than this path accepts"))
        except (fault_injection.Dropped, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must look like one of the server's
            _log.error("the emulator failed: %s", type(error).__name__)
            return self._error(Refusal(500, "EMU_INTERNAL", f"The emulator itself failed: {type(error).__name__}"))

    async def _worked(self, request: web.BaseRequest, visit: _Visit) -> Answer:
        body, injection = await request.read(), visit.injection
        if visit.wait_s:
            headers = {"Retry-After": str(math.ceil(visit.wait_s))}
            raise Refusal(429, "EMU_RATE_LIMIT", "The call rate is exceeded", (), headers)
        await self._pause(injection.before_s)
        fault = injection.rule.fault if injection.rule is not None else ""
        if fault == "token-expiry":
            self._tokens.expire_all()
        instead = fault_injection.before_work(injection, self._clock())
        if instead is not None:
            return instead
        call = self._call(request, visit, body)
        if injection.rule is not None and fault == "late-commit":
            return await self._committed_late(visit.route, call, injection.rule)
        answer = await self._asked(visit.route, call)
        await self._pause(injection.after_s)
        return fault_injection.after_work(injection, answer, self._clock())

    def _call(self, request: web.BaseRequest, visit: _Visit, body: bytes) -> Call:
        return Call(
            number=visit.number,
            ids=visit.ids,
            authorization=request.headers.get("Authorization", ""),
            origin=f"{request.scheme}://{request.host}",
            query=request.query,
            body=body,
            epoch_s=self._clock(),
            lag_s=visit.injection.lag_s,
        )

    async def _committed_late(self, route: Route, call: Call, rule: Rule) -> Answer:
        """Answer with a failure, and work on the request some time after it came; at the server's end, never."""
        task = asyncio.create_task(self._worked_later(route, call, rule.commit_after_s))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        await self._pause(rule.answer_after_s)
        raise fault_injection.planned_failure(rule)

    async def _worked_later(self, route: Route, call: Call, after_s: float) -> None:
        await self._pause(after_s)
        if not self._stopping.is_set():
            await self._asked(route, call._replace(epoch_s=self._clock()))

    async def _asked(self, route: Route, call: Call) -> Answer:
        """Ask the endpoint; its refusals are answers too, and faults alter them like any other."""
        try:
            self._check(route, call)
            return await self._endpoints[route.endpoint](call)
        except Refusal as refusal:
            return self._error(refusal)

    def _check(self, route: Route, call: Call) -> None:
        """Refuse unknown paths, and requests without a good token or the role that they need."""
        if route.endpoint == "unknown":
            raise Refusal(404, "EMU_NO_SUCH_PATH", "There is nothing at this path")
        if route.endpoint == "not_allowed":
            headers = {"Allow": allowed_methods(route.path)}
            raise Refusal(405, "EMU_METHOD", "This path does not accept this method", (), headers)
        if route.token:
            self._tokens.check(call.authorization)
        if route.changes:
            self._tokens.check_may_change()

    def _error(self, refusal: Refusal) -> Answer:
        return error_answer(refusal, self._clock(), self._settings.error_body)

    def _date(self) -> dict[str, str]:
        """The time of an answer, where this server's clock is not the machine's."""
        return {"Date": formatdate(self._clock(), usegmt=True)} if self._settings.clock_ahead_s else {}

    async def _pause(self, delay_s: float) -> None:
        if delay_s <= 0:
            return
        try:
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _send(
        self, request: web.BaseRequest, answer: Answer, injection: Injection, arrived_s: float
    ) -> web.StreamResponse:
        limit = self._limit.at(arrived_s)
        announced = limit.headers(self._settings.rate_headers, self._clock()) if limit else {}
        response = web.Response(
            status=answer.status,
            body=answer.body,
            headers={**answer.headers, **announced, **self._date()},
            content_type=answer.content_type,
        )
        if injection.rule is None or not fault_injection.is_special(injection):
            return response
        return await fault_injection.send_specially(request, answer, response, injection.rule, self._pause)


def _endpoints(server: Server, tokens: Tokens) -> Mapping[str, Endpoint]:
    """All endpoints by the names that routes use."""

    async def exchange(call: Call) -> Answer:
        return Answer(200, encoded(tokens.exchange(call.authorization)))

    resources = (Customers, Beneficiaries, Limits, Verification, Documents)
    return {"exchange": exchange} | {
        name: endpoint for resource in resources for name, endpoint in resource(server).endpoints().items()
    }
