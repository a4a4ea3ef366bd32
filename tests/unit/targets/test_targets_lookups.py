from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from importer.core.outcomes import Found, RateHint, Verdict
from importer.targets.rocketkor.lookups import MAX_COMPLETIONS
from importer.targets.rocketkor.pages import MAX_PAGES
from tests.unit.targets.scripted import (
    BUSINESS,
    PERSON,
    Request,
    Script,
    Step,
    hang_up,
    opened,
    record,
    reply,
    server,
    silence,
)

BY_EMAIL = {name: value for name, value in PERSON.items() if name != "externalId"}


def page(*customers: Any, more: Any = False, **changes: Any) -> bytes:
    content = list(customers)
    envelope = {"totalElements": len(content), "totalPages": 1, "number": 0, "numberOfElements": len(content)}
    return reply(200, envelope | {"hasNext": more, "content": content} | changes)


def customer(customer_id: str, body: Any = PERSON, **changes: Any) -> dict[str, Any]:
    return {"id": customer_id, **body, **changes}


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query, strict_parsing=True).items()}


def ids(found: Found) -> list[str]:
    assert found.failure is None
    return [candidate.customer_id for candidate in found.candidates]


async def test_an_external_id_is_looked_up_exactly_and_encoded() -> None:
    odd = {**PERSON, "externalId": "a&b=c d/é+%"}
    async with server(Script([page(customer("c-1", odd))])) as script, opened(script.url) as it:
        found = await it.target.find(record(odd))

    assert ids(found) == ["c-1"]
    assert dict(found.candidates[0].body)["firstName"] == "Sarah"
    assert query(script.calls[0]) == {
        "externalId": "a&b=c d/é+%",
        "sort": "createdAt,ASC",
        "page": "0",
        "size": "100",
    }
    assert "+" not in script.calls[0].path
    assert "%2B" in script.calls[0].path
    assert script.calls[0].method == "GET"
    assert "content-type" not in script.calls[0].headers


async def test_without_an_external_id_email_and_type_decide() -> None:
    async with server(Script([page()])) as script, opened(script.url) as it:
        found = await it.target.find(record(BUSINESS))

    assert ids(found) == []
    assert query(script.calls[0]) | {} == {
        "primaryEmail": "ann+shop@example.net",
        "type": "BUSINESS",
        "sort": "createdAt,ASC",
        "page": "0",
        "size": "100",
    }
    assert "ann%2Bshop" in script.calls[0].path


def dated(moment_s: float) -> Script:
    """A list without customers at a server whose clock says something."""
    headers = {"Date": formatdate(moment_s, usegmt=True)}
    return Script([page()], [reply(200, {"access_token": "token-1", "expires_in": 3600}, headers=headers)])


async def test_a_row_in_doubt_is_looked_for_from_the_day_before() -> None:
    async with server(dated(1_790_000_000.0)) as script, opened(script.url) as it:
        await it.target.find(record(BY_EMAIL, doubt_since=1_772_323_260.0))  # 2026-03-01T00:01:00Z

    assert query(script.calls[0])["createdAtFrom"] == "2026-02-28"
    assert query(script.calls[0])["timeZone"] == "UTC"


async def test_a_row_in_doubt_is_looked_for_by_the_servers_clock_where_ours_is_days_ahead() -> None:
    there_s = 1_772_323_260.0  # 2026-03-01T00:01:00Z
    async with server(dated(there_s)) as script, opened(script.url) as it:
        assert it.clock.now() > there_s + 3 * 86_400
        await it.target.find(record(BY_EMAIL, doubt_since=it.clock.now()))

    assert query(script.calls[0])["createdAtFrom"] == "2026-02-28"


async def test_where_the_servers_clock_is_not_known_no_day_is_asked_for() -> None:
    async with server(Script([page()])) as script, opened(script.url) as it:
        await it.target.find(record(BY_EMAIL, doubt_since=1_772_323_260.0))

    assert "createdAtFrom" not in query(script.calls[0])


async def test_when_a_customer_was_created_is_said_only_where_the_servers_clock_is_known() -> None:
    listed = page(customer("c-1", {**PERSON, "createdAt": "2026-03-01T00:01:00Z"}))
    unknown, known = Script([listed]), dated(1_790_000_000.0)
    known.steps = [listed]
    moments = []
    for script in (unknown, known):
        async with server(script), opened(script.url) as it:
            moments += [one.created_at for one in (await it.target.find(record())).candidates]

    assert moments == [None, 1_772_323_260.0]


async def test_equality_is_checked_here_and_not_left_to_the_filter() -> None:
    listed = page(
        customer("other-id", {**PERSON, "externalId": "LEGACY-00421"}),
        customer("right", PERSON),
        customer("case", {**PERSON, "externalId": "legacy-0042"}),
    )
    async with server(Script([listed])) as script, opened(script.url) as it:
        assert ids(await it.target.find(record())) == ["right"]


async def test_emails_are_equal_without_regard_to_case_and_types_must_agree() -> None:
    listed = page(
        customer("same", {**BY_EMAIL, "primaryEmail": {"value": " SGreen@EXAMPLE.com "}}),
        customer("longer", {**BY_EMAIL, "primaryEmail": {"value": "xsgreen@example.com"}}),
        customer("business", {"type": "BUSINESS", "contacts": [{"primaryEmail": {"value": "sgreen@example.com"}}]}),
        customer("blank", {**BY_EMAIL, "primaryEmail": None}),
        customer("odd", {**BY_EMAIL, "primaryEmail": {"value": 5}}),
    )
    async with server(Script([listed])) as script, opened(script.url) as it:
        assert ids(await it.target.find(record(BY_EMAIL))) == ["same"]


async def test_all_pages_are_walked() -> None:
    pages = [page(customer(f"c-{number}"), more=number < 4, number=number) for number in range(5)]
    async with server(Script([*pages])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert ids(found) == [f"c-{number}" for number in range(5)]
    assert [query(call)["page"] for call in script.calls] == ["0", "1", "2", "3", "4"]
    assert it.limiter.slots == len(script.requests)


async def test_a_customer_that_slid_onto_two_pages_counts_once() -> None:
    pages = [page(customer("c-1"), customer("c-2"), more=True), page(customer("c-2"), customer("c-3"))]
    async with server(Script([*pages])) as script, opened(script.url) as it:
        assert ids(await it.target.find(record())) == ["c-1", "c-2", "c-3"]


async def test_a_last_page_that_claims_more_is_followed_by_an_empty_one() -> None:
    async with server(Script([page(customer("c-1"), more=True), page(more=True)])) as script, opened(script.url) as it:
        assert ids(await it.target.find(record())) == ["c-1"]
        assert len(script.calls) == 2


async def test_a_repeated_page_that_shows_all_there_is_ends_the_walk() -> None:
    async with server(Script([page(customer("c-1"), more=True)])) as script, opened(script.url) as it:
        assert ids(await it.target.find(record())) == ["c-1"]
        assert len(script.calls) == 2


async def test_a_repeated_page_that_hides_some_proves_nothing() -> None:
    script = Script([page(customer("c-1"), more=True, totalElements=7)])
    async with server(script), opened(script.url) as it:
        found = await it.target.find(record())

    assert found.failure is not None
    assert (found.failure.verdict, found.failure.error_code) == (Verdict.RETRY, "look_up_incomplete")
    assert len(script.calls) == 2


async def test_pages_without_end_are_given_up() -> None:
    script = Script()

    async def endless(request: Request, writer: Any) -> None:
        writer.write(page(customer(f"c-{query(request)['page']}"), more=True))

    script.steps = [endless]
    async with server(script), opened(script.url) as it:
        found = await it.target.find(record())

    assert found.failure is not None
    assert found.failure.error_code == "look_up_incomplete"
    assert len(script.calls) == MAX_PAGES


async def test_a_bare_array_is_a_whole_list_and_a_page_without_has_next_is_walked_to_its_end() -> None:
    bare = reply(200, [customer("c-1")])
    silent = reply(200, {"content": [customer("c-1")]})
    async with server(Script([bare, silent, reply(200, {"content": []})])) as script, opened(script.url) as it:
        assert ids(await it.target.find(record())) == ["c-1"]
        assert ids(await it.target.find(record())) == ["c-1"]
        assert len(script.calls) == 3


@pytest.mark.parametrize(
    "answer",
    [
        reply(200),
        reply(200, b"<html>portal</html>"),
        reply(200, b'{"content": ['),
        reply(200, {"content": None}),
        reply(200, {"content": {"0": {}}}),
        reply(200, "text"),
        page("no object"),
        page({"firstName": "nobody"}),
        reply(204),
        reply(206, {"content": []}),
    ],
)
async def test_a_list_that_cannot_be_read_proves_nothing(answer: bytes) -> None:
    async with server(Script([answer])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert found.failure is not None
    assert found.failure.verdict is Verdict.RETRY


@pytest.mark.parametrize(
    ("step", "verdict"),
    [
        (reply(400), Verdict.REJECT),
        (reply(401), Verdict.ABORT),
        (reply(403), Verdict.ABORT),
        (reply(404), Verdict.ABORT),
        (reply(408), Verdict.RETRY),
        (reply(409), Verdict.REJECT),
        (reply(422), Verdict.REJECT),
        (reply(429, headers={"Retry-After": "4"}), Verdict.RETRY),
        (reply(500), Verdict.RETRY),
        (reply(503, headers={"Retry-After": "4"}), Verdict.RETRY),
        (reply(302, headers={"Location": "/login"}), Verdict.ABORT),
        (reply(303, headers={"Location": "/login"}), Verdict.ABORT),
        (reply(307, headers={"Location": "/login"}), Verdict.ABORT),
        (hang_up(), Verdict.RETRY),
        (silence(), Verdict.RETRY),
        (silence(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"), Verdict.RETRY),
    ],
)
async def test_an_error_of_a_look_up_is_never_a_doubt(step: Any, verdict: Verdict) -> None:
    async with server(Script([step])) as script, opened(script.url, read_timeout_s=0.1) as it:
        found = await it.target.find(record())
        one = await it.target.get("c-1")

    assert found.failure is not None
    assert found.failure.verdict is verdict
    assert found.failure.retry_after_s in {None, 4.0}
    assert "not known whether" not in found.failure.message
    assert one.failure is None if step == reply(404) else one.failure is not None


async def test_what_was_looked_for_does_not_come_back_in_the_failure() -> None:
    body = {"message": "bad filter externalId=LEGACY-0042 primaryEmail=sgreen@example.com", "traceId": "LEGACY-0042"}
    async with server(Script([reply(400, body)])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert "LEGACY-0042" not in repr(found)
    assert "sgreen" not in repr(found)


async def test_a_row_with_nothing_to_look_for_says_so_without_a_request() -> None:
    async with server(Script([page()])) as script, opened(script.url) as it:
        found = await it.target.find(record({"type": "INDIVIDUAL"}))

    assert found.failure is not None
    assert (found.failure.verdict, found.failure.error_code) == (Verdict.REJECT, "no_look_up_key")
    assert not script.requests


async def test_summaries_are_fetched_in_full_before_they_are_judged() -> None:
    steps = [
        page({"id": "c_1", "firstName": "Sarah"}, {"id": "c-2", "firstName": "Sam"}, {"id": "c-3"}),
        reply(200, customer("c_1")),
        reply(200, customer("c-2", {**PERSON, "externalId": "OTHER"})),
        reply(404),
    ]
    async with server(Script([*steps])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert ids(found) == ["c_1"]
    assert [call.path for call in script.calls[1:]] == ["/v1/customers/c_1", "/v1/customers/c-2", "/v1/customers/c-3"]


async def test_a_match_without_its_metadata_is_fetched_in_full() -> None:
    bare = {name: value for name, value in PERSON.items() if name != "metadata"}
    steps = [page(customer("c-1", bare)), reply(200, customer("c-1"))]
    async with server(Script([*steps])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert found.candidates[0].body["metadata"] == PERSON["metadata"]


async def test_more_summaries_than_can_be_fetched_prove_nothing() -> None:
    many = page(*({"id": f"c-{number}"} for number in range(MAX_COMPLETIONS + 1)))
    async with server(Script([many])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert found.failure is not None
    assert found.failure.error_code == "look_up_incomplete"
    assert len(script.calls) == 1


async def test_an_error_with_one_summary_is_an_error_of_the_look_up() -> None:
    async with server(Script([page({"id": "c-1"}), reply(503)])) as script, opened(script.url) as it:
        found = await it.target.find(record())

    assert found.failure is not None
    assert found.failure.verdict is Verdict.RETRY


async def test_a_customer_is_fetched_by_its_id() -> None:
    script = Script([reply(200, customer("c-1")), reply(404), reply(200, b"{}")])
    async with server(script), opened(script.url) as it:
        there, gone, odd = [await it.target.get(customer_id) for customer_id in ("c-1", "c-2", "c-3")]

    assert ids(there) == ["c-1"]
    assert ids(gone) == []
    assert odd.failure is not None
    assert script.calls[0].path == "/v1/customers/c-1"


@pytest.mark.parametrize("odd", ["..", "../../v1/api-keys", "c 1/?", "c%2F1", ""])
async def test_an_id_that_could_lead_elsewhere_never_becomes_a_path(odd: str) -> None:
    async with server(Script([reply(200, customer("c-1"))])) as script, opened(script.url) as it:
        found = await it.target.get(odd)

    assert found.failure is not None
    assert found.failure.verdict is Verdict.REJECT
    assert not script.requests


async def test_a_page_of_fat_customers_is_read_whole() -> None:
    fat = {**PERSON, "metadata": {f"k{number}": "x" * 1024 for number in range(5)}, "note": "y" * 20_000}
    script = Script([page(*(customer(f"c-{number}", fat) for number in range(100)))])
    async with server(script), opened(script.url) as it:
        found = await it.target.find(record())

    assert len(ids(found)) == 100


async def test_look_ups_may_start_while_the_run_stops() -> None:
    async with server(Script([page()])) as script, opened(script.url) as it:
        it.limiter.stopping = True
        assert ids(await it.target.find(record())) == []


async def test_a_payload_is_never_part_of_a_look_up() -> None:
    async with server(Script([page()])) as script, opened(script.url) as it:
        await it.target.find(record(BY_EMAIL))

    assert all(call.body == b"" for call in script.calls)
    assert json.dumps(PERSON["lastName"]) not in script.calls[0].path


async def test_a_look_up_reports_what_its_answers_took_and_what_their_headers_say() -> None:
    allowance = {"RateLimit-Limit": "9", "RateLimit-Remaining": "4"}
    steps: list[Step] = [
        reply(200, {"hasNext": left, "content": [customer(f"c-{left}")]}, headers=allowance) for left in (True, False)
    ]
    async with server(Script(steps)) as script, opened(script.url) as it:
        found = await it.target.find(record())

        assert found.allowance == RateHint(limit=9, remaining=4)
        assert found.took_s is not None
        assert 0.0 < found.took_s < 5.0
