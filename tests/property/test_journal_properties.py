"""Whatever happens in whatever order: states never go backwards, counts balance, results keep the source's order."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from importer.core.outcomes import Outcome, Record
from importer.core.states import FINAL_STATES, REOPENINGS, TRANSITIONS, RowState
from tests.contracts.journals import ADAPTERS, Book, begin, fill
from tests.effort import examples

ENDINGS = sorted(TRANSITIONS[RowState.SENDING])
FOREVER = frozenset(FINAL_STATES) - frozenset(REOPENINGS)
AS_THEY_ARE = sorted({RowState.FAILED, RowState.UNSENT, RowState.UNKNOWN})
"""What another pass opens by itself; an invalid or a rejected row has to be changed and checked anew first."""


class JournalMachine(RuleBasedStateMachine):
    """Claims, settles, crashes, stops and reopenings in any order, over two runs that share some customers."""

    adapter = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = ADAPTERS[self.adapter](Path(self.folder.name))
        self.held: list[Record] = []
        self.final: dict[tuple[int, int], tuple[str, str]] = {}

    @initialize(
        keys=st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), unique=True, min_size=1), bad=st.integers(0, 2)
    )
    def fill_two_runs(self, keys: list[str], bad: int) -> None:
        self.rows = [*keys, *([None] * bad)]
        self.runs = [begin(self.journal, f"2026112{number}T000000Z-000000") for number in range(2)]
        for run in self.runs:
            fill(self.journal, run, list(self.rows), batch_rows=2)
        self.book = Book(self.journal, self.runs[0])

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        self.held += self.book.claim(limit).records

    @rule(ending=st.sampled_from(ENDINGS), which=st.integers(0, 10))
    def settle(self, ending: RowState, which: int) -> None:
        if self.held:
            record = self.held.pop(which % len(self.held))
            customer_id = f"cust-{record.key}" if ending in {RowState.CREATED, RowState.EXISTING} else ""
            self.book.settle(Outcome(record.ordinal, record.key, ending, customer_id=customer_id))

    @rule()
    def crash(self) -> None:
        self.held = []
        self.book = Book(self.journal, self.book.run)

    @rule()
    def stop(self) -> None:
        self.held = []
        self.book.finish()
        self.book = Book(self.journal, self.book.run)

    @rule(state=st.sampled_from(AS_THEY_ARE))
    def reopen(self, state: RowState) -> None:
        self.held = []
        self.journal.runs.reopen(self.book.run, (state,))
        self.book = Book(self.journal, self.book.run)

    @rule()
    def begin_the_other_run(self) -> None:
        self.held = []
        other = next(run for run in self.runs if run != self.book.run)
        self.book = Book(self.journal, other)

    @invariant()
    def every_run_tells_a_sound_story(self) -> None:
        for run in getattr(self, "runs", ()):
            results = list(self.journal.replay(run).results())
            counts = self.journal.runs.counts(run)
            assert [result.ordinal for result in results] == list(range(len(self.rows)))
            assert sum(counts.values()) == 2 * counts["read"] == 2 * len(self.rows)
            for result in results:
                self._keeps_its_final_state(run, result.ordinal, result.state.value, result.customer_id)

    def _keeps_its_final_state(self, run: int, ordinal: int, state: str, customer_id: str) -> None:
        before = self.final.get((run, ordinal))
        assert before is None or before == (state, customer_id)
        if state in FOREVER:
            self.final[run, ordinal] = (state, customer_id)

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


JournalMachine.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)
TestAnyOrderOfEvents = JournalMachine.TestCase


class PostgresMachine(JournalMachine):
    """The same in PostgreSQL."""

    adapter = "postgres"


PostgresMachine.TestCase.settings = settings(max_examples=examples(10), stateful_step_count=25, deadline=None)
TestAnyOrderOfEventsInPostgres = PostgresMachine.TestCase
