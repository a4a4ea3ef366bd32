"""Whatever a server says about a step, reading it neither raises nor finds a yes that is not there."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from importer.core.outcomes import Verdict
from importer.core.step_tasks import StepTask
from importer.core.steps import STEP_RULES, Step
from importer.targets.rocketkor.applications import accounts_of, look_for
from importer.targets.rocketkor.bodies import read_error_body
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.limits import find_limits, others, read_limits
from importer.targets.rocketkor.owners import Likeness, likeness
from importer.targets.rocketkor.step_answers import judge_step, objects
from importer.targets.rocketkor.uploads import upload_url
from importer.targets.rocketkor.verification import read_profile, word
from tests.property.test_targets_hostile import ERROR_BODY, JSON

WANTED = {"currency": "USD", "daily": "99.99"}
OWNER = {"firstName": "Ann", "lastName": "Green", "primaryEmail": {"value": "ann@example.com"}}
TASK = StepTask(0, 2, Step.VERIFICATION, "", "c-1", "k", b"", in_doubt=True, doubt_since=1.79e9)
LIMIT = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON | st.just("l-1"),
        "limitType": JSON | st.just("DAILY"),
        "currency": JSON | st.just("USD"),
        "amount": JSON | st.just(99.99) | st.just("99.99"),
        "scopeType": JSON,
    },
)
APPLICATION = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON, "accountId": JSON, "account": JSON, "entities": JSON, "createdAt": JSON, "latestStatus": JSON,
        "allowedAccountTypes": JSON, "minimumInformationRequired": JSON, "name": JSON,
    },
)  # fmt: skip
HELD = st.fixed_dictionaries(
    {},
    optional={
        "firstName": JSON | st.just("Ann"), "lastName": JSON | st.just("Green"), "primaryEmail": JSON,
        "primaryPhoneNumber": JSON, "dateOfBirth": JSON,
    },
)  # fmt: skip


@given(listed=st.lists(LIMIT | JSON, max_size=3) | JSON)
def test_no_answer_makes_limits_look_set_that_are_not(listed: Any) -> None:
    held = read_limits(Answer(200, {}, json.dumps(listed).encode()), "c-1")
    wanted, lacking = find_limits(WANTED, held or [])

    assert bool(wanted) != bool(lacking)
    if wanted and not others(wanted, held or []):
        assert "99.99" in json.dumps(listed)


@given(body=st.binary(max_size=100), status=st.integers(100, 599))
def test_a_list_is_a_list_of_objects_or_nothing(body: bytes, status: int) -> None:
    listed = objects(Answer(status, {}, body))

    assert listed is None or all(isinstance(one, dict) for one in listed)


@given(one=APPLICATION)
def test_an_application_of_another_account_is_never_the_one(one: dict[str, Any]) -> None:
    look = look_for(TASK, "p-1", 1.79e9, 0.0)

    assert not look.matches(one) or "c-1" in json.dumps(one)
    assert look.is_last({"a": one}) is False
    assert all(accounts_of(one))
    assert word(one.get("latestStatus")).isascii()
    assert set(read_profile(one).record_types) <= {"INDIVIDUAL", "BUSINESS"}


@given(held=HELD)
def test_an_owner_with_another_name_is_never_the_one(held: dict[str, Any]) -> None:
    names = json.dumps([held.get("firstName"), held.get("lastName")])

    assert likeness(OWNER, held) is not Likeness.SAME or names == '["Ann", "Green"]'


@given(status=st.integers(100, 599), body=ERROR_BODY | JSON, step=st.sampled_from(list(Step)), in_words=st.booleans())
def test_every_answer_gets_a_verdict_that_fits_the_step(status: int, body: Any, step: Step, in_words: bool) -> None:
    answer, how = Answer(status, {}, json.dumps(body).encode()), STEP_RULES[step]
    reply = judge_step(answer, read_error_body(answer.body), 0.0, how, in_words=in_words)

    assert reply.verdict is not Verdict.ACCEPT
    assert not (how.repeatable and reply.verdict is Verdict.IN_DOUBT)
    assert how.looked_up or reply.verdict is not Verdict.DUPLICATE
    assert reply.error_code
    assert reply.message.isprintable()


@given(address=JSON | st.text(max_size=40).map("https://uploads.example.com/".__add__))
def test_an_upload_goes_to_an_address_as_it_came_or_nowhere(address: Any) -> None:
    url = upload_url(address)

    assert url is None or str(url) == address
