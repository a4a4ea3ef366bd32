"""The plan of an update: what a list would change, what of it differs, and whether that was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import PlanRefusedError
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, StepResult
from importer.core.steps import Step, StepState
from importer.journal import UPDATE_JOB, Journal, RunFacts, RunHeader, StoredRun
from importer.profile import KeptProfile, Profile
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.rules import ProgramRules
from importer.runs.plans.update_plan import UpdatePlan, content_of, listed_in
from tests.contracts.journals import FIRST, SCOPE, SECOND, Book, fill, sqlite

KEYS = ["k0", "k1", "k2", None]
PROFILE = Profile.load(options={"mapping": {"firstName": "First"}, "validation": {"phone": "valid"}}, environ={})
GUARDS = {0: "guard-0", 2: "guard-2"}
"""Of the rows that change something; row 1 does not, and row 3 has an error."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(sqlite(tmp_path)) as opened:
        yield opened


def listing(journal: Journal, run_id: str = FIRST, **other: Any) -> Book:
    """A list; `other` says in what it is another one than that of the plan."""
    given: dict[str, Any] = {"guards": GUARDS, "bodies": [b'{"n":0}', b'{"n":1}', b'{"n":2}', b""], "owner": "c"}
    given |= other
    header = RunHeader(run_id, SCOPE, "live", "a.csv", "/a.csv", "c" * 64, "b" * 64, dry_run=False, started_at=1.0)
    run = journal.runs.begin(header).run
    journal.runs.keep_profile(run, KeptProfile(settings=PROFILE.settings_to_keep()).model_dump_json())
    fill(journal, run, KEYS, payloads=given["bodies"])
    journal.steps(run).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(3)])
    journal.runs.note(run, RunFacts(job=UPDATE_JOB, lists_only=True))
    book = Book(journal, run, how={"finds_only": True})
    for one in book.claim().records:
        book.settle(Outcome(one.ordinal, one.key, RowState.EXISTING, customer_id=f"{given['owner']}-{one.ordinal}"))
    book.claim_steps(Step.UPDATE)
    book.settle_steps(*(_listed(ordinal, given["guards"].get(ordinal, "")) for ordinal in range(3)))
    return book


def _listed(ordinal: int, guard: str) -> StepResult:
    state = StepState.LISTED if guard else StepState.DONE
    return StepResult(ordinal, Step.UPDATE, "", state, reference=guard, status="" if guard else "unchanged")


def stored(journal: Journal, run_id: str = FIRST) -> StoredRun:
    return journal.runs.find(run_id)


def a_plan(journal: Journal, **other: Any) -> UpdatePlan:
    content = content_of(journal, stored(journal), PROFILE.contract)
    facts: dict[str, Any] = {
        "run_id": FIRST, "made_at": 1.0, "expires_at": 2.0, "author": "ann@host", "target": "live", "host": "h",
        "scope": "s", "rows": content.bodies.count, "content": content,
    }  # fmt: skip
    return UpdatePlan(**{**facts, **other}).sealed()


def test_a_plan_says_what_a_list_would_change(journal: Journal, tmp_path: Path) -> None:
    listing(journal)
    made = a_plan(journal)
    made.write(tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json") == made
    assert dict(made.content.counts) == {"read": 4, "change": 2, "unchanged": 1, "refused": 1}
    assert (made.rows, made.content.bodies.rows) == (2, (2, 4, 4))
    assert made.root == listed_in(journal, stored(journal)).root


def test_what_is_as_planned_is_not_refused(journal: Journal) -> None:
    listing(journal)
    made = a_plan(journal)

    made.require_same(PROFILE, "a.csv", made.content.source.sha256)
    made.require_list(journal, stored(journal))
    made.require_profile(PROFILE.with_options({"delivery.rate": "1/s"}))


def test_everything_that_differs_is_named(journal: Journal) -> None:
    listing(journal)
    made = a_plan(journal)
    rules = made.content.rules
    older = ProgramRules(parts={**rules.parts, "customers": "0"}, libraries={**rules.libraries, "pydantic": "1.0"})
    made = a_plan(journal, content=made.content.model_copy(update={"rules": older}))

    with pytest.raises(PlanRefusedError) as refused:
        made.require_same(PROFILE.with_options({"validation.phone": "possible"}), "a.csv", "0" * 64)

    for name in (
        "the content of 'a.csv'",
        "the profile (validation.phone)",
        "the program's rules (customers; pydantic",
    ):
        assert name in refused.value.message


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"bodies": [b'{"n":0}', b'{"n":1}', b'{"n":9}', b""]}, "(row 4)"),
        ({"guards": {0: "guard-0", 2: "other"}}, "(row 4)"),
        ({"guards": {0: "guard-0"}}, "(1 row fewer; row 4)"),
        ({"guards": {**GUARDS, 1: "guard-1"}}, "(1 row more; row 4)"),
        ({"owner": "d"}, "(rows 2 to 4)"),
    ],
)
def test_another_list_is_refused_by_its_rows(journal: Journal, other: dict[str, Any], said: str) -> None:
    listing(journal)
    made = a_plan(journal)
    listing(journal, SECOND, **other)

    with pytest.raises(PlanRefusedError, match="the list") as refused:
        made.require_list(journal, stored(journal, SECOND))
    assert said in refused.value.message


def changed(book: Book, made: UpdatePlan) -> None:
    """Change what the list says: one customer is changed, and one is not as it was."""
    book.journal.runs.note(book.run, RunFacts(lists_only=False))
    book.journal.steps(book.run).reopen({StepState.LISTED}, {Step.UPDATE})
    again = book.again()
    again.claim_steps(Step.UPDATE)
    again.settle_steps(
        StepResult(0, Step.UPDATE, "", StepState.DONE, status="changed"),
        StepResult(2, Step.UPDATE, "", StepState.FAILED),
    )
    with pytest.raises(PlanRefusedError, match="by which customers were changed already"):
        made.require_list(book.journal, stored(book.journal))


def test_what_was_changed_is_proved_to_be_what_the_list_said(journal: Journal) -> None:
    book = listing(journal)
    made = a_plan(journal)
    assert made.deviation(journal, book.run) == ""
    changed(book, made)

    assert made.deviation(journal, book.run) == ""


def _another_list(journal: Journal) -> int:
    return listing(journal, SECOND, guards={0: "guard-0", 2: "other"}).run


def _another_body(journal: Journal) -> int:
    return listing(journal, SECOND, bodies=[b'{"n":0}', b'{"n":1}', b'{"n":9}', b""]).run


@pytest.mark.parametrize("other", [_another_list, _another_body])
def test_what_another_list_has_changed_is_not_what_the_plan_says(
    journal: Journal, other: Callable[[Journal], int]
) -> None:
    listing(journal)

    assert a_plan(journal).deviation(journal, other(journal)) == "what was sent is not what the plan says"
