"""Which steps the rows of a run have, and what is refused before its first request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from importer.core.errors import ProfileError
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, StepCount, VerificationProfile
from importer.core.steps import Step, StepState
from importer.journal import BodyOfRow
from importer.profile import Profile
from importer.runs.after_create import AfterCreate, Planner, _named, steps_of
from importer.runs.context import Context
from tests.contracts.journals import Book, begin, created, fill, sqlite

NAMES = ("firstName", "lastName", "primaryEmail.value")
STANDARD = VerificationProfile(
    "p-1",
    "Standard",
    ("INDIVIDUAL",),
    {"individual": {"name": ["FIRST", "LAST"], "info": ["DATE_OF_BIRTH"]}},
)
BODY = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Example",
    "dateOfBirth": "1980-02-01",
    "addresses": [
        {"type": "PHYSICAL", "primary": True, "countryCode": "USA", "zipCode": "62701", "streetLine1": "1 Oak"}
    ],
}


def profile(**after_create: Any) -> Profile:
    return Profile.model_validate({"after_create": after_create})


def row(body: Mapping[str, Any] = BODY, **after: Any) -> BodyOfRow:
    return BodyOfRow(4, 6, RowState.READY, json.dumps(body).encode(), json.dumps(after).encode() if after else b"")


def test_a_profile_that_names_nothing_has_no_steps() -> None:
    assert steps_of(Profile(), NAMES) == ()


def test_steps_are_always_in_the_same_order() -> None:
    wanted = profile(verify=True, identity_verification="Standard", limits=True)
    mapped = (*NAMES, "documents.passport.file", "limits.daily", "beneficiaries.1.firstName")
    assert steps_of(wanted, mapped) == tuple(Step)[:5]


def test_columns_of_owners_and_documents_are_enough() -> None:
    assert steps_of(Profile(), (*NAMES, "beneficiaries.1.firstName")) == (Step.BENEFICIARIES,)
    assert steps_of(profile(beneficiaries=False), (*NAMES, "beneficiaries.1.firstName")) == ()


def test_limits_without_a_column_are_refused() -> None:
    with pytest.raises(ProfileError, match="no column is mapped to a limit"):
        steps_of(profile(limits=True), NAMES)


@pytest.mark.usefixtures("club_site")
def test_a_step_that_the_target_does_not_do_is_refused() -> None:
    club = Profile.model_validate(
        {"target": "club", "targets": {"club": {"kind": "club", "base_url": "https://club.example.com"}},
         "after_create": {"identity_verification": "Standard"}}
    )  # fmt: skip
    with pytest.raises(ProfileError, match="has no step 'verification'"):
        steps_of(club, NAMES)


def test_a_row_has_the_steps_that_it_brings_something_for() -> None:
    planner = Planner(Profile(), (Step.BENEFICIARIES, Step.LIMITS, Step.VERIFY), None)
    brought = row(limits={"daily": "1.00"}, beneficiaries={"1": {}, "2": {}}, documents={"passport": {}})
    assert list(planner.steps_of(brought)) == [
        PlannedStep(4, Step.BENEFICIARIES, "1"),
        PlannedStep(4, Step.BENEFICIARIES, "2"),
        PlannedStep(4, Step.LIMITS),
        PlannedStep(4, Step.VERIFY),
    ]


def test_a_row_that_is_not_ready_for_verification_says_what_it_lacks() -> None:
    planner = Planner(Profile(), (Step.VERIFICATION,), STANDARD)
    whole, (lacking,) = list(planner.steps_of(row())), planner.steps_of(row({**BODY, "dateOfBirth": ""}))
    assert whole == [PlannedStep(4, Step.VERIFICATION)]
    assert (lacking.state, lacking.detail) == (StepState.NOT_READY, ("dateOfBirth",))
    assert planner.refused([lacking]) == []


def test_rows_that_are_not_ready_are_refused_where_the_profile_says_so() -> None:
    strict = Profile.model_validate({"idv": {"not_ready": "refuse"}})
    planner = Planner(strict, (Step.VERIFICATION,), STANDARD)
    (lacking,) = planner.steps_of(row({**BODY, "dateOfBirth": ""}))
    assert planner.refused([lacking]) == [lacking]


def test_rows_in_doubt_are_planned_and_never_refused(tmp_path: Path) -> None:
    with closing(sqlite(tmp_path)) as journal:
        run = begin(journal)
        fill(journal, run, ["k0", "k1"], payloads=[json.dumps({**BODY, "dateOfBirth": None}).encode()] * 2)
        book = Book(journal, run)
        book.claim(1)
        strict = Profile.model_validate({"idv": {"not_ready": "refuse"}})
        steps = journal.steps(run)
        AfterCreate(Context(strict, "resume"), None, None, (Step.VERIFICATION,), steps)._plan(STANDARD)  # type: ignore[arg-type]
        states = book.states()
        book.again().settle(created(0, "k0"))

        assert states == {0: "sending", 1: "invalid"}
        assert [(one.step, one.state) for one in steps.of_row(0)] == [(Step.VERIFICATION, StepState.NOT_READY)]


def test_a_verification_is_named_by_its_name_or_id() -> None:
    assert _named("standard", [STANDARD]) is _named("p-1", [STANDARD]) is STANDARD


def test_a_verification_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(ProfileError, match="Did you mean 'Standard'"):
        _named("Standards", [STANDARD])


def test_a_run_whose_verification_was_taken_out_of_the_profile_says_what_is_missing() -> None:
    with pytest.raises(ProfileError, match=r"after_create\.identity_verification names no profile") as caught:
        _named("", [STANDARD])
    assert "--config" in caught.value.hint


async def test_outcomes_are_waited_for_once_all_else_is_done() -> None:
    """Steps may take longer than outcomes are waited for."""
    done: list[str] = []
    now = iter((100.0, 200.0))

    class Parts:
        """Stands for the parts of a delivery, and for its journal."""

        def counts(self) -> list[StepCount]:
            state = StepState.SUBMITTED if done else StepState.WAITING
            return [StepCount(Step.VERIFICATION, state, "", 1)]

        async def run(self, steps: Mapping[Step, int]) -> None:
            done.append(f"{next(now):.0f} {dict(steps)}")

        async def flush(self) -> None:
            done.append("flushed")

        async def wait(self, until: float) -> None:
            done.append(f"until {until:.0f}")

    parts: Any = Parts()
    parts.steps = parts.outcomes = parts.journal = parts
    context: Any = SimpleNamespace(now=lambda: next(now), emit=lambda _: None, stop=SimpleNamespace(requested=False))
    await AfterCreate(context, parts, parts, (Step.VERIFICATION,), parts).run(5.0)

    assert done == ["100 {<Step.VERIFICATION: 'verification'>: 1}", "flushed", "until 205"]
