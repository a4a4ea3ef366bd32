"""The list of customers: filters, order, pages, days in their time zone, and lag."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import BAKERY, HOME, SARAH, Caller, served


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Hands:
    """The hands of a clock that a test moves."""

    def __init__(self, text: str = "2026-03-01 12:00:00") -> None:
        self.now_s = _moment(text)

    def __call__(self) -> float:
        return self.now_s


async def _three(caller: Caller) -> dict[str, str]:
    """Sarah, Omar and a bakery, by name."""
    sarah = await caller.create(externalId="A-1", middleName="Ann", addresses=[HOME])
    omar = await caller.create(
        SARAH,
        firstName="Omar",
        lastName="Haddad",
        primaryEmail={"value": "Omar@Example.com"},
        primaryPhoneNumber={"number": "+442079460123", "type": "WORK"},
    )
    bakery = await caller.create(
        BAKERY, addresses=[{**HOME, "cityName": "Lyon", "countryCode": "FRA", "zipCode": "69001"}]
    )
    await caller.call("PUT", f"/v1/customers/{omar.json['id']}/suspend")
    return {"sarah": sarah.json["id"], "omar": omar.json["id"], "bakery": bakery.json["id"]}


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, "bakery omar sarah"),
        ({"externalId": "A-1"}, "sarah"),
        ({"externalId": "a-1"}, ""),
        ({"externalId": "A-"}, ""),
        ({"primaryEmail": "omar@example.COM"}, "omar"),
        ({"primaryEmail": "omar"}, ""),
        ({"primaryEmail": "ada@bakery.example.com"}, "bakery"),
        ({"primaryPhoneNumber": "+442079460123"}, "omar"),
        ({"primaryPhoneNumber": " 442079460123"}, ""),
        ({"primaryPhonenumber": "+442079460123"}, "omar"),
        ({"primaryPhoneNumber": "(212) 555-0123"}, "bakery"),
        ({"name": "ann"}, "sarah"),
        ({"name": "BAKER"}, "bakery"),
        ({"name": "hAdD"}, "omar"),
        ({"search": "bakery.example"}, "bakery"),
        ({"search": "4420794"}, "omar"),
        ({"search": "green"}, "sarah"),
        ({"type": "BUSINESS"}, "bakery"),
        ({"type": "INDIVIDUAL"}, "omar sarah"),
        ({"status": "SUSPENDED"}, "omar"),
        ({"status": "ACTIVE"}, "bakery sarah"),
        ({"cityName": "springfield"}, "sarah"),
        ({"cityName": "spring"}, ""),
        ({"countryCode": "FRA"}, "bakery"),
        ({"zipCode": "62701"}, "sarah"),
        ({"type": "INDIVIDUAL", "status": "ACTIVE", "search": "sarah"}, "sarah"),
        ({"type": "BUSINESS", "name": "sarah"}, ""),
        ({"primaryEmail": "' OR 1=1 --"}, ""),
        ({"unheardOf": "x"}, "bakery omar sarah"),
    ],
)
async def test_filters_combine_with_and(params: dict[str, str], names: str) -> None:
    hands = Hands()
    async with served(clock=hands) as caller:
        ids = await _three(caller)

        assert await caller.found(**params) == [ids[name] for name in names.split()]


async def test_search_finds_a_customer_by_its_id() -> None:
    async with served() as caller:
        ids = await _three(caller)

        assert await caller.found(search=ids["omar"]) == [ids["omar"]]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"createdAtFrom": "2026-03-01"}, ["morning", "evening", "next"]),
        ({"createdAtTo": "2026-03-01"}, ["before", "morning", "evening"]),
        ({"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01"}, ["morning", "evening"]),
        ({"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01", "timeZone": "UTC"}, ["morning", "evening"]),
        ({"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01", "timeZone": "+02:00"}, ["before", "morning"]),
        ({"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01", "timeZone": "UTC+2"}, ["before", "morning"]),
        ({"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01", "timeZone": "GMT-3"}, ["evening", "next"]),
        (
            {"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01", "timeZone": "America/Chicago"},
            ["evening", "next"],
        ),
        ({"createdAtFrom": "2026-03-02", "createdAtTo": "2026-03-01"}, []),
    ],
)
async def test_days_are_inclusive_and_read_in_their_time_zone(params: dict[str, str], expected: list[str]) -> None:
    hands, ids = Hands(), {}
    moments = {
        "before": "2026-02-28 23:00:00",
        "morning": "2026-03-01 00:00:00",
        "evening": "2026-03-01 23:59:59",
        "next": "2026-03-02 00:00:00",
    }
    async with served(EmulatorSettings(token_ttl_s=1e6), clock=hands) as caller:
        hands.now_s = _moment(moments["before"])
        await caller.exchange()
        for name, moment in moments.items():
            hands.now_s = _moment(moment)
            ids[name] = (await caller.create()).json["id"]

        assert await caller.found(sort="createdAt,ASC", **params) == [ids[name] for name in expected]


async def test_pages_are_counted_from_zero_and_cover_everything_once() -> None:
    async with served() as caller:
        ids = [(await caller.create()).json["id"] for _ in range(7)]
        pages = [(await caller.listed(page=n, size=3, sort="createdAt,ASC")).json for n in range(4)]
        envelopes = [{name: value for name, value in page.items() if name != "content"} for page in pages]

        assert [customer["id"] for page in pages for customer in page["content"]] == ids
        assert envelopes == [
            {"totalElements": 7, "totalPages": 3, "number": n, "numberOfElements": count, "hasNext": more}
            for n, (count, more) in enumerate([(3, True), (3, True), (1, False), (0, False)])
        ]


async def test_an_empty_list_has_no_pages() -> None:
    async with served() as caller:
        assert (await caller.listed()).json == {
            "totalElements": 0,
            "totalPages": 0,
            "number": 0,
            "numberOfElements": 0,
            "hasNext": False,
            "content": [],
        }


async def test_a_page_holds_twenty_unless_asked_and_never_above_the_cap() -> None:
    async with served() as caller:
        for _ in range(21):
            await caller.create()

        assert (await caller.listed()).json["numberOfElements"] == 20
        assert (await caller.listed(size=500)).json["numberOfElements"] == 21
    async with served(EmulatorSettings(page_size=2, page_cap=3)) as caller:
        for _ in range(4):
            await caller.create()

        assert (await caller.listed()).json["numberOfElements"] == 2
        assert (await caller.listed(size=4)).json["numberOfElements"] == 3


async def test_the_newest_comes_first_unless_a_sort_is_given() -> None:
    async with served() as caller:
        ids = await _three(caller)
        newest = [ids["bakery"], ids["omar"], ids["sarah"]]

        assert await caller.found() == newest
        assert await caller.found(sort="createdAt,ASC") == newest[::-1]
        assert await caller.found(sort="createdAt") == newest[::-1]
        assert await caller.found(sort="lastName,DESC", type="INDIVIDUAL") == [ids["omar"], ids["sarah"]]


async def test_several_sorts_apply_in_their_order() -> None:
    async with served() as caller:
        ids = await _three(caller)
        reply = await caller.call("GET", "/v1/customers?sort=type,ASC&sort=lastName,ASC")

        assert [customer["id"] for customer in reply.json["content"]] == [ids["bakery"], ids["sarah"], ids["omar"]]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("page=-1", "page"),
        ("page=one", "page"),
        ("page=99999999999", "page"),
        ("size=0", "size"),
        ("size=1.5", "size"),
        ("sort=createdAt,UP", "sort"),
        ("sort=body", "sort"),
        ("type=individual", "type"),
        ("status=DELETED", "status"),
        ("createdAtFrom=2026-02-30", "createdAtFrom"),
        ("createdAtTo=20260301", "createdAtTo"),
        ("createdAtTo=9999-12-31", "createdAtTo"),
        ("timeZone=Mars/Base", "timeZone"),
        ("timeZone=%2B99:00", "timeZone"),
        ("timeZone=../etc/passwd", "timeZone"),
    ],
)
async def test_a_wrong_parameter_is_refused(query: str, path: str) -> None:
    async with served() as caller:
        refused = await caller.call("GET", f"/v1/customers?{query}")

        assert refused.status == 400
        assert [problem["path"] for problem in refused.json["errors"]] == [path]


async def test_a_lagging_list_shows_a_customer_later_while_its_id_answers_at_once() -> None:
    hands = Hands()
    async with served(EmulatorSettings(list_lag_s=5), clock=hands) as caller:
        created = await caller.create(externalId="A-1")
        customer_id = created.json["id"]
        early = await caller.listed(externalId="A-1")
        hands.now_s += 4.9
        still = await caller.found()
        hands.now_s += 0.2

        assert (await caller.get(customer_id)).status == 200
        assert early.json["totalElements"] == 0
        assert still == []
        assert await caller.found(externalId="A-1") == [customer_id]
        assert (await caller.create(externalId="A-1")).status == 409
