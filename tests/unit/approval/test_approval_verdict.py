"""Whose signatures count, and whether they suffice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from importer.approval import (
    Policy,
    Tightened,
    is_genuine,
    judge,
    load_policy,
    sign,
    who_may_approve,
    why_not_author,
    why_not_sign,
)
from importer.core.plans import Approvable, Role, Signature
from tests.approvals import LIMIT, Office

DAY_S = 86_400.0
NOW = 1_790_000_000.0
HOST = "api.example.com"
KEY = f"ed25519:{'A' * 43}="
PLAN = Approvable("ab" * 32, "import", HOST, 48_112, NOW - 60, NOW - 60 + 7 * DAY_S)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("office"), HOST)


def policy_of(office: Office, **given: object) -> Policy:
    policy = load_policy({"IMPORTER_APPROVAL_POLICY": str(office.decrees(**given))}, Path("/nonexistent"))  # type: ignore[arg-type]
    assert policy is not None
    return policy


def signed(office: Office, *names: str, plan: Approvable = PLAN, at: float = NOW - 30) -> list[Signature]:
    """Signatures under a plan: `anna*` as its author, others as approvers."""
    roles: list[tuple[str, Role]] = [
        (name.rstrip("*"), "author" if name.endswith("*") else "approver") for name in names
    ]
    return [sign(plan.sha256, role, office.signer(name), at) for name, role in roles]


# --------------------------------------------------------------------------- what suffices


@pytest.mark.parametrize("names", [("anna*", "ben"), ("anna*", "carol"), ("ben", "carol"), ("carol*", "ben")])
def test_two_people_of_whom_one_approves_suffice(office: Office, names: tuple[str, ...]) -> None:
    verdict = judge(policy_of(office), PLAN, signed(office, *names), NOW)

    assert verdict.approved
    assert {one.name for one in verdict.counted} == {name.rstrip("*") for name in names}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "it needs the signatures of 2 people and has 0"),
        (("anna*",), "it needs the signatures of 2 people and has 1"),
        (("carol*", "carol"), "it needs the signatures of 2 people and has 1"),
        (("carol", "carol"), "it needs the signatures of 2 people and has 1"),
        (("anna*", "carol*"), "it needs the signatures of 2 people and has 1"),
        (("anna*", "anna"), "anna may not approve this for sandbox, only make plans"),
        (("anna*", "dora"), "dora is not in the policy"),
        (("ben*", "carol"), "ben may not make plans"),
    ],
)
def test_others_do_not(office: Office, names: tuple[str, ...], reason: str) -> None:
    verdict = judge(policy_of(office), PLAN, signed(office, *names), NOW)

    assert not verdict.approved
    assert reason in verdict.reasons


BOTH = "It can be approved by ben (up to 50,000 customers) or carol."
ADMINISTRATOR = "an administrator has to add somebody to the approval policy"
OR_ELSE = f"makes the plan, or {ADMINISTRATOR}."
AUTHOR = "its author has to sign it, too (--key, or key under [approval] in the profile)"
TOO_FEW = f"That is not enough: {AUTHOR}, or {ADMINISTRATOR}."


@pytest.mark.parametrize(
    ("names", "plan", "names_left", "said"),
    [
        (("anna*",), PLAN, ["ben", "carol"], BOTH),
        (("anna*",), replace(PLAN, rows=LIMIT + 1), ["carol"], "It can be approved by carol."),
        (
            ("carol*",),
            replace(PLAN, rows=LIMIT + 1),
            [],
            f"Nobody but carol may approve it, who has signed it already: somebody else {OR_ELSE}",
        ),
        (("anna*",), replace(PLAN, host="elsewhere.example.com"), [], f"Nobody may approve it: {ADMINISTRATOR}."),
        (
            (),
            replace(PLAN, rows=LIMIT + 1),
            ["carol"],
            f"It can be approved by carol. {TOO_FEW}",
        ),
        ((), PLAN, ["ben", "carol"], BOTH),
        (("anna*", "ben"), PLAN, ["carol"], ""),
    ],
)
def test_it_says_who_may_still_approve(
    office: Office, names: tuple[str, ...], plan: Approvable, names_left: list[str], said: str
) -> None:
    verdict = judge(policy_of(office), plan, signed(office, *names, plan=plan), NOW)

    assert [one.name for one in verdict.who] == names_left
    assert verdict.advice == said


def test_where_the_only_approver_has_signed_it_the_author_has_to(office: Office) -> None:
    verdict = judge(policy_of(office, but=["ben"]), PLAN, signed(office, "carol"), NOW)

    assert verdict.advice == f"Nobody else may approve it: {AUTHOR}, or {ADMINISTRATOR}."


def test_where_three_have_to_sign_it_says_that_the_last_one_alone_does_not_suffice(office: Office) -> None:
    policy = policy_of(office, head="signatures = 3")

    assert judge(policy, PLAN, signed(office, "anna*", "ben"), NOW).advice == "It can be approved by carol."
    (said,) = {judge(policy, PLAN, signed(office, "carol*"), NOW).advice}
    assert said == f"It can be approved by ben (up to 50,000 customers). That is not enough: {ADMINISTRATOR}."


def test_before_there_is_a_plan_it_says_who_may_approve_one(office: Office) -> None:
    policy = policy_of(office)

    assert who_may_approve(policy, "return", HOST, NOW) == BOTH
    assert who_may_approve(policy, "import", "elsewhere.example.com", NOW) == f"Nobody may approve it: {ADMINISTRATOR}."


def test_where_it_is_of_too_many_customers_the_limits_are_named(office: Office) -> None:
    large = replace(PLAN, rows=LIMIT + 1)

    said = judge(policy_of(office, but=["carol"]), large, signed(office, "anna*", plan=large), NOW).advice

    assert said == f"Nobody may approve 50,001 customers, only ben (up to 50,000 customers): {ADMINISTRATOR}."


def test_nobody_is_named_whose_last_day_is_over(office: Office) -> None:
    policy = until(policy_of(office), "ben", _day(-1))

    assert judge(policy, PLAN, signed(office, "anna*"), NOW).advice == "It can be approved by carol."
    assert who_may_approve(policy, "import", HOST, NOW) == "It can be approved by carol."
    assert who_may_approve(until(policy, "ben", _day(0)), "import", HOST, NOW) == BOTH


def until(policy: Policy, name: str, day: date) -> Policy:
    """The same policy, with the last day of somebody."""
    person = policy.people[name].model_copy(update={"until": day})
    return policy.model_copy(update={"people": {**policy.people, name: person}})


def test_above_the_limit_a_signature_does_not_count(office: Office) -> None:
    large = replace(PLAN, rows=LIMIT + 1)
    verdict = judge(policy_of(office), large, signed(office, "anna*", "ben", plan=large), NOW)

    assert not verdict.approved
    assert "ben may approve up to 50,000 customers for sandbox, and these are 50,001" in verdict.reasons
    assert judge(policy_of(office), large, signed(office, "anna*", "ben", "carol", plan=large), NOW).approved


def test_a_plan_for_another_server_is_approved_by_nobody(office: Office) -> None:
    other = replace(PLAN, host="elsewhere.example.com")

    verdict = judge(policy_of(office), other, signed(office, "anna*", "ben", plan=other), NOW)

    assert "ben may not approve this for elsewhere.example.com, only plans for sandbox" in verdict.reasons


# --------------------------------------------------------------------------- what refuses a plan as a whole


def test_a_signature_of_another_plan_refuses_it(office: Office) -> None:
    replayed = signed(office, "anna*", "ben", plan=replace(PLAN, sha256="cd" * 32))

    verdict = judge(policy_of(office), PLAN, [*signed(office, "anna*", "carol"), replayed[1]], NOW)

    assert not verdict.approved
    assert verdict.refused == ("the signature of ben is not genuine",)


def test_the_key_of_the_policy_counts_and_not_that_of_the_file(office: Office) -> None:
    (made,) = signed(office, "dora")
    forged = made.model_copy(update={"name": "ben"})

    assert judge(policy_of(office), PLAN, [*signed(office, "anna*"), forged], NOW).refused


def test_an_expired_plan_is_refused(office: Office) -> None:
    names, late = ("anna*", "ben"), PLAN.expires_at + 1

    assert judge(policy_of(office), PLAN, signed(office, *names), PLAN.expires_at).approved
    (reason,) = judge(policy_of(office), PLAN, signed(office, *names), late).refused
    assert reason.startswith("it was good until 2026-")
    assert judge(policy_of(office), PLAN, signed(office, *names), late, expiry=False).approved


def test_the_policy_and_the_profile_shorten_the_time_and_never_lengthen_it(office: Office) -> None:
    held, in_two_days = signed(office, "anna*", "ben"), NOW + 2 * DAY_S

    assert not judge(policy_of(office, head='valid = "1d"'), PLAN, held, in_two_days).approved
    assert not judge(policy_of(office), PLAN, held, in_two_days, Tightened(DAY_S)).approved
    assert not judge(policy_of(office, head='valid = "1d"'), PLAN, held, in_two_days, Tightened(30 * DAY_S)).approved
    assert judge(policy_of(office), PLAN, held, in_two_days).approved


def test_the_policy_and_the_profile_ask_for_more_signatures_and_never_for_fewer(office: Office) -> None:
    two, three = signed(office, "anna*", "ben"), signed(office, "anna*", "ben", "carol")

    for policy, tightened in (
        (policy_of(office, head="signatures = 3"), Tightened()),
        (policy_of(office), Tightened(signatures=3)),
        (policy_of(office, head="signatures = 3"), Tightened(signatures=2)),
    ):
        assert not judge(policy, PLAN, two, NOW, tightened).approved
        assert judge(policy, PLAN, three, NOW, tightened).approved


def test_a_signature_after_the_last_day_or_in_the_future_does_not_count(office: Office) -> None:
    policy = policy_of(office)
    left = until(policy, "ben", _day(-1))

    reasons = judge(left, PLAN, signed(office, "anna*", "ben"), NOW).reasons
    assert f"ben signed after their last day, {_day(-1)}" in reasons
    ahead = [*signed(office, "anna*"), *signed(office, "ben", at=NOW + 3_600)]
    assert judge(policy, PLAN, ahead, NOW).wrong == ("ben signed when the plan was no longer good, or in the future",)
    assert judge(policy, PLAN, [*signed(office, "anna*"), *signed(office, "ben", at=NOW + 60)], NOW).approved


def _day(offset: int) -> date:
    return (datetime.fromtimestamp(NOW, UTC) + timedelta(days=offset)).date()


def test_a_signature_is_not_dated_back_to_when_its_person_was_here(office: Office) -> None:
    policy = policy_of(office)
    left = until(policy, "ben", _day(-30))
    held = [*signed(office, "anna*"), *signed(office, "ben", at=NOW - 31 * DAY_S)]

    assert "ben signed before the plan was made" in judge(left, PLAN, held, NOW).reasons
    assert not judge(policy, PLAN, held, NOW).approved


@pytest.mark.parametrize("days", [0, 300, 366])
def test_a_plan_that_says_it_is_of_the_future_is_never_good(office: Office, days: int) -> None:
    later = replace(PLAN, made_at=NOW + 365 * DAY_S, expires_at=NOW + 372 * DAY_S)

    assert not judge(policy_of(office), later, signed(office, "anna*", "ben", plan=later), NOW + days * DAY_S).approved


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_cannot_be_compared_is_refused_when_it_is_read(at: float) -> None:
    with pytest.raises(ValidationError):
        Signature(role="author", name="ben", key=KEY, signed_at=at, signature="")


@pytest.mark.parametrize(
    ("name", "key"),
    [("ben\nApproved.", KEY), ("\x1b[31mben", KEY), ("", KEY), ("ben", ""), ("ben", "ed25519:xx"), ("ben", f"{KEY}\n")],
)
def test_a_name_or_key_that_can_be_nobodys_is_refused_when_it_is_read(name: str, key: str) -> None:
    with pytest.raises(ValidationError):
        Signature(role="author", name=name, key=key, signed_at=1.0, signature="")


# --------------------------------------------------------------------------- before somebody signs


@pytest.mark.parametrize(
    ("names", "by", "plan", "reason"),
    [
        (("anna*",), "ben", PLAN, ""),
        (("anna*",), "dora", PLAN, "dora is not in the approval policy."),
        (("carol*",), "carol", PLAN, "carol has made the plan: author and approver are different people."),
        (("anna*",), "anna", PLAN, "anna may not approve this for sandbox, only make plans."),
        (
            ("anna*",),
            "ben",
            replace(PLAN, rows=60_000),
            "ben may approve up to 50,000 customers for sandbox, and these are 60,000.",
        ),
        (("anna*",), "ben", replace(PLAN, expires_at=NOW - 1), "The plan was good until 2026-09-21 14:13 UTC."),
    ],
)
def test_whoever_may_not_sign_is_told_why(
    office: Office, names: tuple[str, ...], by: str, plan: Approvable, reason: str
) -> None:
    (new,) = signed(office, by, plan=plan)

    assert why_not_sign(policy_of(office), plan, new, signed(office, *names, plan=plan), NOW) == reason


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ('{ targets = ["other"] }', "only plans for other"),
        ('{ targets = ["other"], jobs = ["undo", "update"], rows = 5 }', "only undos and updates for other"),
        (
            '{ targets = ["sandbox"], jobs = ["undo"] }, { targets = ["other"] }',
            "only undos for sandbox, and plans for other",
        ),
    ],
)
def test_whoever_may_approve_something_else_is_told_what(office: Office, permissions: str, said: str) -> None:
    path = office.decrees(but=["ben"])
    text = f'\n[targets.other]\nhost = "other.example.com"\n[people.ben]\nkey = "{office.signer("ben").public}"\n'
    path.write_text(f"{path.read_text()}{text}approves = [{permissions}]\n")
    policy = load_policy({"IMPORTER_APPROVAL_POLICY": str(path)}, Path("/nonexistent"))
    assert policy is not None
    (new,) = signed(office, "ben")

    assert why_not_sign(policy, PLAN, new, [], NOW) == f"ben may not approve this for sandbox, {said}."


def test_whoever_has_left_is_told_since_when(office: Office) -> None:
    (new,) = signed(office, "ben")

    said = why_not_sign(until(policy_of(office), "ben", _day(-1)), PLAN, new, [], NOW)

    assert said == f"ben may sign until {_day(-1)}, which is over."


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("anna", ""),
        ("carol", ""),
        ("ben", "ben may not make plans."),
        ("dora", "dora is not in the approval policy."),
    ],
)
def test_whoever_may_not_make_plans_is_told_why(office: Office, by: str, reason: str) -> None:
    assert why_not_author(policy_of(office), office.signer(by), NOW) == reason


def test_nobody_makes_plans_by_another_key_or_after_their_last_day(office: Office, tmp_path: Path) -> None:
    policy = policy_of(office)

    said = why_not_author(policy, Office(tmp_path, HOST).signer("anna"), NOW)
    assert said == "The approval policy holds another key of anna."
    left = until(policy, "anna", _day(-1))
    assert why_not_author(left, office.signer("anna"), NOW) == f"anna may sign until {_day(-1)}, which is over."


def test_a_key_that_is_not_the_one_of_the_policy_is_named(office: Office, tmp_path: Path) -> None:
    stranger = Office(tmp_path, HOST).signer("ben")

    said = why_not_sign(policy_of(office), PLAN, sign(PLAN.sha256, "approver", stranger, NOW), [], NOW)

    assert said == "The approval policy holds another key of ben."


# --------------------------------------------------------------------------- for every plan


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["anna*", "ben", "carol", "carol*", "dora", "anna"]), max_size=6), st.integers(2, 4))
def test_fewer_people_than_asked_for_never_suffice(office: Office, names: list[str], needed: int) -> None:
    verdict = judge(policy_of(office), PLAN, signed(office, *names), NOW, Tightened(signatures=needed))

    if len({name.rstrip("*") for name in names} - {"dora"}) < needed:
        assert not verdict.approved
    if verdict.approved:
        assert len({one.name for one in verdict.counted}) >= needed
        assert sum(one.role == "author" for one in verdict.counted) <= 1


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["plan", "role", "name", "signed_at", "signature"]), st.integers(0, 63))
def test_whatever_is_changed_the_signature_does_not_hold(office: Office, what: str, at: int) -> None:
    key = office.signer("ben").public
    (made,) = signed(office, "ben")
    plan, changed = PLAN.sha256, made
    if what == "plan":
        plan = plan[:at] + ("0" if plan[at] != "0" else "1") + plan[at + 1 :]
    elif what == "role":
        changed = made.model_copy(update={"role": "author"})
    elif what == "name":
        changed = made.model_copy(update={"name": f"ben{at}"})
    elif what == "signed_at":
        changed = made.model_copy(update={"signed_at": made.signed_at + 1 + at})
    else:
        letter = "A" if made.signature[at] != "A" else "B"
        changed = made.model_copy(update={"signature": made.signature[:at] + letter + made.signature[at + 1 :]})

    assert is_genuine(made, PLAN.sha256, key)
    assert not is_genuine(changed, plan, key)
