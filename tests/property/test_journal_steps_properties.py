"""Steps in any order of events: none is lost, none is handed out twice in one pass, and their counts balance."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from importer.core.outcomes import FieldError, Outcome
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, StepResult, StepTask
from importer.core.steps import (
    NEEDED_BY_VERIFICATION,
    OPEN_STEPS,
    STEP_REOPENINGS,
    STEP_TRANSITIONS,
    Step,
    StepState,
    has_step,
)
from tests.contracts.journals import ADAPTERS, Book, begin, fill
from tests.effort import examples

AFTER = json.dumps({"beneficiaries": {"1": {"a": 1}, "2": {"a": 2}}, "limits": {}, "documents": {"passport": {}}})
PARTS = (
    (Step.BENEFICIARIES, "1"), (Step.BENEFICIARIES, "2"), (Step.LIMITS, ""), (Step.DOCUMENTS, "passport"),
    (Step.VERIFICATION, ""), (Step.VERIFY, ""),
)  # fmt: skip
ENDS = (RowState.CREATED, RowState.CREATED, RowState.EXISTING, RowState.REJECTED)
HOUR_S = 3_600.0

Entry = tuple[int, Step, str]


class StepsMachine(RuleBasedStateMachine):
    """Claims, settles, looks, kills, new plans and new passes, beside a model of what each entry should be."""

    adapter = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = ADAPTERS[self.adapter](Path(self.folder.name))
        self.now_s = 1_000.0
        self.held: dict[Entry, StepTask] = {}
        self.claimed: set[Entry] = set()
        self.since: dict[Entry, float] = {}
        self.model: dict[Entry, StepState] = {}

    @initialize(ends=st.lists(st.sampled_from(ENDS), min_size=1, max_size=5))
    def plan_and_create(self, ends: list[RowState]) -> None:
        self.ends = dict(enumerate(ends))
        keys = [f"k{ordinal}" for ordinal in self.ends]
        run = begin(self.journal)
        fill(self.journal, run, keys, batch_rows=2, after=[AFTER.encode()] * len(keys))
        self.book = Book(self.journal, run)
        self.journal.steps(run).plan([PlannedStep(ordinal, *part) for ordinal in self.ends for part in PARTS])
        self.book.claim()
        self.book.settle(*(Outcome(n, f"k{n}", end, customer_id=f"c{n}") for n, end in self.ends.items()))
        entries = ((ordinal, *part) for ordinal in self.ends for part in PARTS)
        self.model = {one: StepState.WAITING for one in entries if has_step(one[1], self.ends[one[0]])}

    @rule(step=st.sampled_from(Step), limit=st.sampled_from([1, 3, 99]))
    def claim(self, step: Step, limit: int) -> None:
        self.now_s += 1.0
        for task in self.book.claim_steps(step, limit, self.now_s):
            one = (task.ordinal, task.step, task.part)
            assert one not in self.claimed
            assert task.in_doubt == (self.model[one] is StepState.SENDING)
            assert step is not Step.VERIFICATION or task.in_doubt or not self._held_back(task.ordinal, OPEN_STEPS)
            assert task.doubt_since == (self.since[one] if task.in_doubt else None)
            self.since.setdefault(one, self.now_s)
            self.claimed.add(one)
            self.held[one], self.model[one] = task, StepState.SENDING
        if step is Step.VERIFICATION:
            self._take_over_those_that_are_blocked()

    def _held_back(self, ordinal: int, states: frozenset[StepState]) -> bool:
        return any(
            state in states
            for (row, step, _), state in self.model.items()
            if row == ordinal and step in NEEDED_BY_VERIFICATION
        )

    def _take_over_those_that_are_blocked(self) -> None:
        failed = frozenset({StepState.FAILED, StepState.UNKNOWN})
        found = self._found()
        for one, state in self.model.items():
            if one[1] is Step.VERIFICATION and state is StepState.WAITING and found[one] is StepState.FAILED:
                assert self._held_back(one[0], failed)
                self.model[one] = StepState.FAILED

    @rule(limit=st.sampled_from([1, 3, 99]))
    def look(self, limit: int) -> None:
        self.now_s += HOUR_S
        for task in self.book.due_steps(limit, self.now_s):
            one = (task.ordinal, task.step, task.part)
            assert one not in self.held
            assert self.model[one] is StepState.SUBMITTED
            self.held[one] = task

    @rule(which=st.integers(0, 20), to=st.integers(0, 10), next_in_s=st.none() | st.floats(0, 2 * HOUR_S))
    def settle(self, which: int, to: int, next_in_s: float | None) -> None:
        if not self.held:
            return
        one = sorted(self.held)[which % len(self.held)]
        allowed = sorted(STEP_TRANSITIONS[self.model[one]])
        self._settle(one, allowed[to % len(allowed)], next_in_s)

    @rule(state=st.sampled_from([StepState.DONE, StepState.SUBMITTED, StepState.FAILED]))
    def settle_all(self, state: StepState) -> None:
        for one in sorted(self.held):
            self._settle(one, state, None)

    def _settle(self, one: Entry, state: StepState, next_in_s: float | None) -> None:
        error = None if state is StepState.DONE else FieldError("", "No.", "idv_failed")
        next_at = None if next_in_s is None else self.now_s + next_in_s
        self.book.settle_steps(StepResult(*one, state, error=error, next_at=next_at))
        del self.held[one]
        self.model[one] = state

    @rule(which=st.integers(0, 20))
    def die_before_a_settle_is_on_disk(self, which: int) -> None:
        if self.held:
            one = sorted(self.held)[which % len(self.held)]
            result = StepResult(*one, StepState.DONE)
            asyncio.run(self._settle_without_a_commit(result))
        self._begin_another_pass()

    async def _settle_without_a_commit(self, result: StepResult) -> None:
        self.book.rows.settle_step(result)

    @rule()
    def open_the_journal_again(self) -> None:
        self.journal.close()
        self.journal = ADAPTERS[self.adapter](Path(self.folder.name))
        self._begin_another_pass()

    @rule(state=st.sampled_from(sorted(STEP_REOPENINGS)), steps=st.sets(st.sampled_from(Step), min_size=1))
    def open_steps_again(self, state: StepState, steps: set[Step]) -> None:
        self.journal.steps(self.book.run).reopen({state}, steps)
        for one, now in self.model.items():
            if now is state and one[1] in steps and (state is not StepState.DONE or one[1] is Step.VERIFY):
                self.model[one] = STEP_REOPENINGS[state]
        self._begin_another_pass()

    @rule(ordinal=st.integers(0, 4), ready=st.booleans())
    def plan_a_row_again(self, ordinal: int, ready: bool) -> None:
        if ordinal not in self.ends:
            return
        state = StepState.WAITING if ready else StepState.NOT_READY
        again = [PlannedStep(ordinal, *part) for part in PARTS if part[0] is not Step.VERIFICATION]
        self.journal.steps(self.book.run).plan([*again, PlannedStep(ordinal, Step.VERIFICATION, "", state, ("x",))])
        one = (ordinal, Step.VERIFICATION, "")
        if self.model.get(one) in {StepState.WAITING, StepState.NOT_READY}:
            self.model[one] = state
        self._begin_another_pass()

    def _begin_another_pass(self) -> None:
        self.held, self.claimed = {}, set()
        self.book = Book(self.journal, self.book.run)

    def _found(self) -> dict[Entry, StepState]:
        steps = self.journal.steps(self.book.run)
        return {(ordinal, one.step, one.part): one.state for ordinal in self.ends for one in steps.of_row(ordinal)}

    @invariant()
    def every_entry_is_what_was_last_made_of_it(self) -> None:
        if not self.model:
            return
        assert self._found() == self.model
        counts: Counter[tuple[Step, StepState]] = Counter()
        for count in self.journal.steps(self.book.run).counts():
            counts[count.step, count.state] += count.entries
        assert counts == Counter((step, state) for (_, step, _), state in self.model.items())

    @invariant()
    def a_row_is_warned_of_what_has_failed_alone(self) -> None:
        if not self.model:
            return
        for row in self.journal.replay(self.book.run).results():
            open_or_done = OPEN_STEPS | {StepState.DONE}
            states = {
                now
                for (ordinal, step, _), now in self.model.items()
                if ordinal == row.ordinal and step is Step.VERIFICATION
            }
            if states and states <= open_or_done:
                assert not [one for one in row.warnings if one.code in {"idv_blocked", "idv_not_ready"}]

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


StepsMachine.TestCase.settings = settings(max_examples=examples(80), stateful_step_count=25, deadline=None)
TestStepsInAnyOrderOfEvents = StepsMachine.TestCase


class PostgresStepsMachine(StepsMachine):
    """The same in PostgreSQL."""

    adapter = "postgres"


PostgresStepsMachine.TestCase.settings = settings(max_examples=examples(10), stateful_step_count=25, deadline=None)
TestStepsInAnyOrderOfEventsInPostgres = PostgresStepsMachine.TestCase
