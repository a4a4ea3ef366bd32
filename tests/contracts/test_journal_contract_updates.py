"""Updates of customers, whatever keeps the journal: found and never claimed as their own, listed, then carried out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importer.core.outcomes import FieldError, Outcome, Record
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, StepCount, StepResult
from importer.core.steps import Step, StepState
from importer.journal import FINISHED, UPDATE_JOB, Journal, RunFacts
from tests.contracts.journals import FIRST, SCOPE, SECOND, Book, begin, created, fill

KEYS = ["k0", "k1"]
BODIES = [json.dumps(body).encode() for body in ({"id": "c-0", "lastName": "Brown"}, {"lastName": "Grey"})]


def updating(journal: Journal, run_id: str = FIRST) -> Book:
    run = begin(journal, run_id)
    fill(journal, run, KEYS, payloads=BODIES)
    journal.steps(run).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(2)])
    return Book(journal, run, how={"finds_only": True})


def found(book: Book) -> Book:
    for record in book.claim().records:
        book.settle(Outcome(record.ordinal, record.key, RowState.EXISTING, customer_id=f"c-{record.ordinal}"))
    return book


def result(ordinal: int, state: StepState, **more: Any) -> StepResult:
    return StepResult(ordinal, Step.UPDATE, "", state, **more)


def test_a_row_is_given_out_with_the_id_that_it_names(journal: Journal) -> None:
    records = updating(journal).claim().records

    assert [record.known_id for record in records] == ["c-0", ""]
    assert records[1] == Record(1, 3, "k1", BODIES[1])


def test_a_row_that_was_cut_off_is_simply_looked_up_again(journal: Journal) -> None:
    book = updating(journal)
    book.claim()

    assert [(one.known_id, one.in_doubt) for one in book.again().claim().records] == [("c-0", False), ("", False)]


def test_no_later_run_takes_an_update_for_a_create(journal: Journal) -> None:
    found(updating(journal))
    later = begin(journal, SECOND)
    fill(journal, later, KEYS)
    claimed = Book(journal, later).claim()

    assert (len(claimed.records), claimed.known) == (2, ())
    assert not any(record.in_doubt for record in claimed.records)


def test_content_that_was_only_updated_was_not_imported(journal: Journal) -> None:
    book = updating(journal)
    content = journal.runs.find(FIRST).header.content_hash
    imported = journal.earlier.newest_with(SCOPE, content)
    journal.runs.note(book.run, RunFacts(job=UPDATE_JOB))

    assert imported is not None
    assert journal.earlier.newest_with(SCOPE, content) is None


def test_an_update_gets_what_its_row_says_as_a_whole(journal: Journal) -> None:
    tasks = found(updating(journal)).claim_steps(Step.UPDATE)

    assert [(one.customer_id, one.payload, one.guard) for one in tasks] == [
        ("c-0", BODIES[0], ""),
        ("c-1", BODIES[1], ""),
    ]


def test_what_was_listed_is_carried_out_with_its_guard(journal: Journal) -> None:
    book = found(updating(journal))
    steps = journal.steps(book.run)
    book.claim_steps(Step.UPDATE)
    detail = ("lastName: G••• → B•••",)
    book.settle_steps(
        result(0, StepState.LISTED, reference="guard-0", detail=detail), result(1, StepState.DONE, status="unchanged")
    )
    listed = steps.counts()
    assert list(book.again().claim_steps(Step.UPDATE)) == []
    shown = [row.detail for row in steps.of_row(0)]
    steps.reopen({StepState.LISTED}, {Step.UPDATE})
    (task,) = book.again().claim_steps(Step.UPDATE)

    assert listed == [
        StepCount(Step.UPDATE, StepState.DONE, "unchanged", 1),
        StepCount(Step.UPDATE, StepState.LISTED, "", 1),
    ]
    assert shown == [detail]
    assert (task.ordinal, task.guard, task.in_doubt) == (0, "guard-0", False)


def test_a_guard_stays_when_its_update_is_done_and_goes_with_a_purge(journal: Journal) -> None:
    book = found(updating(journal))
    book.claim_steps(Step.UPDATE)
    book.settle_steps(result(0, StepState.LISTED, reference="guard-0"))
    steps = journal.steps(book.run)
    steps.reopen({StepState.LISTED}, {Step.UPDATE})
    again = book.again()
    again.claim_steps(Step.UPDATE)
    again.settle_steps(result(0, StepState.DONE, status="changed", detail=("lastName: G••• → B•••",)))

    assert [(one.reference, one.status) for one in steps.of_row(0)] == [("guard-0", "changed")]
    assert [(row.ordinal, guard) for row, guard in steps.listed()] == [(0, "guard-0")]
    receipt = journal.receipts.rows_digest(book.run)
    journal.runs.end(book.run, phase=FINISHED, exit_code=0, ended_at=2.0)
    journal.purging.purge([book.run], 3.0)
    assert [one.reference for one in steps.of_row(0)] == [""]
    assert journal.receipts.rows_digest(book.run) == receipt


def test_the_results_show_what_an_update_changes(journal: Journal) -> None:
    book = found(updating(journal))
    journal.runs.note(book.run, RunFacts.model_validate({"after_create": {"steps": ("update",)}}))
    book.claim_steps(Step.UPDATE)
    book.settle_steps(
        result(0, StepState.DONE, status="changed", detail=("lastName: G••• → B•••", "suffix: blank → J•••")),
        result(1, StepState.FAILED, error=FieldError("lastName", "Not this one.", "update_failed")),
    )
    (batch,) = journal.replay(book.run).batches()

    assert batch.follow_up["_differences"] == ["lastName: G••• → B•••; suffix: blank → J•••", ""]
    assert [(issue.code, issue.column) for issue in batch.issues] == [("update_failed", "Surname")]


def test_what_an_update_changes_and_what_differs_after_it_stand_side_by_side(journal: Journal) -> None:
    book = found(updating(journal))
    journal.steps(book.run).verify([0])
    journal.runs.note(book.run, RunFacts.model_validate({"after_create": {"steps": ("verify", "update")}}))
    for step in (Step.UPDATE, Step.VERIFY):
        book.claim_steps(step)
    book.settle_steps(
        result(0, StepState.DONE, status="changed", detail=("lastName: G••• → B•••",)),
        StepResult(0, Step.VERIFY, "", StepState.DIFFERS, detail=("suffix: not sent",)),
    )
    (batch,) = journal.replay(book.run).batches()

    assert batch.follow_up["_differences"][0] == "lastName: G••• → B•••; suffix: not sent"


def test_purging_takes_what_an_update_has_shown(journal: Journal) -> None:
    book = found(updating(journal))
    book.claim_steps(Step.UPDATE)
    book.settle_steps(*(result(at, StepState.DONE, detail=("lastName: G••• → B•••",)) for at in range(2)))
    journal.runs.end(book.run, phase=FINISHED, exit_code=0, ended_at=2.0)
    journal.purging.purge([book.run], 3.0)

    assert [one.detail for one in journal.steps(book.run).of_row(0)] == [()]


# ------------------------------------------------------------------ rows that earlier runs created


@pytest.fixture
def before(journal: Journal) -> Journal:
    """An earlier run that has created both customers."""
    run = begin(journal)
    fill(journal, run, KEYS, payloads=BODIES)
    book = Book(journal, run)
    book.settle(*(created(record.ordinal, record.key) for record in book.claim().records))
    return journal


@pytest.mark.parametrize(("mode", "warned", "left"), [("report", 1, 2), ("skip", 0, 2), ("update", 0, 1)])
def test_rows_with_other_data_are_reported_left_or_updated(before: Journal, mode: str, warned: int, left: int) -> None:
    run = begin(before, SECOND)
    fill(before, run, KEYS, payloads=[BODIES[0], b'{"lastName": "White"}'])
    before.steps(run).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(2)])
    known = Book(before, run, how={"on_existing": mode}).claim().known
    (batch,) = before.replay(run).batches()

    assert [one.state for one in known] == [RowState.EXISTING] * 2
    assert [issue.ordinal for issue in batch.issues] == [1] * warned
    assert sum(one.entries for one in before.steps(run).counts()) == left


@pytest.mark.parametrize(("mode", "warned", "left"), [("report", 0, 2), ("update", 0, 1)])
def test_the_data_of_the_create_are_written_again_over_those_of_an_update(
    before: Journal, mode: str, warned: int, left: int
) -> None:
    changed = begin(before, SECOND)
    fill(before, changed, KEYS, payloads=[BODIES[0], b'{"lastName": "White"}'])
    before.steps(changed).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(2)])
    book = Book(before, changed, how={"on_existing": "update"})
    book.claim()
    book.claim_steps(Step.UPDATE)

    run = begin(before, "20261124T000000Z-000003")
    fill(before, run, KEYS, payloads=BODIES)
    before.steps(run).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(2)])
    Book(before, run, how={"on_existing": mode}).claim()
    (batch,) = before.replay(run).batches()

    assert len(batch.issues) == warned
    assert sum(one.entries for one in before.steps(run).counts()) == left


def test_what_was_listed_is_read_with_its_guards_and_may_alone_be_opened_again(journal: Journal) -> None:
    book = found(updating(journal))
    steps = journal.steps(book.run)
    book.claim_steps(Step.UPDATE)
    book.settle_steps(result(0, StepState.LISTED, reference="guard-0"), result(1, StepState.FAILED))

    assert [(row.ordinal, row.payload, row.customer_id, guard) for row, guard in steps.listed()] == [
        (0, BODIES[0], "c-0", "guard-0")
    ]
    steps.reopen({StepState.LISTED, StepState.FAILED}, {Step.UPDATE}, guarded=True)
    assert [(row.ordinal, guard) for row, guard in steps.listed()] == [(0, "guard-0")]
    assert [one.guard for one in book.again().claim_steps(Step.UPDATE)] == ["guard-0"]


def test_a_list_leaves_what_is_known_of_the_creates(before: Journal) -> None:
    listed = begin(before, SECOND)
    fill(before, listed, ["l0", "l1"], payloads=BODIES)
    before.steps(listed).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(2)])
    before.runs.note(listed, RunFacts(job=UPDATE_JOB, lists_only=True))
    book = Book(before, listed, how={"finds_only": True})
    for record in book.claim().records:
        book.settle(Outcome(record.ordinal, record.key, RowState.EXISTING, customer_id=f"cust-{record.ordinal}"))
    assert len(book.claim_steps(Step.UPDATE)) == 2

    run = begin(before, "20261124T000000Z-000003")
    fill(before, run, KEYS, payloads=BODIES)
    before.steps(run).plan([PlannedStep(ordinal, Step.UPDATE) for ordinal in range(2)])
    Book(before, run, how={"on_existing": "update"}).claim()

    assert before.steps(run).counts() == []
