from __future__ import annotations

import asyncio
from typing import Any

import pytest

from importer.core.errors import AccessError
from importer.core.outcomes import Reply, Verdict
from importer.targets.rocketkor.tokens import (
    ASSUMED_LIFETIME_S,
    LONGEST_LIFETIME_S,
    NoTokenError,
    Token,
    Tokens,
    read_token,
)
from tests.unit.targets.scripted import FixedClock, Script, created, hang_up, opened, record, reply, server, silence

TROUBLE = NoTokenError(Reply(Verdict.RETRY, error_code="unavailable"))


class Exchange:
    """A token exchange that waits until it is let go, and counts."""

    def __init__(self, clock: FixedClock, lifetime_s: float = 100.0) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self.count = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def __call__(self) -> Token:
        self.count += 1
        asked_at = self._clock.monotonic()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        value = {"Authorization": f"Bearer {self.count}"}
        return Token(value, value, asked_at, self._lifetime_s)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def exchange(clock: FixedClock) -> Exchange:
    return Exchange(clock)


@pytest.fixture
async def tokens(clock: FixedClock, exchange: Exchange) -> Tokens:
    return Tokens(exchange, clock)


async def test_a_crowd_shares_one_exchange(tokens: Tokens, exchange: Exchange) -> None:
    exchange.gate.clear()
    crowd = [asyncio.create_task(tokens.obtain()) for _ in range(50)]
    await turns()
    exchange.gate.set()
    got = await asyncio.gather(*crowd)

    assert exchange.count == 1
    assert len({id(token) for token in got}) == 1


async def test_a_waiter_that_is_cancelled_leaves_the_exchange_to_the_others(tokens: Tokens, exchange: Exchange) -> None:
    exchange.gate.clear()
    first, second = (asyncio.create_task(tokens.obtain()) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    exchange.gate.set()

    assert (await second).headers == {"Authorization": "Bearer 1"}
    assert first.cancelled()
    assert exchange.count == 1


async def test_an_exchange_that_everybody_left_is_used_by_the_next_one(tokens: Tokens, exchange: Exchange) -> None:
    exchange.gate.clear()
    alone = asyncio.create_task(tokens.obtain())
    await turns()
    alone.cancel()
    await turns()
    exchange.gate.set()
    await tokens.obtain()

    assert exchange.count == 1


async def test_renewal_happens_ahead_of_expiry_while_the_old_token_goes_on(
    tokens: Tokens, exchange: Exchange, clock: FixedClock
) -> None:
    old = await tokens.obtain()
    clock.ticks += 79.0
    assert tokens.current() is old
    await turns()
    assert exchange.count == 1

    exchange.gate.clear()
    clock.ticks += 10.0
    assert {id(tokens.current()) for _ in range(20)} == {id(old)}
    assert await tokens.obtain() is old
    await turns()
    assert exchange.count == 2

    exchange.gate.set()
    await turns()
    assert tokens.current() is not old
    assert exchange.count == 2


async def test_the_new_tokens_life_counts_from_when_it_was_asked_for(
    tokens: Tokens, exchange: Exchange, clock: FixedClock
) -> None:
    exchange.gate.clear()
    waiting = asyncio.create_task(tokens.obtain())
    await turns()
    clock.ticks += 99.5  # the answer was slow
    exchange.gate.set()
    await waiting
    clock.ticks += 0.6

    assert tokens.current() is None


async def test_the_wall_clock_does_not_matter(tokens: Tokens, clock: FixedClock) -> None:
    token = await tokens.obtain()
    for skew in (-1e9, 1e9):
        clock.wall += skew
        assert tokens.current() is token


async def test_a_renewal_that_fails_is_tried_again_after_a_pause_and_costs_nothing_meanwhile(
    tokens: Tokens, exchange: Exchange, clock: FixedClock
) -> None:
    old = await tokens.obtain()
    exchange.error = TROUBLE
    clock.ticks += 86.0
    for _ in range(10):
        assert tokens.current() is old
        await turns()
    assert exchange.count == 2

    exchange.error = None
    clock.ticks += 4.0
    tokens.current()
    await turns()
    assert exchange.count == 3
    assert tokens.current() is not old


async def test_a_failure_of_the_exchange_reaches_every_waiter_and_the_next_one_tries_again(
    tokens: Tokens, exchange: Exchange
) -> None:
    exchange.error = TROUBLE
    said = await asyncio.gather(*(tokens.obtain() for _ in range(3)), return_exceptions=True)
    assert said == [TROUBLE] * 3

    exchange.error = None
    await tokens.obtain()
    assert exchange.count == 2


async def test_a_refusal_is_remembered_and_credentials_are_not_tried_twice(tokens: Tokens, exchange: Exchange) -> None:
    exchange.error = AccessError("refused")
    for _ in range(3):
        with pytest.raises(AccessError):
            await tokens.obtain()

    assert exchange.count == 1


async def test_a_refused_renewal_leaves_the_valid_token_to_its_end(
    tokens: Tokens, exchange: Exchange, clock: FixedClock
) -> None:
    old = await tokens.obtain()
    exchange.error = AccessError("refused")
    clock.ticks += 86.0
    for _ in range(5):
        assert tokens.current() is old
        await turns()
        clock.ticks += 2.7
    assert exchange.count == 2

    clock.ticks += 5.0
    assert tokens.current() is None
    with pytest.raises(AccessError):
        await tokens.obtain()


async def test_a_discarded_token_is_never_used_again_and_a_newer_one_survives(tokens: Tokens) -> None:
    old = await tokens.obtain()
    tokens.discard(old)
    assert tokens.current() is None
    new = await tokens.obtain()
    tokens.discard(old)

    assert tokens.current() is new


async def test_closing_ends_an_exchange_under_way(tokens: Tokens, exchange: Exchange) -> None:
    exchange.gate.clear()
    waiting = asyncio.create_task(tokens.obtain())
    await turns()
    await tokens.aclose()
    await tokens.aclose()

    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_a_token_never_shows_itself() -> None:
    token = read_token(b'{"access_token": "canary-token", "expires_in": 60}', 0.0)

    assert token is not None
    assert token.headers["Authorization"] == "Bearer canary-token"
    assert "canary" not in repr(token)


@pytest.mark.parametrize(
    ("stated", "lifetime_s"),
    [
        ("3600", 3600.0),
        ('"3600"', 3600.0),
        ("1.5", 1.5),
        ("null", ASSUMED_LIFETIME_S),
        ('"soon"', ASSUMED_LIFETIME_S),
        ("0", ASSUMED_LIFETIME_S),
        ("-1", ASSUMED_LIFETIME_S),
        ("NaN", ASSUMED_LIFETIME_S),
        ("[]", ASSUMED_LIFETIME_S),
        ("1e300", LONGEST_LIFETIME_S),
        ("Infinity", LONGEST_LIFETIME_S),
        ("1" + "0" * 400, ASSUMED_LIFETIME_S),
    ],
)
def test_a_senseless_lifetime_is_replaced_by_a_careful_one(stated: str, lifetime_s: float) -> None:
    token = read_token(f'{{"access_token": "t", "expires_in": {stated}}}'.encode(), 0.0)

    assert token is not None
    assert token.lifetime_s == lifetime_s


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"access_token": ""}',
        b'{"access_token": 5}',
        b'{"access_token": "a b"}',
        b'{"access_token": "a\\r\\nX-Evil: 1"}',
        '{"access_token": "tökén"}'.encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_not_a_token_is_none(body: bytes) -> None:
    assert read_token(body, 0.0) is None


# --------------------------------------------------------------------------- through the whole target


@pytest.mark.parametrize("status", [400, 401, 403, 404, 301, 302, 405, 407, 418])
async def test_refused_credentials_stop_the_run_before_a_row_is_sent(status: int) -> None:
    script = Script([created()], exchanges=[reply(status, {"message": "no"}, headers={"Location": "/elsewhere"})])
    async with server(script), opened(script.url) as it:
        with pytest.raises(AccessError) as refusal:
            await it.target.check()
        said = [await it.target.send(record()) for _ in range(3)]
        found = await it.target.find(record())

    assert str(status) in str(refusal.value)
    assert {answer.verdict for answer in said} == {Verdict.ABORT}
    assert found.failure is not None
    assert found.failure.verdict is Verdict.ABORT
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (reply(500), "server_fault"),
        (reply(503, headers={"Retry-After": "9"}), "unavailable"),
        (reply(429, headers={"Retry-After": "9"}), "rate_limited"),
        (reply(408), "request_timeout"),
        (reply(200, b"<html>hello</html>"), "token_unreadable"),
        (hang_up(), "disconnected"),
        (silence(), "read_timeout"),
    ],
)
async def test_a_failed_exchange_is_known_not_created(step: Any, code: str) -> None:
    script = Script([created()], exchanges=[step])
    async with server(script), opened(script.url, read_timeout_s=0.1) as it:
        said = await it.target.send(record())
        checked = await it.target.check()

    assert (said.verdict, said.error_code) == (Verdict.RETRY, code)
    assert checked is not None
    assert checked.error_code == code
    assert said.retry_after_s in {None, 9.0}
    assert "not known whether" not in said.message
    assert not script.calls


async def test_a_good_check_costs_one_request_and_its_token_is_used() -> None:
    async with server(Script([created()])) as script, opened(script.url) as it:
        assert await it.target.check() is None
        await it.target.send(record())

    assert len(script.exchanged) == 1


async def test_a_token_that_expires_in_mid_run_costs_no_row() -> None:
    async with server(Script([created()])) as script, opened(script.url) as it:
        said = []
        for _ in range(30):
            it.clock.ticks += 700.0
            said.append(await it.target.send(record()))

    assert {answer.verdict for answer in said} == {Verdict.ACCEPT}
    assert 5 <= len(script.exchanged) <= 7


async def test_a_token_that_expires_while_a_slot_is_awaited_is_replaced_first() -> None:
    async with server(Script([created()])) as script, opened(script.url) as it:
        await it.target.check()

        def pause_of_the_pool(slot: int) -> None:
            if slot == 2:
                it.clock.ticks += 5_000.0

        it.limiter.on_slot = pause_of_the_pool
        said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT
    assert [call.headers["authorization"] for call in script.calls] == ["Bearer token-2"]
    assert it.limiter.slots == it.limiter.departed == len(script.requests)


async def test_a_token_that_never_outlives_the_wait_for_a_slot_is_not_fetched_for_ever() -> None:
    async with server(Script([created()])) as script, opened(script.url) as it:

        def longer_than_any_token(_: int) -> None:
            it.clock.ticks += 5_000.0

        it.limiter.on_slot = longer_than_any_token
        said = await it.target.send(record())

    assert (said.verdict, said.error_code, said.shared) == (Verdict.RETRY, "token_short_lived", True)
    assert not script.calls
    assert it.limiter.slots == len(script.exchanged)


async def test_the_pool_hears_of_an_exchange_once_however_many_wait_for_it() -> None:
    script = Script([created()], exchanges=[reply(503, headers={"Retry-After": "9"}), Script().token()])
    async with server(script), opened(script.url) as it:
        said = await asyncio.gather(*(it.target.send(record()) for _ in range(16)))
        again = await it.target.send(record())

    assert {(one.verdict, one.shared) for one in said} == {(Verdict.RETRY, True)}
    assert [one.verdict for one in it.limiter.learned] == [Verdict.RETRY, Verdict.ACCEPT]
    assert it.limiter.learned[0].retry_after_s == 9.0
    assert all(one.took_s is not None for one in it.limiter.learned)
    assert (again.verdict, again.shared) == (Verdict.ACCEPT, False)


async def test_a_renewal_in_the_background_reports_to_the_pool_and_waits_as_the_server_says() -> None:
    busy = reply(429, headers={"Retry-After": "200"})
    script = Script([created()], exchanges=[Script().token(), busy])
    async with server(script), opened(script.url) as it:
        await it.target.check()
        it.clock.ticks += 3_600.0 * 0.86
        for _ in range(5):
            assert (await it.target.send(record())).verdict is Verdict.ACCEPT
            it.clock.ticks += 30.0
        assert len(script.exchanged) == 2
        assert [one.retry_after_s for one in it.limiter.learned] == [None, 200.0]
        it.clock.ticks += 120.0
        await it.target.send(record())
        await it.target.send(record())

    assert len(script.exchanged) == 3


async def test_a_burst_of_401s_leads_to_one_new_token() -> None:
    script = Script()
    waiting: list[asyncio.Event] = []

    async def refuse_the_old(request: Any, writer: asyncio.StreamWriter) -> None:
        if request.headers["authorization"] == "Bearer token-1":
            waiting.append(asyncio.Event())
            if len(waiting) == 8:
                for event in waiting:
                    event.set()
            await waiting[-1].wait()
            writer.write(reply(401))
        else:
            writer.write(created())

    script.steps = [refuse_the_old]
    async with server(script), opened(script.url) as it:
        said = await asyncio.gather(*(it.target.send(record()) for _ in range(8)))

    assert {answer.verdict for answer in said} == {Verdict.ACCEPT}
    assert len(script.exchanged) == 2
    assert it.limiter.slots == len(script.requests) == 2 + 16


async def test_a_cancelled_worker_leaves_no_unobserved_exchange_behind() -> None:
    script = Script([created()], exchanges=[reply(401)])
    async with server(script), opened(script.url) as it:
        doomed = asyncio.create_task(it.target.send(record()))
        await turns()
        doomed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doomed
        assert (await it.target.send(record())).verdict is Verdict.ABORT


async def turns(count: int = 5) -> None:
    """Give every other task a few turns."""
    for _ in range(count):
        await asyncio.create_task(_nothing())


async def _nothing() -> None:
    return
