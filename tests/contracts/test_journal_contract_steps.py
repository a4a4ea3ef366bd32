"""Steps after the creates, whatever keeps the journal: planned before a request, claimed and settled like rows."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.columns import STEP_COLUMNS
from importer.core.errors import JournalError
from importer.core.outcomes import Attempt, FieldError, Outcome, Verdict
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, StepCount, StepResult, StepTask
from importer.core.steps import STEP_REOPENINGS, STEP_TRANSITIONS, Step, StepState, has_step, parts_of
from importer.journal import FINISHED, RUNNING, Journal, Revision, RunFacts
from tests.contracts.journals import COLUMNS, FIRST, SECOND, THIRD, Book, Opener, begin, created, fill, filled

OWNERS = {"1": {"firstName": "Ann"}, "2": {"firstName": "Bob"}}
AFTER = {"limits": {"currency": "USD", "daily": "100.00"}, "documents": {"passport": {"file": "p.pdf"}}}
KEYS = ["k0", "k1", None, "k3", "k4"]


def packed(after: object) -> bytes:
    return json.dumps(after, separators=(",", ":")).encode()


def planned(book: Book, *more: Step) -> list[PlannedStep]:
    """What the ready rows of a book bring, and more steps for each."""
    found = []
    for stretch in book.journal.steps(book.run).bodies({RowState.READY}):
        for body in stretch:
            brought = [(step, part) for step, part, _ in parts_of(json.loads(body.after or b"{}"))]
            found += [PlannedStep(body.ordinal, step, part) for step, part in (*brought, *((one, "") for one in more))]
    return found


@pytest.fixture
def desk(journal: Journal) -> Book:
    """Four valid rows that bring limits and a passport, planned with a verification and reading back."""
    return new_desk(journal)


def new_desk(journal: Journal, run_id: str = FIRST) -> Book:
    run = begin(journal, run_id)
    fill(journal, run, KEYS, batch_rows=2, after=[packed(AFTER)] * len(KEYS))
    journal.runs.note(run, RunFacts(mapping=COLUMNS))
    book = Book(journal, run)
    journal.steps(run).plan(planned(book, Step.VERIFICATION, Step.VERIFY))
    return book


def result(task: StepTask, state: StepState = StepState.DONE, **more: object) -> StepResult:
    return StepResult(task.ordinal, task.step, task.part, state, **more)  # type: ignore[arg-type]


def entries(book: Book, ordinal: int) -> dict[tuple[Step, str], StepState]:
    return {(one.step, one.part): one.state for one in book.journal.steps(book.run).of_row(ordinal)}


def counted(book: Book) -> dict[tuple[Step, StepState], int]:
    return {(one.step, one.state): one.entries for one in book.journal.steps(book.run).counts()}


def warnings(book: Book, ordinal: int) -> list[tuple[str, str, str]]:
    found = next(row for row in book.journal.replay(book.run).results() if row.ordinal == ordinal)
    return [(issue.code, issue.field, issue.column) for issue in found.warnings]


def test_what_rows_bring_is_read_back_with_their_bodies(desk: Book, journal: Journal) -> None:
    stretches = list(journal.steps(desk.run).bodies({RowState.READY}))

    assert [[body.ordinal for body in stretch] for stretch in stretches] == [[0, 1], [3], [4]]
    first = stretches[0][0]
    assert (first.row, first.state, first.payload) == (2, RowState.READY, b'{"key":"k0"}')
    assert json.loads(first.after) == AFTER


def test_only_rows_in_the_states_that_are_asked_for_are_read_back(desk: Book, journal: Journal) -> None:
    desk.settle(*(created(record.ordinal, record.key) for record in desk.claim(1).records))
    steps = journal.steps(desk.run)

    assert [body.ordinal for stretch in steps.bodies({RowState.CREATED}) for body in stretch] == [0]
    assert [body.ordinal for stretch in steps.bodies({RowState.READY}) for body in stretch] == [1, 3, 4]
    assert not list(steps.bodies({RowState.REJECTED}))


def test_a_step_is_claimed_in_the_order_of_rows_with_what_it_sends(desk: Book) -> None:
    desk.create_all()
    limits = [task for _ in range(3) for task in desk.claim_steps(Step.LIMITS, 2)]
    (passport, *_) = desk.claim_steps(Step.DOCUMENTS)
    (read_back, *_) = desk.claim_steps(Step.VERIFY)

    assert [(task.ordinal, task.row, task.customer_id, task.key) for task in limits] == [
        (0, 2, "cust-0", "k0"), (1, 3, "cust-1", "k1"), (3, 5, "cust-3", "k3"), (4, 6, "cust-4", "k4"),
    ]  # fmt: skip
    assert json.loads(limits[0].payload) == AFTER["limits"]
    assert (passport.part, json.loads(passport.payload)) == ("passport", {"file": "p.pdf"})
    assert read_back.payload == b'{"key":"k0"}'
    assert not any(task.in_doubt or task.prior_attempts or task.doubt_since for task in limits)
    assert not desk.claim_steps(Step.LIMITS)


def test_a_change_keeps_its_guard(desk: Book, journal: Journal) -> None:
    desk.create_all()
    journal.steps(desk.run).plan([PlannedStep(ordinal, Step.SUSPEND, guard=f"g{ordinal}") for ordinal in (0, 1)])
    first, second = desk.claim_steps(Step.SUSPEND)
    assert [(task.guard, task.reference, task.payload) for task in (first, second)] == [
        ("g0", "", b""),
        ("g1", "", b""),
    ]

    desk.settle_steps(result(first), result(second, StepState.FAILED))
    journal.steps(desk.run).reopen({StepState.FAILED}, {Step.SUSPEND})
    (again,) = desk.again().claim_steps(Step.SUSPEND)
    assert (again.ordinal, again.guard) == (1, "g1")
    assert [one.reference for one in journal.steps(desk.run).of_row(0) if one.step is Step.SUSPEND] == ["g0"]


def change(book: Book, **guards: str) -> None:
    """Have rows suspended, each under its guard."""
    planned = [PlannedStep(int(row.removeprefix("row")), Step.SUSPEND, guard=guard) for row, guard in guards.items()]
    book.journal.steps(book.run).change(Step.SUSPEND, planned)


def test_a_plan_applied_again_keeps_what_is_done_and_what_is_in_doubt(desk: Book, journal: Journal) -> None:
    desk.create_all()
    change(desk, row0="a", row1="b", row3="c", row4="d")
    first, second, third, _ = desk.claim_steps(Step.SUSPEND)
    error = FieldError("", "No.", "suspend_failed")
    desk.settle_steps(result(first), result(second, StepState.FAILED, error=error), result(third, StepState.UNKNOWN))
    assert warnings(desk, 1) == [("suspend_failed", "", "")]

    change(desk, row0="a", row1="b", row3="c", row4="d")
    again = desk.again().claim_steps(Step.SUSPEND)
    assert [(task.ordinal, task.guard, task.in_doubt) for task in again] == [
        (1, "b", False), (3, "c", True), (4, "d", True),
    ]  # fmt: skip
    assert warnings(desk, 1) == []
    assert journal.steps(desk.run).states(Step.SUSPEND)[0, ""] is StepState.DONE


def test_another_plan_takes_the_place_of_the_one_before(desk: Book, journal: Journal) -> None:
    desk.create_all()
    change(desk, row0="a", row1="b", row3="c", row4="d")
    desk.claim_steps(Step.SUSPEND, 2)
    change(desk, row1="new", row4="new")

    assert [(task.ordinal, task.guard, task.in_doubt) for task in desk.again().claim_steps(Step.SUSPEND)] == [
        (4, "new", False), (1, "new", True),
    ]  # fmt: skip
    assert journal.steps(desk.run).states(Step.SUSPEND)[0, ""] is StepState.UNKNOWN
    assert (3, "") not in journal.steps(desk.run).states(Step.SUSPEND)


def test_what_is_taken_back_has_no_other_step_left_to_begin(desk: Book, journal: Journal) -> None:
    desk.create_all()
    (limits, *_) = desk.claim_steps(Step.LIMITS, 1)
    desk.settle_steps(result(limits))
    change(desk, row0="a")

    assert entries(desk, 0) == {(Step.LIMITS, ""): StepState.DONE, (Step.SUSPEND, ""): StepState.WAITING}
    assert len(entries(desk, 1)) == 4


def test_a_run_is_not_followed_for_what_takes_it_back_and_has_no_column_of_it(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, ["k0"])
    book = Book(journal, run)
    book.create_all()
    change(book, row0="a")
    journal.runs.end(run, phase=FINISHED, exit_code=0, ended_at=2.0)

    assert list(journal.earlier.with_open_steps("live")) == []
    (batch,) = journal.replay(run).batches()
    assert not batch.follow_up


def test_steps_of_a_customer_that_was_taken_back_are_not_opened_again(desk: Book, journal: Journal) -> None:
    desk.create_all()
    tasks = desk.claim_steps(Step.LIMITS)
    desk.settle_steps(*(result(task, StepState.FAILED) for task in tasks))
    journal.steps(desk.run).change(Step.SUSPEND, [PlannedStep(tasks[0].ordinal, Step.SUSPEND)])
    desk.settle_steps(*(result(task) for task in desk.claim_steps(Step.SUSPEND)))

    journal.steps(desk.run).reopen({StepState.FAILED})

    assert [task.ordinal for task in desk.again().claim_steps(Step.LIMITS)] == [task.ordinal for task in tasks[1:]]


@pytest.mark.parametrize("step", [Step.SUSPEND, Step.DELETE])
def test_the_key_of_a_deleted_customer_is_free_and_that_of_a_suspended_one_is_known(
    journal: Journal, step: Step
) -> None:
    run = begin(journal)
    fill(journal, run, ["k0", "k1"])
    book = Book(journal, run)
    book.create_all()
    later = filled(journal, SECOND, ["k0", "k1"])
    assert [one.state for one in later.claim().known] == [RowState.EXISTING] * 2
    journal.steps(run).change(step, [PlannedStep(0, step)])
    book.settle_steps(*(result(task) for task in book.claim_steps(step)))

    third = filled(journal, THIRD, ["k0", "k1"]).claim()
    assert [record.key for record in third.records] == (["k0"] if step is Step.DELETE else [])
    assert not any(record.in_doubt for record in third.records)


def test_only_a_row_that_existed_is_updated_and_only_one_that_was_created_is_taken_back(
    desk: Book, journal: Journal
) -> None:
    desk.claim(2)
    desk.settle(created(0, "k0"), Outcome(1, "k1", RowState.EXISTING, customer_id="cust-1"))
    changes = (Step.UPDATE, Step.SUSPEND, Step.DELETE)
    journal.steps(desk.run).plan([PlannedStep(ordinal, step) for ordinal in (0, 1) for step in changes])

    assert [[task.ordinal for task in desk.claim_steps(step)] for step in changes] == [[1], [0], [0]]
    assert {step for step, _ in entries(desk, 0)} & set(changes) == {Step.SUSPEND, Step.DELETE}
    assert {step for step, _ in entries(desk, 1)} & set(changes) == {Step.UPDATE}


def test_only_rows_that_ended_with_a_customer_have_steps(desk: Book, journal: Journal) -> None:
    desk.claim()
    desk.settle(
        created(0, "k0"),
        Outcome(1, "k1", RowState.EXISTING, customer_id="cust-1"),
        Outcome(3, "k3", RowState.REJECTED),
        Outcome(4, "k4", RowState.UNKNOWN),
    )

    assert [task.ordinal for task in desk.claim_steps(Step.LIMITS)] == [0]
    assert [task.ordinal for task in desk.claim_steps(Step.VERIFY)] == [0, 1]
    assert sum(one.entries for one in journal.steps(desk.run).counts() if one.step is Step.LIMITS) == 1
    assert [len(entries(desk, ordinal)) for ordinal in (0, 1, 3, 4)] == [4, 1, 0, 0]


@pytest.mark.parametrize("state", list(RowState))
def test_the_steps_of_a_row_are_those_that_its_state_has(desk: Book, state: RowState) -> None:
    reached = state in {RowState.CREATED, RowState.EXISTING, RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN}
    desk.claim(1)
    if reached:
        desk.settle(Outcome(0, "k0", state, customer_id="cust-0"))

    expected = [step for step in (Step.LIMITS, Step.DOCUMENTS, Step.VERIFICATION, Step.VERIFY) if has_step(step, state)]
    assert [step for step, _ in entries(desk, 0)] == (expected if reached else [])


def test_a_step_that_a_dead_process_left_is_in_doubt_and_comes_last(desk: Book) -> None:
    desk.create_all()
    first, second = desk.claim_steps(Step.LIMITS, 2, now=50.0)
    desk.settle_steps(result(second))

    again = desk.again().claim_steps(Step.LIMITS, now=90.0)
    third = desk.again().claim_steps(Step.LIMITS, now=120.0)

    assert [(task.ordinal, task.in_doubt, task.doubt_since) for task in again] == [
        (3, False, None), (4, False, None), (0, True, 50.0),
    ]  # fmt: skip
    assert [(task.ordinal, task.doubt_since) for task in third] == [(0, 50.0), (3, 90.0), (4, 90.0)]
    assert first.ordinal == 0


def test_what_a_pass_has_begun_itself_is_not_in_doubt_for_it(desk: Book) -> None:
    desk.create_all()
    desk.claim_steps(Step.LIMITS, 1)
    again = desk.again()

    found = [task for _ in range(9) for task in again.claim_steps(Step.LIMITS, 1)]
    assert [(task.ordinal, task.in_doubt) for task in found] == [(1, False), (3, False), (4, False), (0, True)]


def test_a_stopping_pass_leaves_steps_in_doubt(desk: Book) -> None:
    desk.create_all()
    desk.claim_steps(Step.LIMITS, 1)
    desk.finish()

    assert [task.in_doubt for task in desk.again().claim_steps(Step.LIMITS)] == [False, False, False, True]


def test_a_step_of_which_nothing_was_sent_waits_for_the_next_pass(desk: Book) -> None:
    desk.create_all()
    tasks = desk.claim_steps(Step.LIMITS)
    desk.settle_steps(*(result(task, StepState.WAITING) for task in tasks))

    assert not desk.claim_steps(Step.LIMITS)
    assert [task.in_doubt for task in desk.again().claim_steps(Step.LIMITS)] == [False] * 4


def put(book: Book, state: StepState) -> StepTask:
    """Lead the verification of the first row to a state."""
    book.create_all()
    if state is StepState.NOT_READY:
        book.journal.steps(book.run).plan([PlannedStep(0, Step.VERIFICATION, "", state, ("dateOfBirth",))])
    task = StepTask(0, 2, Step.VERIFICATION, "", "cust-0", "k0", b"")
    if state not in {StepState.WAITING, StepState.NOT_READY}:
        book.settle_steps(*(result(one) for one in book.claim_steps(Step.DOCUMENTS, 1)))
        book.claim_steps(Step.VERIFICATION, 1)
        if state is not StepState.SENDING:
            book.settle_steps(result(task, state))
    return task


@pytest.mark.parametrize("before", list(StepState))
@pytest.mark.parametrize("after", list(StepState))
def test_the_journal_allows_exactly_the_transitions_of_the_table(
    desk: Book, before: StepState, after: StepState
) -> None:
    task = put(desk, before)

    if after in STEP_TRANSITIONS[before]:
        desk.again().settle_steps(result(task, after))
        assert entries(desk, 0)[Step.VERIFICATION, ""] is after
    else:
        with pytest.raises(JournalError, match="cannot become"):
            desk.again().settle_steps(result(task, after))
        assert entries(desk, 0)[Step.VERIFICATION, ""] is before


@pytest.mark.parametrize("state", [one for one in StepState if one is not StepState.DONE])
def test_another_pass_opens_exactly_what_the_table_allows(desk: Book, journal: Journal, state: StepState) -> None:
    put(desk, state)

    journal.steps(desk.run).reopen({state}, {Step.VERIFICATION})

    assert entries(desk, 0)[Step.VERIFICATION, ""] is STEP_REOPENINGS.get(state, state)


def test_what_is_done_is_opened_again_for_reading_back_alone(desk: Book, journal: Journal) -> None:
    desk.create_all()
    for step in (Step.LIMITS, Step.VERIFY):
        desk.settle_steps(*(result(task) for task in desk.claim_steps(step)))
    journal.steps(desk.run).reopen({StepState.DONE})

    assert counted(desk)[Step.VERIFY, StepState.WAITING] == 4
    assert counted(desk)[Step.LIMITS, StepState.DONE] == 4


def test_a_step_that_was_never_planned_cannot_be_settled(desk: Book) -> None:
    with pytest.raises(JournalError, match="#0 beneficiaries 7"):
        desk.settle_steps(StepResult(0, Step.BENEFICIARIES, "7", StepState.DONE))


def test_everything_about_a_step_is_read_back(desk: Book, journal: Journal) -> None:
    desk.create_all()
    desk.settle_steps(*(result(one) for one in desk.claim_steps(Step.DOCUMENTS, 1)))
    (task,) = desk.claim_steps(Step.VERIFICATION, 1)
    attempt = Attempt(1, "create", 5.0, 0.25, Verdict.ACCEPT, 201, "", "t-7")
    submitted = result(
        task, StepState.SUBMITTED, reference="app-1", status="PENDING", attempts=(attempt,), next_at=30.0
    )
    desk.settle_steps(submitted)
    steps = journal.steps(desk.run)
    before = next(one for one in steps.of_row(0) if one.step is Step.VERIFICATION)
    (look,) = desk.due_steps(now=30.0)
    desk.settle_steps(result(look, status="COMPLETED", outcome="APPROVED"))
    after = next(one for one in steps.of_row(0) if one.step is Step.VERIFICATION)

    assert (before.state, before.reference, before.status, before.attempts) == (
        StepState.SUBMITTED, "app-1", "PENDING", 1,
    )  # fmt: skip
    assert (look.reference, look.looks, look.row, look.customer_id) == ("app-1", 0, 2, "cust-0")
    assert (after.state, after.reference, after.status, after.outcome, after.attempts) == (
        StepState.DONE, "app-1", "COMPLETED", "APPROVED", 1,
    )  # fmt: skip
    assert steps.attempts(0) == [(Step.VERIFICATION, "", attempt)]
    assert StepCount(Step.VERIFICATION, StepState.DONE, "APPROVED", 1) in steps.counts()


def submit(book: Book, *next_at: float | None) -> None:
    """Submit one verification for each time of the next look."""
    book.create_all()
    book.settle_steps(*(result(one) for one in book.claim_steps(Step.DOCUMENTS)))
    tasks = book.claim_steps(Step.VERIFICATION, len(next_at))
    both = zip(tasks, next_at, strict=True)
    book.settle_steps(*(result(task, StepState.SUBMITTED, next_at=at) for task, at in both))


def test_submitted_steps_are_looked_at_when_they_are_due_and_not_twice_at_once(desk: Book) -> None:
    submit(desk, 300.0, 200.0, None, 900.0)

    assert [task.ordinal for task in desk.due_steps(1, now=400.0)] == [3]
    assert [task.ordinal for task in desk.due_steps(now=400.0)] == [1, 0]
    assert not desk.due_steps(now=400.0)
    assert desk.next_due() == 900.0
    look = StepTask(1, 3, Step.VERIFICATION, "", "cust-1", "k1", b"")
    desk.settle_steps(result(look, StepState.SUBMITTED, next_at=500.0))
    assert desk.next_due() == 500.0
    assert [(task.ordinal, task.looks) for task in desk.due_steps(now=500.0)] == [(1, 1)]


def test_a_look_that_decides_nothing_is_counted_and_leaves_nothing_else(desk: Book, journal: Journal) -> None:
    submit(desk, 300.0)
    look = Attempt(1, "find", 5.0, 0.25, Verdict.ACCEPT, 200, "", "t-8")
    (task,) = desk.due_steps(now=300.0)
    desk.settle_steps(result(task, StepState.SUBMITTED, status="PENDING", next_at=400.0, attempts=(look,)))
    (task,) = desk.due_steps(now=400.0)
    desk.settle_steps(result(task, StepState.SUBMITTED, next_at=500.0, attempts=(look,)))
    idle = next(one for one in journal.steps(desk.run).of_row(0) if one.step is Step.VERIFICATION)
    (task,) = desk.due_steps(now=500.0)
    desk.settle_steps(result(task, attempts=(look,)))

    assert (idle.status, idle.attempts, task.looks, task.prior_attempts) == ("PENDING", 0, 2, 0)
    assert journal.steps(desk.run).attempts(0) == [(Step.VERIFICATION, "", look)]


def test_an_error_is_not_a_warning_while_its_step_is_open(desk: Book) -> None:
    submit(desk, 300.0)
    (task,) = desk.due_steps(now=300.0)
    desk.settle_steps(result(task, StepState.SUBMITTED, error=FieldError("", "No answer.", "idv_failed")))

    assert warnings(desk, 0) == []


def test_what_one_life_looked_at_the_next_one_looks_at_again(desk: Book) -> None:
    submit(desk, 300.0)
    desk.due_steps(now=400.0)

    assert [task.ordinal for task in desk.again().due_steps(now=400.0)] == [0]


def test_there_is_nothing_to_wait_for_once_everything_is_decided(desk: Book) -> None:
    submit(desk, 300.0)
    desk.settle_steps(*(result(task, outcome="DECLINED") for task in desk.due_steps(now=400.0)))

    assert desk.next_due() is None


def test_a_failure_is_a_warning_of_its_row_with_its_column(desk: Book) -> None:
    desk.create_all()
    (task,) = desk.claim_steps(Step.LIMITS, 1)
    desk.settle_steps(
        result(task, StepState.FAILED, error=FieldError("limits.daily", "There is none.", "limit_missing"))
    )

    assert warnings(desk, 0) == [("limit_missing", "limits.daily", "Daily limit")]
    assert desk.states()[0] == "created"


def test_a_step_that_is_opened_again_loses_its_own_warnings_alone(desk: Book, journal: Journal) -> None:
    desk.create_all()
    (limits,), (passport,) = desk.claim_steps(Step.LIMITS, 1), desk.claim_steps(Step.DOCUMENTS, 1)
    desk.settle_steps(
        result(limits, StepState.FAILED, error=FieldError("limits.daily", "No.", "limits_failed")),
        result(passport, StepState.UNKNOWN, error=FieldError("", "Nobody knows.", "document_unknown")),
    )
    assert warnings(desk, 0)[1] == ("document_unknown", "documents.passport", "Passport")

    journal.steps(desk.run).reopen({StepState.FAILED})
    assert [code for code, *_ in warnings(desk, 0)] == ["document_unknown"]
    journal.steps(desk.run).reopen({StepState.UNKNOWN}, {Step.DOCUMENTS})

    assert warnings(desk, 0) == []
    assert entries(desk, 0)[Step.DOCUMENTS, "passport"] is StepState.SENDING


def test_of_two_parts_only_the_one_that_is_opened_again_loses_its_warning(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, ["k0"], after=[packed({"beneficiaries": OWNERS})])
    book = Book(journal, run)
    journal.steps(run).plan(planned(book))
    book.create_all()
    one, two = book.claim_steps(Step.BENEFICIARIES)
    book.settle_steps(
        result(one, StepState.FAILED, error=FieldError("beneficiaries.1.firstName", "No.", "beneficiary_failed")),
        result(two, StepState.UNKNOWN, error=FieldError("beneficiaries.2", "Nobody knows.", "beneficiary_unknown")),
    )
    journal.steps(run).reopen({StepState.FAILED})

    assert [(code, path) for code, path, _ in warnings(book, 0)] == [("beneficiary_unknown", "beneficiaries.2")]
    assert [json.loads(task.payload) for task in (one, two)] == [{"firstName": "Ann"}, {"firstName": "Bob"}]


@pytest.mark.parametrize("at_once", [True, False])
def test_two_owners_of_a_row_are_never_one_at_the_target(journal: Journal, at_once: bool) -> None:
    """A look-up for one in doubt may find the other, where they cannot be distinguished."""
    run = begin(journal, FIRST)
    fill(journal, run, ["k0"], after=[packed({"beneficiaries": OWNERS})])
    book = Book(journal, run)
    journal.steps(run).plan(planned(book))
    book.create_all()
    first, second = book.claim_steps(Step.BENEFICIARIES)

    both = (result(first, reference="owner-1"), result(second, reference="owner-1"))
    for results in (both,) if at_once else ((one,) for one in both):
        book.settle_steps(*results)

    assert list(entries(book, 0).values()) == [StepState.DONE, StepState.UNKNOWN]
    assert [(code, field) for code, field, _ in warnings(book, 0)] == [("beneficiary_unknown", "beneficiaries.2")]


@pytest.mark.parametrize("state", [StepState.FAILED, StepState.UNKNOWN])
def test_a_verification_ends_on_the_way_where_a_step_before_it_failed(
    desk: Book, journal: Journal, state: StepState
) -> None:
    desk.create_all()
    (passport, *others) = desk.claim_steps(Step.DOCUMENTS)
    desk.settle_steps(result(passport, state), *(result(one) for one in others))

    assert [task.ordinal for task in desk.claim_steps(Step.VERIFICATION)] == [1, 3, 4]
    assert entries(desk, 0)[Step.VERIFICATION, ""] is StepState.FAILED
    assert warnings(desk, 0) == [("idv_blocked", "", "")]
    journal.steps(desk.run).reopen({StepState.FAILED, StepState.UNKNOWN})
    again = desk.again()
    again.settle_steps(*(result(one) for one in again.claim_steps(Step.DOCUMENTS)))
    assert [task.ordinal for task in again.claim_steps(Step.VERIFICATION)] == [0, 1, 3, 4]


def test_a_verification_is_not_begun_before_the_steps_that_it_needs_are_done(desk: Book) -> None:
    desk.create_all()
    desk.settle_steps(*(result(one) for one in desk.claim_steps(Step.DOCUMENTS, 2)))

    assert [task.ordinal for task in desk.claim_steps(Step.VERIFICATION)] == [0, 1]
    assert entries(desk, 3)[Step.VERIFICATION, ""] is StepState.WAITING


def test_planning_again_replaces_what_was_not_begun(desk: Book, journal: Journal) -> None:
    desk.create_all()
    desk.settle_steps(*(result(one) for one in desk.claim_steps(Step.LIMITS)))
    lacking = PlannedStep(0, Step.VERIFICATION, "", StepState.NOT_READY, ("dateOfBirth", "limits.daily"))
    journal.steps(desk.run).plan([lacking])

    assert entries(desk, 0) == {(Step.LIMITS, ""): StepState.DONE, (Step.VERIFICATION, ""): StepState.NOT_READY}
    assert len(entries(desk, 1)) == 4
    assert warnings(desk, 0) == [("idv_not_ready", "", "Daily limit")]
    (not_ready,) = [one for one in journal.steps(desk.run).of_row(0) if one.step is Step.VERIFICATION]
    assert not_ready.detail == ("dateOfBirth", "limits.daily")
    journal.steps(desk.run).plan([PlannedStep(0, Step.VERIFICATION), PlannedStep(0, Step.LIMITS)])
    assert warnings(desk, 0) == []
    assert entries(desk, 0) == {(Step.LIMITS, ""): StepState.DONE, (Step.VERIFICATION, ""): StepState.WAITING}


def test_a_customer_can_be_read_back_again_whatever_came_of_it_before(desk: Book, journal: Journal) -> None:
    desk.create_all()
    before = entries(desk, 0)
    attempt = Attempt(1, "verify", 5.0, 0.25, Verdict.ACCEPT, 200, "", "t-7")
    error = FieldError("lastName", "Another value.", "differs_at_target")
    (task,) = desk.claim_steps(Step.VERIFY, 1)
    desk.settle_steps(result(task, StepState.DIFFERS, detail=("lastName: x",), error=error, attempts=(attempt,)))
    journal.steps(desk.run).verify([0])

    assert entries(desk, 0) == {**before, (Step.VERIFY, ""): StepState.WAITING}
    assert (warnings(desk, 0), shown(desk)[:2]) == ([], ("", ""))
    assert journal.steps(desk.run).attempts(0) == [(Step.VERIFY, "", attempt)]
    assert next(iter(desk.again().claim_steps(Step.VERIFY))).prior_attempts == 1


def test_a_row_that_is_refused_says_what_it_lacks(desk: Book, journal: Journal) -> None:
    lacking = PlannedStep(0, Step.VERIFICATION, "", StepState.NOT_READY, ("limits.daily",))
    journal.steps(desk.run).refuse([lacking], "idv_refused", "Fill in {}.")

    first = next(iter(journal.replay(desk.run).results()))
    assert first.state is RowState.INVALID
    assert [(one.code, one.message, one.field, one.column) for one in first.errors] == [
        ("idv_refused", "Fill in limits.daily.", "limits.daily", "Daily limit")
    ]
    assert [record.ordinal for record in desk.again().claim().records] == [1, 3, 4]


def test_a_row_that_an_earlier_run_created_is_known_by_its_customer(journal: Journal) -> None:
    filled(journal, FIRST, ["k0", "k1"]).create_all()
    later = filled(journal, SECOND, ["k0", "k2"])

    (rows,) = journal.steps(later.run).bodies({RowState.READY})
    assert [(row.state, row.customer_id) for row in rows] == [(RowState.READY, "cust-0"), (RowState.READY, "")]


def test_a_row_that_was_sent_cannot_be_refused(desk: Book, journal: Journal) -> None:
    desk.claim(1)

    with pytest.raises(JournalError, match="no longer ready"):
        journal.steps(desk.run).refuse(
            [PlannedStep(1, Step.VERIFICATION), PlannedStep(0, Step.VERIFICATION)], "x", "{}"
        )
    assert desk.states()[1] == "ready"


def business(ordinal: int) -> bytes:
    contact = {"primary": True, "firstName": f"Person {ordinal}"}
    return packed({"type": "BUSINESS", "businessName": "Firm", "contacts": [contact]})


@pytest.fixture
def group(journal: Journal) -> Book:
    """Three rows of one business, for which the last one speaks, and a customer of its own."""
    run = begin(journal)
    bodies = [business(ordinal) for ordinal in range(4)]
    after = [packed({"limits": {"daily": daily}}) for daily in ("3.00", "1.00", "3.00", "3.00")]
    fill(journal, run, ["a" * 32, "b" * 32, "a" * 32, "a" * 32], payloads=bodies, after=after, leaders=[3, -1, 3, 3])
    book = Book(journal, run)
    journal.steps(run).plan(planned(book, Step.VERIFY))
    return book


def test_one_row_of_a_group_has_its_steps_and_the_others_show_them(group: Book, journal: Journal) -> None:
    group.create_all()
    tasks = group.claim_steps(Step.LIMITS)
    group.settle_steps(
        *(result(one, StepState.FAILED, error=FieldError("limits", "No.", "limits_failed")) for one in tasks)
    )

    assert [(task.ordinal, json.loads(task.payload)) for task in tasks] == [
        (1, {"daily": "1.00"}),
        (3, {"daily": "3.00"}),
    ]
    assert entries(group, 0) == entries(group, 3) != {}
    assert [[code for code, *_ in warnings(group, ordinal)] for ordinal in range(4)] == [["limits_failed"]] * 4
    assert sum(one.entries for one in journal.steps(group.run).counts() if one.step is Step.LIMITS) == 2
    (batch, other) = journal.replay(group.run).batches()
    assert [*batch.follow_up["_limits"], *other.follow_up["_limits"]] == ["failed"] * 4
    journal.steps(group.run).reopen({StepState.FAILED})
    assert [warnings(group, ordinal) for ordinal in range(4)] == [[]] * 4


def test_a_group_is_refused_as_one(group: Book, journal: Journal) -> None:
    journal.steps(group.run).refuse([PlannedStep(3, Step.VERIFICATION, "", StepState.NOT_READY, ("x",))], "lacks", "{}")

    assert group.states() == {0: "invalid", 1: "ready", 2: "invalid", 3: "invalid"}
    assert [[one.code for one in row.errors] for row in journal.replay(group.run).results()] == [
        ["lacks"], [], ["lacks"], ["lacks"],
    ]  # fmt: skip


def shown(book: Book, ordinal: int = 0) -> tuple[str, ...]:
    (batch, *_) = book.journal.replay(book.run).batches()
    return tuple(batch.follow_up[column][ordinal] for column in STEP_COLUMNS)


def test_results_show_the_steps_of_each_row(desk: Book) -> None:
    assert shown(desk) == ("", "", "", "", "", "")
    desk.create_all()
    assert shown(desk) == ("", "", "waiting", "waiting", "", "")
    for step in (Step.LIMITS, Step.DOCUMENTS):
        desk.settle_steps(*(result(task) for task in desk.claim_steps(step)))
    first, second, *_ = desk.claim_steps(Step.VERIFICATION)
    desk.settle_steps(
        result(first, StepState.SUBMITTED, status="processing", reference="app-0"),
        result(second, status="COMPLETED", outcome="APPROVED", reference="app-1"),
    )
    same, other, *_ = desk.claim_steps(Step.VERIFY)
    desk.settle_steps(
        result(same),
        result(other, StepState.DIFFERS, detail=("lastName: another value", "middleName: not sent")),
    )

    assert shown(desk) == ("same", "", "set", "PROCESSING", "", "app-0")
    assert shown(desk, 1) == (
        "differs", "lastName: another value; middleName: not sent", "set", "COMPLETED", "APPROVED", "app-1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (StepState.WAITING, ("waiting", "waiting")),
        (StepState.SENDING, ("waiting", "unknown")),
        (StepState.FAILED, ("failed", "failed")),
        (StepState.UNKNOWN, ("unknown", "unknown")),
    ],
)
def test_results_say_what_is_not_done(journal: Journal, state: StepState, words: tuple[str, str]) -> None:
    run = begin(journal)
    fill(journal, run, ["k0"], after=[packed({"limits": {"daily": "1.00"}})])
    book = Book(journal, run)
    journal.steps(run).plan(planned(book, Step.VERIFICATION))
    book.create_all()
    for step in () if state is StepState.WAITING else (Step.LIMITS, Step.VERIFICATION):
        (task,) = book.claim_steps(step)
        if state is not StepState.SENDING:
            book.settle_steps(result(task, state))

    assert shown(book)[2:4] == words


def test_results_of_a_run_without_steps_have_no_columns_for_them(book: Book, journal: Journal) -> None:
    assert [batch.follow_up for batch in journal.replay(book.run).batches()] == [{}] * 3


def test_the_digest_of_rows_is_about_steps_only_where_there_are_any(book: Book, journal: Journal) -> None:
    before = journal.receipts.rows_digest(book.run)
    journal.steps(book.run).plan([])
    assert journal.receipts.rows_digest(book.run) == before

    journal.steps(book.run).plan([PlannedStep(0, Step.VERIFY)])
    with_a_step = journal.receipts.rows_digest(book.run)
    book.create_all()
    created_all = journal.receipts.rows_digest(book.run)
    book.claim_steps(Step.VERIFY)
    assert len({before, with_a_step, created_all, journal.receipts.rows_digest(book.run)}) == 4


def test_runs_with_open_steps_are_found_once_they_have_ended(journal: Journal) -> None:
    desks = [new_desk(journal, run_id) for run_id in (FIRST, SECOND, THIRD)]
    for desk in desks:
        desk.finish() if desk is desks[1] else desk.settle(
            *(
                Outcome(one.ordinal, one.key, RowState.EXISTING, customer_id=f"c{one.key}")
                for one in desk.claim().records
            )
        )
        journal.runs.enter(desk.run, RUNNING)
    assert journal.earlier.with_open_steps("live") == []
    for desk in desks:
        journal.runs.end(desk.run, phase=FINISHED, exit_code=75, ended_at=5.0)

    assert journal.earlier.with_open_steps("live") == [FIRST, THIRD]
    assert journal.earlier.with_open_steps("sandbox") == []
    desks[0].settle_steps(*(result(task) for task in desks[0].claim_steps(Step.VERIFY)))
    assert journal.earlier.with_open_steps("live") == [THIRD]


def test_a_run_of_which_nothing_is_due_can_be_left_out(desk: Book, journal: Journal) -> None:
    desk.create_all()
    journal.runs.end(desk.run, phase=FINISHED, exit_code=75, ended_at=5.0)
    assert journal.earlier.with_open_steps("live", 0.0) == [FIRST]  # steps that have not begun are always due

    for step in (Step.LIMITS, Step.DOCUMENTS, Step.VERIFY):
        desk.settle_steps(*(result(task) for task in desk.claim_steps(step)))
    submitted = (result(task, StepState.SUBMITTED, next_at=50.0) for task in desk.claim_steps(Step.VERIFICATION))
    desk.settle_steps(*submitted)
    assert journal.earlier.with_open_steps("live") == [FIRST]
    assert journal.earlier.with_open_steps("live", 49.0) == []
    assert journal.earlier.with_open_steps("live", 50.0) == [FIRST]


def test_a_purge_keeps_runs_with_open_steps_and_takes_what_steps_send(desk: Book, journal: Journal) -> None:
    desk.create_all()
    journal.runs.end(desk.run, phase=FINISHED, exit_code=75, ended_at=5.0)
    assert [(one.resumable, one.has_open_steps) for one in journal.purging.purgeable(10.0)] == [(True, True)]
    before, digest = counted(desk), journal.receipts.rows_digest(desk.run)

    journal.purging.purge([desk.run], 20.0)

    assert list(journal.steps(desk.run).bodies(set(RowState))) == []
    assert (counted(desk), journal.receipts.rows_digest(desk.run)) == (before, digest)
    assert not desk.again().claim_steps(Step.LIMITS)
    assert journal.earlier.with_open_steps("live") == []


def test_a_run_whose_steps_are_done_can_be_purged(desk: Book, journal: Journal) -> None:
    desk.create_all()
    for step in (Step.LIMITS, Step.DOCUMENTS, Step.VERIFICATION, Step.VERIFY):
        desk.settle_steps(*(result(task) for task in desk.claim_steps(step)))
    journal.runs.end(desk.run, phase=FINISHED, exit_code=0, ended_at=5.0)

    assert [one.resumable for one in journal.purging.purgeable(10.0)] == [False]


def test_a_run_that_is_loaded_again_or_forgotten_keeps_no_steps(desk: Book, journal: Journal) -> None:
    fill(journal, desk.run, KEYS, batch_rows=2)
    desk.create_all()
    assert journal.steps(desk.run).counts() == []
    assert [body.after for stretch in journal.steps(desk.run).bodies({RowState.CREATED}) for body in stretch] == [
        b""
    ] * 4

    other = new_desk(journal, SECOND)
    other.finish()
    journal.runs.forget(other.run)
    assert journal.steps(other.run).counts() == []


def test_a_row_that_comes_back_brings_something_else_and_is_planned_anew(desk: Book, journal: Journal) -> None:
    desk.claim(1)
    desk.settle(Outcome(0, "k0", RowState.REJECTED))
    fixed = packed({"limits": {"daily": "7.00"}})
    desk.revise(Revision(0, RowState.REJECTED, RowState.READY, key="n0", payload=b'{"n":0}', after=fixed))
    steps = journal.steps(desk.run)

    (first, second), *_ = steps.bodies({RowState.READY})
    assert (first.payload, first.after) == (b'{"n":0}', fixed)
    assert json.loads(second.after) == AFTER
    again = desk.again()
    again.create_all()
    assert entries(desk, 0) == {}


def test_a_row_that_comes_back_as_it_was_keeps_what_it_brings(desk: Book, journal: Journal) -> None:
    desk.finish()
    desk.revise(Revision(0, RowState.UNSENT, RowState.READY, payload=None))

    ((first,),) = journal.steps(desk.run).bodies({RowState.READY})
    assert json.loads(first.after) == AFTER


def test_steps_survive_the_end_of_the_program(tmp_path: Path, opener: Opener) -> None:
    with closing(opener(tmp_path)) as journal:
        desk = new_desk(journal)
        desk.create_all()
        desk.claim_steps(Step.LIMITS, 1, now=7.0)
    with closing(opener(tmp_path)) as journal:
        tasks = Book(journal, desk.run).claim_steps(Step.LIMITS)

    assert [(task.ordinal, task.in_doubt) for task in tasks] == [(1, False), (3, False), (4, False), (0, True)]


def test_ten_thousand_steps_can_be_claimed_in_small_lots(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, [f"k{number}" for number in range(10_000)], batch_rows=1_000)
    book = Book(journal, run)
    journal.steps(run).plan([PlannedStep(ordinal, Step.VERIFY) for ordinal in range(10_000)])
    while claimed := book.claim(2_000):
        book.settle(*(created(record.ordinal, record.key) for record in claimed.records))
    seen: list[int] = []
    while tasks := book.claim_steps(Step.VERIFY, 700):
        seen += [task.ordinal for task in tasks]
        book.settle_steps(*(result(task) for task in tasks))

    assert seen == list(range(10_000))
    assert journal.steps(run).counts() == [StepCount(Step.VERIFY, StepState.DONE, "", 10_000)]
