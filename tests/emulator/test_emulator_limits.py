"""The emulator's own rate limit: strict in every rolling window, and honest about the wait."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime

import pytest

from importer.emulator import EmulatorSettings
from importer.emulator.rate_limit import RateHeaders, RateLimit, parse_rates
from tests.emulator.client import served


async def test_requests_above_the_rate_get_429_of_whatever_kind_they_are() -> None:
    async with served(EmulatorSettings(rates=((4, 60.0),))) as caller:
        replies = [await caller.create(), await caller.listed(), await caller.get("x")]
        refused = [await caller.create(), await caller.listed(), await caller.exchange()]

        assert [reply.status for reply in replies] == [201, 200, 404]
        assert {(reply.status, reply.json["errorCode"]) for reply in refused} == {(429, "EMU_RATE_LIMIT")}
        assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
        assert len(list(caller.emulator.customers())) == 1


async def test_of_a_burst_exactly_the_limit_passes() -> None:
    async with served(EmulatorSettings(rates=((10, 60.0),))) as caller:
        replies = await asyncio.gather(*(caller.create() for _ in range(40)))

        assert sorted(reply.status for reply in replies) == [201] * 9 + [429] * 31
        assert caller.emulator.largest_window(60) == 41


@pytest.mark.parametrize(("spelling", "prefix"), [("draft", ""), ("x", "X-")])
async def test_headers_announce_the_limit_when_asked_to(spelling: RateHeaders, prefix: str) -> None:
    async with served(EmulatorSettings(rates=((2, 60.0),), rate_headers=spelling)) as caller:
        passed, refused = await caller.listed(), await caller.listed()

        assert (passed.status, refused.status) == (200, 429)
        assert passed.headers[f"{prefix}RateLimit-Limit"] == "2"
        assert passed.headers[f"{prefix}RateLimit-Remaining"] == "0"
        assert 1 <= int(refused.headers[f"{prefix}RateLimit-Reset"]) <= 60


async def test_headers_can_use_the_latest_spelling_and_a_time_instead_of_seconds() -> None:
    async with (
        served(EmulatorSettings(rates=((5, 60.0),), rate_headers="ietf")) as caller,
        served(EmulatorSettings(rates=((5, 60.0),), rate_headers="x-epoch")) as other,
    ):
        latest, dated = (await caller.listed()).headers, (await other.listed()).headers

        assert latest["RateLimit"] in {f'"default";r=3;t={seconds}' for seconds in (59, 60)}
        assert latest["RateLimit-Policy"] == '"default";q=5;w=60'
        sent = parsedate_to_datetime(dated["Date"]).timestamp()
        assert 58 <= int(dated["X-RateLimit-Reset"]) - sent <= 62


async def test_headers_announce_no_limit_where_there_is_none() -> None:
    silent = EmulatorSettings(rates=((9, 1),))
    async with served(EmulatorSettings(rate_headers="x")) as caller, served(silent) as other:
        replies = [await caller.listed(), await other.listed()]

        assert not any("ratelimit" in name.lower() for reply in replies for name in reply.headers)


def test_no_rolling_window_ever_holds_more_than_the_rate() -> None:
    limit = RateLimit(((3, 1.0),))
    passed = [moment / 100 for moment in range(0, 1000, 7) if limit.wait_s(moment / 100) == 0]

    assert max(sum(start <= moment < start + 1 for moment in passed) for start in passed) == 3
    assert len(passed) >= 25


def test_the_wait_is_what_remains_of_the_window() -> None:
    limit = RateLimit(((2, 10.0),))
    waits = [limit.wait_s(moment) for moment in (0.0, 1.0, 4.0, 9.5, 10.0, 10.5)]

    assert waits == [0.0, 0.0, 6.0, 0.5, 0.0, 0.5]


def test_without_a_rate_everything_passes() -> None:
    assert RateLimit(()).wait_s(0.0) == 0.0


def test_of_several_limits_all_hold_and_what_one_refuses_uses_up_none_of_the_others() -> None:
    limit = RateLimit(((2, 1.0), (3, 60.0)))
    waits = [limit.wait_s(moment) for moment in (0.0, 0.5, 0.75, 1.0, 1.5)]

    assert waits == [0.0, 0.0, 0.25, 0.0, 58.5]
    state = limit.at(2.5)
    assert state is not None
    assert (state.limit, state.remaining) == (3, 0)


@pytest.mark.parametrize("text", ["", "10", "0/s", "10/fortnight", "10/s,", "fast"])
def test_what_is_not_a_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="10/s or 600/min"):
        parse_rates(text)


def test_several_rates_are_written_with_commas() -> None:
    assert parse_rates("10/s, 600/Min,20000/day") == ((10, 1.0), (600, 60.0), (20_000, 86_400.0))
