"""One row, then some, then the rest: what is sent before anybody has looked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from importer.core.outcomes import Claimed, FieldError, Outcome, Record
from importer.core.states import RowState
from importer.delivery import Canary, StopSwitch
from importer.engines import AsyncioPool
from tests.lab.virtual_time import VirtualClock, run_virtual

Fate = Callable[[int], str]
"""The error code of a row; empty: it is created."""


class Played:
    """A journal of `rows` rows behind a canary, delivered with many workers."""

    def __init__(
        self,
        fate: Fate,
        *,
        rows: int = 200,
        answers: Sequence[bool] | None = None,
        before: Mapping[str, Any] = {},
        stop_while_asking: bool = False,
        undo: str = "",
    ) -> None:
        self.stop = StopSwitch()
        self.questions: list[str] = []
        self.sent: list[int] = []
        self.settled: list[int] = []
        self.sent_at_question: list[int] = []
        self._fate = fate
        self._answers = list(answers or ())
        self._waiting = [Record(i, i + 2, f"k{i}", b"{}") for i in range(rows)]
        self._stop_while_asking = stop_while_asking
        self._ask = None if answers is None and not stop_while_asking else self._question
        self._before, self._undo = before, undo
        run_virtual(self._main)

    async def _main(self) -> None:
        self.canary = Canary(self, 10, self.stop, ask=self._ask, before=self._before, undo=self._undo)
        await AsyncioPool(32).run(self._take, self._deliver, self.canary.settle)
        self.elapsed_s = VirtualClock().monotonic()

    async def _take(self, limit: int) -> Sequence[Record]:
        return () if self.stop.requested else (await self.canary.claim(limit)).records

    async def claim(self, limit: int) -> Claimed:
        lot, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return Claimed(tuple(lot))

    def settle(self, outcome: Outcome) -> None:
        self.settled.append(outcome.ordinal)

    async def _deliver(self, record: Record) -> Outcome:
        self.sent.append(record.ordinal)
        await VirtualClock().sleep(0.1 + record.ordinal % 3)
        code = self._fate(record.ordinal)
        if not code:
            return Outcome(record.ordinal, record.key, RowState.CREATED)
        return Outcome(record.ordinal, record.key, RowState.REJECTED, errors=(FieldError("", "No.", code),))

    async def _question(self, text: str) -> bool:
        self.questions.append(text)
        self.sent_at_question.append(len(self.sent))
        if self._stop_while_asking:
            asyncio.get_running_loop().call_later(1.0, self.stop.request, "sigint")
            await asyncio.Event().wait()
        return self._answers.pop(0)


def refused_from(first: int) -> Fate:
    return lambda ordinal: "rule_failed" if ordinal >= first else ""


def test_when_all_is_well_everything_is_sent_without_a_question() -> None:
    played = Played(lambda _: "", answers=[])

    assert sorted(played.settled) == list(range(200))
    assert played.questions == []
    assert not played.stop.requested


@pytest.mark.parametrize(("first", "sent"), [(0, 1), (1, 11), (10, 11)])
def test_without_a_person_to_ask_a_new_error_stops_the_run_after_the_stage_that_met_it(first: int, sent: int) -> None:
    played = Played(refused_from(first))

    assert (len(played.sent), sorted(played.settled)) == (sent, list(range(sent)))
    assert played.stop.reason == "canary"
    assert "rule_failed (1" in played.stop.message


def test_no_row_of_a_stage_is_sent_before_the_one_before_is_settled() -> None:
    played = Played(refused_from(0), answers=[True, True])

    assert played.sent_at_question == [1, 11]
    assert len(played.settled) == 200


def test_a_yes_goes_on_and_the_same_error_is_not_asked_about_again() -> None:
    played = Played(lambda ordinal: "one" if ordinal < 5 else "two" if ordinal == 8 else "", answers=[True, True])

    assert played.sent_at_question == [1, 11]
    assert "one (1)" in played.questions[0]
    assert "two (1)" in played.questions[1]
    assert "one" not in played.questions[1]
    assert len(played.settled) == 200


def test_a_no_stops_with_the_rest_unsent() -> None:
    played = Played(refused_from(0), answers=[False])

    assert (len(played.sent), played.stop.reason) == (1, "canary")


def test_a_stop_that_comes_while_a_question_is_open_needs_no_answer() -> None:
    played = Played(refused_from(0), stop_while_asking=True)

    assert (len(played.sent), played.stop.reason) == (1, "sigint")


def test_what_an_earlier_pass_has_met_is_not_new() -> None:
    before = Played(refused_from(0)).canary.seen()
    again = Played(refused_from(0), before=before)
    last = Played(refused_from(0), before=again.canary.seen())

    assert before == {"codes": ["rule_failed"], "share": 0.0}  # of one row, which has no share
    assert (len(again.sent), again.canary.seen()["share"]) == (11, 1.0)
    assert len(last.settled) == 200


def test_a_share_of_refusals_that_jumps_is_asked_about_although_the_error_is_known() -> None:
    played = Played(refused_from(5), before={"codes": ["rule_failed"], "share": 0.05})

    assert (len(played.sent), played.stop.reason) == (11, "canary")
    assert "6 were refused" in played.stop.message


def test_a_yes_to_one_refused_row_is_not_a_yes_to_refusals_alone() -> None:
    played = Played(lambda ordinal: "rule_failed" if ordinal == 0 or ordinal > 2 else "", answers=[True, False])

    assert played.sent_at_question == [1, 11]
    assert "Of the last 10 rows 8 were refused" in played.questions[1]
    assert played.stop.reason == "canary"


@pytest.mark.parametrize("answer", [True, False])
def test_the_rest_is_watched_in_blocks_and_asked_about_when_its_share_jumps(answer: bool) -> None:
    fate: Fate = lambda ordinal: "rule_failed" if ordinal == 5 or ordinal > 10 else ""  # noqa: E731
    played = Played(fate, rows=400, answers=[True, answer])

    assert "Of the last 50 rows 50 were refused" in played.questions[1]
    assert 61 <= played.sent_at_question[1] <= 140
    assert len(played.settled) == 400 if answer else len(played.settled) < 150


def test_the_rest_never_waits_for_a_block_to_be_settled_while_all_is_well() -> None:
    alone, watched = Played(lambda _: "", rows=11), Played(lambda _: "", rows=1_011)

    assert watched.elapsed_s - alone.elapsed_s <= 1_000 / 32 * 1.2 + 2.1


def test_a_few_new_errors_among_the_rest_stop_nothing() -> None:
    played = Played(lambda ordinal: "rule_failed" if ordinal > 10 and ordinal % 7 == 0 else "", answers=[])

    assert len(played.settled) == 200


def test_a_source_smaller_than_the_canary_just_ends() -> None:
    played = Played(lambda _: "", rows=4, answers=[])

    assert sorted(played.settled) == [0, 1, 2, 3]


def test_a_stop_names_the_command_that_takes_back_what_was_created_and_only_then() -> None:
    undo = "importer undo r-1 --plan"
    later = Played(refused_from(5), undo=undo)
    at_once = Played(refused_from(0), undo=undo)

    assert later.stop.message.endswith(f"then resume the run, or take back what it created: `{undo}`.")
    assert at_once.stop.message.endswith("then resume the run.")
    assert Played(refused_from(5)).stop.message.endswith("then resume the run.")
