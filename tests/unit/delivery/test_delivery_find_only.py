"""A row of an update ends with the customer that it names, or with a sentence; nothing is ever created."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from importer.core.errors import StoppingError
from importer.core.outcomes import Found, Outcome, Reply, Verdict
from importer.core.states import RowState
from importer.delivery import Asking, Backoff, FindOnly, Patience, StopSwitch, Thresholds
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.test_delivery_deliver import FORBIDDEN, RECORD, UNREACHABLE, Pool, Scripted, customer


@dataclass
class Played:
    outcome: Outcome
    target: Scripted
    stop: StopSwitch


def play(*finds: Found | Exception, max_errors: int | None = None, stops: str = "") -> Played:
    target, stop = Scripted([], list(finds)), StopSwitch()
    if stops:
        stop.request(stops)
    clock, pool = VirtualClock(), Pool()
    patience = Patience(3, (0.0,), Backoff(1.0, 60.0, random.Random(1)))

    async def find() -> Outcome:
        asking = Asking(target, patience, pool, stop, clock)
        return await FindOnly(asking, Thresholds(stop, max_errors=max_errors))(RECORD)

    return Played(run_virtual(find), target, stop)


def codes(outcome: Outcome) -> Sequence[str]:
    return [error.code for error in outcome.errors]


def test_the_customer_that_is_found_is_the_rows() -> None:
    played = play(Found((customer("cust-7"),)))

    assert (played.outcome.state, played.outcome.customer_id) == (RowState.EXISTING, "cust-7")
    assert [attempt.kind for attempt in played.outcome.attempts] == ["find"] == played.target.kinds


def test_one_that_is_not_there_is_rejected() -> None:
    outcome = play(Found()).outcome
    assert (outcome.state, codes(outcome)) == (RowState.REJECTED, ["no_such_customer"])


def test_an_id_that_cannot_be_one_is_rejected_as_well() -> None:
    outcome = play(Found(failure=Reply(Verdict.REJECT, error_code="id_unusable"))).outcome
    assert (outcome.state, codes(outcome)) == (RowState.REJECTED, ["no_such_customer"])


def test_of_several_none_is_taken() -> None:
    outcome = play(Found((customer("cust-7"), customer("cust-8")))).outcome

    assert (outcome.state, codes(outcome)) == (RowState.REJECTED, ["several_existing"])
    assert outcome.candidates == ("cust-7", "cust-8")


def test_a_look_up_that_fails_is_repeated_and_then_given_up() -> None:
    played = play(*[Found(failure=UNREACHABLE)] * 3)

    assert (played.outcome.state, codes(played.outcome)) == (RowState.FAILED, ["look_up_failed"])
    assert played.target.kinds == ["find"] * 3


def test_one_that_works_in_the_end_is_enough() -> None:
    assert play(Found(failure=UNREACHABLE), Found((customer(),))).outcome.state is RowState.EXISTING


@pytest.mark.parametrize(
    ("answer", "stops"), [(StoppingError("sigint"), "sigint"), (Found(failure=FORBIDDEN), "")], ids=["stop", "access"]
)
def test_a_run_that_stops_leaves_the_row_as_not_sent(answer: Found | Exception, stops: str) -> None:
    played = play(answer, stops=stops)

    assert (played.outcome.state, played.stop.requested) == (RowState.UNSENT, True)


def test_customers_that_are_not_found_count_as_errors() -> None:
    assert play(Found(), max_errors=0).stop.requested
