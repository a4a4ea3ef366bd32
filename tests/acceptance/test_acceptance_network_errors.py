"""Whatever an API, a gateway or a broken server says: what a user finds about it in results, report and story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import AGAIN_SOON, Ran, User, exactly_once, people, sandbox, serving, serving_here
from tests.acceptance.scripted_api import Said, ScriptedApi, said, scripted_api

pytestmark = pytest.mark.slow

CREDENTIALS = {"ROCKETKOR_API_KEY": "canary-key-77", "ROCKETKOR_API_SECRET": "canary-secret-88"}
HTML = b"<html><head><title>400 Bad Request</title></head><body><center>nginx</center></body></html>"
COLUMNS = "Customer ID,First Name,Last Name,Email,Phone,Street,City,State,ZIP,Country"


def created(number: str) -> Said:
    return said(201, {"id": f"customer-{number}", "type": "INDIVIDUAL"})


def v3(status: int, *errors: tuple[str, str, str], message: str = "Wrong data", **options: Any) -> Said:
    """An error body as the newer documentation shows it."""
    listed = [{"path": path, "message": text, "errorCode": code} for path, text, code in errors]
    body = {"timestamp": "2026-11-22T08:30:00Z", "traceId": f"trace-{status}", "message": message}
    return said(status, {**body, "errorCode": "WRONG", "errors": listed}, **options)


def v2(status: int, message: str) -> Said:
    """An error body as the older documentation shows it."""
    body = {"timestamp": "2023-01-01T00:00:00Z", "traceId": f"old-{status}", "error": "OLD_CODE", "message": message}
    return said(status, body)


def rows(script: Mapping[str, Any]) -> str:
    """A file with one row for each line of a script, in its order."""
    lines = [COLUMNS]
    for number, key in enumerate(script):
        person = (
            f"Given{chr(97 + number)},Family{chr(97 + number)},person{number}@example.com,+1212555{100 + number:04d}"
        )
        lines.append(f"{key},{person},{number + 1} Mill Road,Springfield,IL,62701,USA")
    return "\n".join(lines) + "\n"


def run_against(user: User, api: ScriptedApi, *delivery: str) -> Ran:
    lines = [
        "[delivery]",
        'rate = "200/s"',
        "backoff_base_s = 0.01",
        "looks_after_s = [0, 0.05]",
        *AGAIN_SOON,
        *delivery,
    ]
    profile = user.has("p.toml", "\n".join([*lines, "[targets.sandbox]", f'base_url = "{api.base_url}"', ""]))
    source = user.has("people.csv", rows(api.script))
    return user.types("run", source, *sandbox(profile), "--json", **CREDENTIALS)


def reported(ran: Ran, user: User) -> dict[str, dict[str, str]]:
    """To each row's id what the results say of it."""
    return {row["Customer ID"]: row for row in user.reads(ran.json["files"]["results"])}


def error(row: dict[str, str]) -> tuple[str, ...]:
    names = ("_status", "_error_code", "_error_field", "_error_column", "_http_status", "_trace_id")
    return tuple(row[name] for name in names)


# --------------------------------------------------------------------------- refusals of one row


def test_every_field_that_the_api_refuses_is_named_by_the_users_own_column(user: User) -> None:
    script = {
        "phone": [v3(400, ("primaryPhoneNumber.number", "must be dialable", "E_PHONE"))],
        "two": [v3(422, ("firstName", "too short", "E1"), ("addresses[0].zipCode", "unknown", "E2"))],
        "dots": [v3(400, ("addresses.0.streetLine1", "not found", "E3"))],
        "object": [v3(422, ("primaryEmail", "not reachable", "E5"))],
        "whole": [v3(422, message="Limit exceeded")],
        "unmapped": [v3(400, ("sex", "must be there", "E4"))],
        "older": [v2(422, "The e-mail is on a list")],
        "fine": [created("fine")],
    }
    with scripted_api(ScriptedApi(script)) as api:
        ran = run_against(user, api)
    results = reported(ran, user)

    assert ran.code == 3, ran.out
    assert error(results["phone"]) == (
        "rejected", "E_PHONE", "primaryPhoneNumber.number", "Phone", "400", "trace-400")  # fmt: skip
    assert results["phone"]["_error_message"] == "must be dialable"
    assert error(results["two"]) == (
        "rejected", "E1 | E2", "firstName | addresses.mailing.zipCode", "First Name | ZIP", "422", "trace-422",
    )  # fmt: skip
    assert error(results["dots"])[1:4] == ("E3", "addresses.mailing.streetLine1", "Street")
    assert error(results["object"])[1:4] == ("E5", "primaryEmail", "Email")
    assert error(results["whole"]) == ("rejected", "WRONG", "", "", "422", "trace-422")
    assert error(results["unmapped"])[1:4] == ("E4", "sex", "")
    assert error(results["older"]) == ("rejected", "OLD_CODE", "", "", "422", "old-422")
    assert results["older"]["_error_message"] == "The e-mail is on a list"
    assert results["fine"]["_status"] == "created"
    clusters = {(one["code"], one["field"], one["column"]): one["rows"] for one in ran.json["issues"]}
    assert clusters["E2", "addresses.mailing.zipCode", "ZIP"] == [3]


def test_bodies_that_nobody_can_read_still_give_a_sentence_and_never_their_html(user: User) -> None:
    whole = v3(422, ("firstName", "too short", "E1"))
    script = {
        "html": [Said(400, HTML, "text/html")],
        "large": [Said(413, HTML, "text/html")],
        "empty": [Said(400)],
        "cut": [Said(422, whole.body[:40], length=len(whole.body))],
        "plain": [Said(422, whole.body, "text/plain")],
        "list": [Said(400, b'["no", "object"]')],
        "binary": [Said(422, bytes(range(256)))],
        "teapot": [Said(418, b"short and stout", "text/plain")],
    }
    with scripted_api(ScriptedApi(script)) as api:
        ran = run_against(user, api)
    results = reported(ran, user)

    assert (ran.code, ran.json["counts"]["rejected"]) == (3, len(script)), ran.out
    assert {key: error(row)[1] for key, row in results.items()} == {
        "html": "bad_request",
        "large": "too_large",
        "empty": "bad_request",
        "cut": "rule_failed",
        "plain": "E1",
        "list": "bad_request",
        "binary": "rule_failed",
        "teapot": "refused",
    }
    assert not any("<" in row["_error_message"] for row in results.values())
    assert all(row["_error_message"] for row in results.values())


def test_what_the_api_repeats_of_a_customer_does_not_reach_report_or_log(user: User) -> None:
    def gossip(customer: dict[str, Any]) -> Said:
        email, name = customer["primaryEmail"]["value"], customer["firstName"]
        return v3(422, ("primaryEmail.value", f"{email} of {name} is taken?", "E"), message=f"{email} is odd")

    with scripted_api(ScriptedApi({"one": [gossip]})) as api:
        ran = run_against(user, api)

    assert ran.json["counts"]["rejected"] == 1, ran.out
    left = [path.read_text() for path in user.home.glob("runs/*/*.json*")]
    assert not any("person0@example.com" in text or "Givena" in text for text in [*left, ran.out, ran.err])


# --------------------------------------------------------------------------- answers that leave a doubt


def test_doubtful_answers_are_looked_up_and_the_story_keeps_the_trace_of_each_attempt(user: User) -> None:
    """Nothing is found, so each is sent again, and once more only."""
    script = {
        "no-id": [said(201, {"type": "INDIVIDUAL"}), created("1")],
        "no-content": [Said(204), created("2")],
        "html-200": [Said(200, HTML, "text/html"), created("3")],
        "cut-201": [Said(201, b'{"id": "custo', length=99), created("4")],
        "fault": [v3(500), created("5")],
        "gateway": [Said(502, HTML, "text/html"), created("6")],
        "moved": [Said(302, headers={"Location": "/v1/elsewhere"}), created("7")],
        "silly": [Said(600), created("8")],
    }
    with scripted_api(ScriptedApi(script)) as api:
        ran = run_against(user, api)
    results = reported(ran, user)

    assert ran.code == 0, ran.out
    assert {row["_attempts"] for row in results.values()} == {"4"}  # a create, two looks, a create
    assert set(api.creates.values()) == {2}
    assert not any("elsewhere" in line for line in api.asked)
    story = user.types("explain", "last", "6", "--json").json
    assert [(one["kind"], one["http_status"], one["trace_id"]) for one in story["attempts"]] == [
        ("create", 500, "trace-500"),
        ("find", None, ""),
        ("find", None, ""),
        ("create", 201, ""),
    ]


def test_a_customer_that_was_created_behind_a_fault_is_found_and_not_sent_again(user: User) -> None:
    api = ScriptedApi({})

    def works_but_says(answer: Said) -> Callable[[dict[str, Any]], Said]:
        def work(customer: dict[str, Any]) -> Said:
            api.listed.append({**customer, "id": f"id-of-{customer['externalId']}"})
            return answer

        return work

    api.script = {
        "fault": [works_but_says(v3(500))],
        "no-id": [works_but_says(said(200, {}))],
        "moved": [works_but_says(Said(303, headers={"Location": "/v1/customers"}))],
        "taken": [works_but_says(v3(409, message="externalId already exists"))],
    }
    with scripted_api(api):
        ran = run_against(user, api)
    results = reported(ran, user)

    assert ran.code == 0, ran.out
    assert {row["_customer_id"] for row in results.values()} == {f"id-of-{key}" for key in api.script}
    assert set(api.creates.values()) == {1}


def test_an_answer_of_a_hundred_megabytes_is_cut_off(user: User) -> None:
    huge = 100 * 1024 * 1024
    script = {
        "refused": [Said(422, b" " * huge)],
        "accepted": [Said(201, b" " * huge), created("1")],
        "fine": [created("2")],
    }
    with scripted_api(ScriptedApi(script)) as api:
        ran = run_against(user, api)
    results = reported(ran, user)

    assert [row["_status"] for row in results.values()] == ["rejected", "created", "created"], ran.out
    assert api.sent_bytes < 40 * 1024 * 1024  # two answers; what the system's own buffers took of them is included


@pytest.mark.parametrize("body", ["v3", "v2"])
def test_both_shapes_of_error_bodies_of_the_emulator_are_understood(
    user: User, profile_for: Callable[..., Path], body: str
) -> None:
    """An `externalId` in use, said with the status of a business rule."""
    with serving(user, "--error-body", body, "--external-ids", "422") as witness:
        profile = profile_for(witness, delivery=['rate = "300/s"', "looks_after_s = [0, 0.05]"])
        first = user.has("first.csv", people(20))
        second = user.has("second.csv", people(20).replace("person7@", "another7@"))
        user.types("run", first, *sandbox(profile), "--workspace", "first", **witness.environ)
        ran = user.types("run", second, *sandbox(profile), "--workspace", "second", "--json", **witness.environ)

        assert ran.code == 3, ran.out
        counts = ran.json["counts"]
        assert (counts["existing"], counts["rejected"]) == (19, 1)
        refused = user.reads(ran.json["files"]["rejects"])[0]
        assert error(refused)[1:5] == ("differs_from_existing", "primaryEmail.value", "Email", "422")


# --------------------------------------------------------------------------- answers that stop


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Said(307, headers={"Location": "https://api.example.net/v1/customers"}), "redirect"),
        (Said(404, HTML, "text/html"), "base_url"),
        (Said(405), "base_url"),
        (v3(403, message="No permission"), "role"),
        (v3(401), "access token"),
    ],
)
def test_what_no_row_can_mend_stops_the_run_with_the_rest_unsent(user: User, answer: Said, words: str) -> None:
    script = {f"row-{number}": [answer] for number in range(20)}
    with scripted_api(ScriptedApi(script)) as api:
        ran = run_against(user, api, "concurrency = 2")

    assert (ran.code, ran.json["counts"]["unsent"]) == (5, 20), ran.out
    assert words in ran.json["error"]
    assert sum(api.creates.values()) <= 6  # two rows in flight, each with two fresh tokens at most


def test_garbage_in_every_shape_costs_no_row(user: User, profile_for: Callable[..., Path]) -> None:
    with serving_here("garbled") as witness:
        delivery = ['rate = "900/s"', "looks_after_s = [0, 0.1]", "breaker_faults = 1000", "backoff_base_s = 0.05"]
        profile = profile_for(witness, delivery=delivery)
        ran = user.types("run", user.has("people.csv", people(600)), *sandbox(profile), "--json", **witness.environ)

        assert ran.code == 0, ran.out
        assert len(witness.ledger()["faults"]) >= 6
        exactly_once(witness, user.reads(ran.json["files"]["results"]))
