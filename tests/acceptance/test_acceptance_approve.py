"""`approve` signs what somebody may approve and nothing else; `show` says of a plan what it is and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importer.approval import new_key, sign
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.kinds import read_plan
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import Ran, User
from tests.approvals import Office
from tests.unit.runs.test_runs_import_plan import a_plan

DAY = 86_400.0
HOST = "api.example.com"


@pytest.fixture
def office(user: User) -> Office:
    found = Office(user.home / "office", HOST)
    found.decrees()
    user.environ.update(IMPORTER_APPROVAL_POLICY=str(found.path), IMPORTER_KEYS=str(found.keys))
    return found


def plan(user: User, office: Office, *, author: str = "anna", **other: Any) -> Path:
    """The file of a plan of 100 customers that its author has signed."""
    now = SystemClock().now()
    facts = {"host": HOST, "made_at": now - 60.0, "expires_at": now + 7 * DAY, "rows": 100}
    made = a_plan(**{**facts, **other})
    path = user.home / "plan.json"
    made.signed(sign(made.sha256, "author", office.signer(author), now - 50.0)).write(path)
    return path


def approves(user: User, name: str, *more: str) -> Ran:
    return user.types("approve", "plan.json", "--key", name, "--yes", "--json", *more)


def signed(user: User) -> list[str]:
    return [one.name for one in read_plan(user.home / "plan.json").signatures]


def test_a_signature_is_added_to_the_file_and_is_all_that_was_missing(user: User, office: Office) -> None:
    path = plan(user, office)
    ran = approves(user, "ben")

    assert ran.code == 0, ran.out
    assert (ran.json["approved"], ran.json["missing"]) == (True, [])
    assert ran.json["signature"]["name"] == "ben"
    assert ran.json["files"] == {"plan": "plan.json"}
    assert signed(user) == ["anna", "ben"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert isinstance(read_plan(path), ImportPlan)


def test_what_is_still_missing_is_said_with_who_may_give_it(user: User, office: Office) -> None:
    office.decrees(head="signatures = 3")
    plan(user, office)
    ran = approves(user, "ben")

    assert ran.json["approved"] is False
    assert ran.json["missing"] == ["It needs the signatures of 3 people and has 2."]
    assert ran.json["who"] == ["carol"]
    reported = user.types("approve", "plan.json", "--key", "carol", "--yes")
    assert "importer run --plan plan.json" in reported.err
    assert signed(user) == ["anna", "ben", "carol"]


@pytest.mark.parametrize(
    ("name", "author", "other", "why"),
    [
        ("carol", "carol", {}, "author and approver are different people"),
        (
            "ben",
            "anna",
            {"rows": 50_001},
            (
                "ben may approve up to 50,000 customers for sandbox, and these are 50,001. The plan was not signed."
                " It can be approved by carol."
            ),
        ),
        (
            "ben",
            "anna",
            {"host": "elsewhere.example.com"},
            (
                "ben may not approve this for elsewhere.example.com, only plans for sandbox. The plan was not signed."
                " Nobody may approve it: an administrator"
            ),
        ),
        (
            "anna",
            "carol",
            {},
            (
                "anna may not approve this for sandbox, only make plans. The plan was not signed."
                " It can be approved by ben (up to 50,000 customers)."
            ),
        ),
        (
            "dora",
            "anna",
            {},
            (
                "dora is not in the approval policy. The plan was not signed."
                " It can be approved by ben (up to 50,000 customers) or carol."
            ),
        ),
        ("ben", "anna", {"expires_at": 1_790_000_000.0}, "was good until"),
    ],
)
def test_what_somebody_may_not_approve_is_not_signed(
    user: User, office: Office, *, name: str, author: str, other: dict[str, Any], why: str
) -> None:
    office.signer(name)
    before = plan(user, office, author=author, **other).read_bytes()
    ran = approves(user, name)

    assert ran.code == 5, ran.out
    assert why in ran.json["error"]
    assert (user.home / "plan.json").read_bytes() == before


@pytest.mark.slow
def test_who_may_not_sign_is_not_asked_whether_they_want_to(user: User, office: Office) -> None:
    plan(user, office)
    ran = user.types("approve", "plan.json", "--key", "anna")

    assert (ran.code, "anna may not approve this" in ran.err) == (5, True), ran.err


def test_the_command_that_is_shown_names_a_key_where_there_are_several(user: User, office: Office) -> None:
    plan(user, office)
    for name in ("ben", "carol"):
        office.signer(name)
    assert user.types("show", "plan.json").out.endswith("  importer approve plan.json --key ben\n")

    plan(user, office, rows=60_000)
    assert user.types("show", "plan.json").out.endswith("  importer approve plan.json --key carol\n")
    elsewhere = user.types("show", "plan.json", IMPORTER_KEYS=str(user.home / "none"))
    assert elsewhere.out.endswith("  importer approve plan.json\n")


@pytest.mark.slow
def test_where_its_author_is_the_only_one_who_may_approve_it_the_plan_is_not_said_to_be_ready(
    user: User, office: Office
) -> None:
    office.decrees(but=["ben"])
    plan(user, office, author="carol")
    shown = user.types("show", "plan.json").out

    assert "Nobody but carol may approve it, who has signed it already" in " ".join(shown.split())
    assert "importer run" not in shown
    assert "importer approve" not in shown


@pytest.mark.slow
def test_a_plan_that_nobody_has_signed_is_shown_by_who_made_it(user: User, office: Office) -> None:
    now = SystemClock().now()
    a_plan(made_at=now, expires_at=now + DAY, host=HOST).write(user.home / "plan.json")

    assert "by ann@host (not signed)" in user.types("show", "plan.json").out


@pytest.mark.slow
def test_a_key_that_is_not_the_one_of_the_policy_signs_nothing(user: User, office: Office) -> None:
    plan(user, office)
    new_key(user.home / "other", "ben")
    ran = user.types("approve", "plan.json", "--yes", "--json", IMPORTER_KEYS=str(user.home / "other"))

    assert ran.code == 5
    assert "another key of ben" in ran.json["error"]
    assert signed(user) == ["anna"]


@pytest.mark.slow
def test_a_plan_that_was_edited_is_not_signed(user: User, office: Office) -> None:
    path = plan(user, office)
    path.write_text(path.read_text().replace('"rows": 100', '"rows": 99'))

    assert approves(user, "ben").code == 6
    assert user.types("show", path, "--json").code == 6


@pytest.mark.slow
def test_nothing_is_signed_without_a_yes(user: User, office: Office) -> None:
    plan(user, office)
    ran = user.types_for_real("approve", "plan.json", "--key", "ben")

    assert ran.code == 2
    assert "--yes" in ran.err
    assert signed(user) == ["anna"]


@pytest.mark.slow
def test_which_key_is_asked_where_there_are_several_and_how_to_make_one_where_there_is_none(
    user: User, office: Office
) -> None:
    plan(user, office)
    several = user.types("approve", "plan.json", "--yes", "--json")
    assert (several.code, "--key NAME" in several.json["error"]) == (2, True)
    wrong = user.types("approve", "plan.json", "--yes", "--key", "nobody", "--json")
    assert (wrong.code, "That folder has anna, ben, carol." in wrong.json["error"]) == (2, True), wrong.out
    ran = user.types("approve", "plan.json", "--yes", "--json", IMPORTER_KEYS=str(user.home / "none"))
    assert (ran.code, "importer key new NAME" in ran.json["error"]) == (2, True)


@pytest.mark.slow
def test_a_passphrase_is_taken_from_the_environment(user: User, office: Office) -> None:
    locked = new_key(user.home / "locked", "ben", "a long one")
    office.signers["ben"] = locked.unlock("a long one")
    office.decrees()
    plan(user, office)
    there = {"IMPORTER_KEYS": str(user.home / "locked")}
    words = ("approve", "plan.json", "--yes", "--json")

    assert user.types(*words, **there).code == 5
    assert user.types(*words, **there, IMPORTER_KEY_PASSPHRASE="another").code == 5
    assert signed(user) == ["anna"]
    assert user.types(*words, **there, IMPORTER_KEY_PASSPHRASE="a long one").code == 0
    assert signed(user) == ["anna", "ben"]


@pytest.mark.slow
def test_without_a_policy_it_is_signed_for_the_machine_that_sends(user: User, office: Office) -> None:
    plan(user, office)
    del user.environ["IMPORTER_APPROVAL_POLICY"]
    office.signer("dora")
    ran = approves(user, "dora")

    assert (ran.code, ran.json["approved"]) == (0, None)
    assert signed(user) == ["anna", "dora"]
    assert "No policy on this machine" in user.types("show", "plan.json").out


# --------------------------------------------------------------------------- show


@pytest.mark.slow
def test_a_plan_is_shown_for_people_within_80_columns(user: User, office: Office) -> None:
    plan(user, office)
    shown = user.types("show", "plan.json").out

    assert max(map(len, shown.splitlines())) <= 80, shown
    for words in (
        f"Plan to import 100 customers into sandbox ({HOST})",
        "a.csv",
        "3 read, 3 valid",
        " UTC by anna\n",
        "good until",
        "anna       author",
        "counts",
        "needs the signatures of 2 people and has 1",
        "It can be approved by ben (up to 50,000 customers) or carol.",
        "importer approve plan.json",
    ):
        assert words in shown


@pytest.mark.slow
def test_no_text_of_a_plan_begins_a_line_of_its_own(user: User, office: Office) -> None:
    now = SystemClock().now()
    forged = a_plan(made_at=now, expires_at=now + DAY, target="live\n  rows       1 read", author="ann\nApproved.")
    forged.write(user.home / "plan.json")

    lines = user.types("show", "plan.json").out.splitlines()
    assert not any(line.startswith(("Approved.", "  rows       1 read")) for line in lines)


@pytest.mark.slow
def test_a_plan_is_shown_for_programs(user: User, office: Office) -> None:
    made = read_plan(plan(user, office))
    said = user.types("show", "plan.json", "--json").json

    assert (said["command"], said["exit_code"], said["approved"]) == ("show", 0, False)
    assert said["files"] == {"plan": "plan.json"}
    assert said["plan"]["sha256"] == made.sha256
    assert said["plan"]["root"] == made.root
    assert [(one["name"], one["role"], one["verdict"]) for one in said["plan"]["signatures"]] == [
        ("anna", "author", "counts")
    ]


def forges(user: User, office: Office) -> None:
    path = user.home / "plan.json"
    made = read_plan(path)
    made.signed(made.signatures[0].model_copy(update={"role": "approver", "name": "ben"})).write(path)


def replays(user: User, office: Office) -> None:
    other = a_plan(rows=1)
    made = read_plan(user.home / "plan.json")
    made.signed(sign(other.sha256, "approver", office.signer("ben"), made.made_at)).write(user.home / "plan.json")


@pytest.mark.slow
@pytest.mark.parametrize("harm", [forges, replays])
@pytest.mark.parametrize("has_policy", [True, False])
def test_a_signature_that_is_not_genuine_is_refused(
    user: User, office: Office, harm: Callable[[User, Office], None], *, has_policy: bool
) -> None:
    plan(user, office)
    harm(user, office)
    if not has_policy:
        del user.environ["IMPORTER_APPROVAL_POLICY"]

    for ran in (user.types("show", "plan.json", "--json"), approves(user, "carol")):
        assert ran.code == 5
        assert "signature of ben is not genuine" in ran.json["error"]
    assert signed(user) == ["anna", "ben"]


@pytest.mark.slow
def test_a_plan_that_has_expired_is_shown_and_says_so(user: User, office: Office) -> None:
    plan(user, office, expires_at=1_790_000_000.0)
    ran = user.types("show", "plan.json")

    assert ran.code == 0
    assert "it has expired" in ran.out
    assert "importer approve" not in ran.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "names", "policy", "code", "error"),
    [
        ({}, ["ben"], True, 0, None),
        ({}, [], True, 5, "The plan is not approved. It needs the signatures of 2 people and has 1."),
        ({"expires_at": 1_790_000_000.0}, ["ben"], True, 5, "The plan has expired."),
        ({"expires_at": 1_790_000_000.0}, ["ben"], False, 5, "The plan has expired."),
        ({}, ["ben"], False, 5, "The approval was not checked: there is no policy on this machine."),
        ({"host": ""}, [], True, 0, None),
    ],
)
def test_whether_a_plan_holds_is_checked_offline(  # noqa: PLR0917  # one case
    user: User, office: Office, other: dict[str, Any], names: list[str], policy: bool, code: int, error: str | None
) -> None:
    path = plan(user, office, **other)
    made = read_plan(path)
    for name in names:
        made = office.signs(made, name, at=made.made_at + 1.0)
    made.write(path)
    if not policy:
        del user.environ["IMPORTER_APPROVAL_POLICY"]
    ran = user.types("show", "plan.json", "--verify", "--json")

    assert (ran.code, ran.json["exit_code"]) == (code, code)
    assert (ran.json["error"] or "").startswith(error or "")
    assert ran.json["verified"] is (code == 0)
    shown = user.types("show", "plan.json", "--verify")
    assert (shown.code, (error or "The plan holds.") in shown.out.replace("\n", " ")) == (code, True), shown.out
    assert user.types("show", "plan.json").code == 0


@pytest.mark.slow
def test_a_plan_that_nobody_has_signed_holds_where_there_is_no_policy(user: User) -> None:
    now = SystemClock().now()
    a_plan(made_at=now, expires_at=now + DAY).write(user.home / "plan.json")

    assert user.types("show", "plan.json", "--verify").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{}", "a,b\n1,2\n"])
def test_a_file_that_is_no_plan_is_refused_by_name(user: User, text: str) -> None:
    user.has("other.txt", text)
    ran = user.types("show", "other.txt", "--json")
    assert (ran.code, "'other.txt' is not a plan" in ran.json["error"]) == (6, True)
