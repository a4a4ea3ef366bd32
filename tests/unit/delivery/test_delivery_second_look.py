"""Rows that were sent again are looked at again: what is found, and when."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import EarlierForm, Found, Outcome, Record, Reply, Resent, Verdict
from importer.core.states import RowState
from importer.customers.bodies import CustomerBodies
from importer.delivery import (
    Asking,
    Backoff,
    Matcher,
    Patience,
    SecondLooks,
    Stamps,
    StopSwitch,
    StrictLimiter,
    Window,
)
from importer.delivery.second_look import WATCHED_S
from importer.engines import AsyncioPool
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window
from tests.unit.delivery.test_delivery_deliver import RECORD, STAMP, Pool, Scripted, customer, young

NOW = VirtualClock.EPOCH_S


@dataclass
class ResentRows:
    """The rows of a run, and what was recorded of them."""

    rows: Sequence[Resent] = ()
    shared: Sequence[tuple[str, Sequence[int]]] = ()
    owned: set[str] = field(default_factory=set)
    amended: list[Outcome] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    async def resent(self) -> Sequence[Resent]:
        return self.rows

    async def looked_at_last(self, record: Record) -> None:
        self.last.append(record.ordinal)

    async def owned_by_another(self, customer_id: str, record: Record) -> bool:
        assert record
        return customer_id in self.owned

    async def shared_customers(self) -> Sequence[tuple[str, Sequence[int]]]:
        return self.shared

    async def amend(self, outcome: Outcome) -> None:
        self.amended.append(outcome)


def resent(state: RowState = RowState.CREATED, *, sent_at: float = NOW, customer_id: str = "cust-1") -> Resent:
    return Resent(RECORD._replace(in_doubt=True, doubt_since=NOW), state, customer_id, sent_at)


def look(resent_rows: ResentRows, *finds: Found, waits: bool = True) -> tuple[dict[str, int], float]:
    """What came of it, and how long it took."""

    async def main() -> tuple[dict[str, int], float]:
        clock = VirtualClock()
        patience = Patience(3, (), Backoff(1.0, 2.0, random.Random(1)), max_spared=5)
        asking = Asking(Scripted([], list(finds)), patience, Pool(), StopSwitch(), clock)
        stamps = Stamps(Matcher(CustomerBodies(), STAMP))
        looks = SecondLooks(asking, resent_rows, stamps, 30.0, AsyncioPool(4), lambda _: None)
        return await looks.run(waits=waits), clock.monotonic()

    return run_virtual(main)


def test_a_look_comes_no_sooner_than_its_time_after_the_last_send() -> None:
    resent_rows = ResentRows([resent(sent_at=NOW - 10.0)])
    looked, took_s = look(resent_rows, Found((customer(),)))

    assert looked == {"sent_again": 1, "looked_at": 1, "duplicated": 0}
    assert took_s == pytest.approx(20.0)
    assert resent_rows.amended == []


@pytest.mark.parametrize("sent_at", [NOW + 3 * 86_400.0, NOW], ids=["the clock was set back", "right now"])
def test_a_look_waits_no_longer_than_after_a_send_of_this_moment(sent_at: float) -> None:
    assert look(ResentRows([resent(sent_at=sent_at)]), Found((customer(),)))[1] == pytest.approx(30.0)


def test_who_does_not_wait_looks_only_at_what_is_due() -> None:
    resent_rows = ResentRows([resent(sent_at=NOW - 5.0)])

    looked, took_s = look(resent_rows, waits=False)
    assert (looked["looked_at"], round(took_s, 3)) == (0, 0.0)


def test_two_customers_with_the_rows_stamp_make_it_unknown_with_both_ids() -> None:
    resent_rows = ResentRows([resent()])
    looked, _ = look(resent_rows, Found((customer("cust-1"), customer("cust-2"))))
    (outcome,) = resent_rows.amended

    assert looked["duplicated"] == 1
    assert (outcome.state, outcome.errors[0].code) == (RowState.UNKNOWN, "duplicated_at_target")
    assert outcome.candidates == ("cust-1", "cust-2")


def test_the_answered_customer_counts_though_the_list_shows_only_the_other_one() -> None:
    resent_rows = ResentRows([resent(customer_id="cust-1")])
    look(resent_rows, Found((customer("cust-2"),)))

    assert resent_rows.amended[0].candidates == ("cust-1", "cust-2")


def test_where_metadata_is_lost_an_equal_customer_of_no_other_row_is_the_second_one() -> None:
    found = Found((young("cust-1"), young("cust-2"), young("cust-3"), young("cust-4", age_s=60.0)))
    resent_rows = ResentRows([resent(customer_id="cust-1")], owned={"cust-3"})
    look(resent_rows, found)

    assert resent_rows.amended[0].candidates == ("cust-1", "cust-2")


def test_where_metadata_is_kept_an_equal_customer_of_another_row_is_not_a_second_one() -> None:
    resent_rows = ResentRows([resent(customer_id="cust-1")])
    look(resent_rows, Found((customer("cust-1"), young("cust-2"))))

    assert resent_rows.amended == []


def test_where_metadata_is_kept_for_some_an_equal_customer_without_it_is_the_second_one() -> None:
    other = Resent(
        RECORD._replace(ordinal=1, key="o" * 32, in_doubt=True, doubt_since=NOW), RowState.CREATED, "lost", NOW
    )
    resent_rows = ResentRows([other, resent(customer_id="cust-1")], owned={"lost"})
    look(resent_rows, Found((young("lost"),)), Found((customer("cust-1"), young("cust-2"))))

    assert [one.candidates for one in resent_rows.amended] == [("cust-1", "cust-2")]


def test_a_row_that_was_unknown_is_created_when_its_one_customer_appears() -> None:
    resent_rows = ResentRows([resent(RowState.UNKNOWN, customer_id="")])
    look(resent_rows, Found((customer("cust-7"),)))

    assert [(one.state, one.customer_id) for one in resent_rows.amended] == [(RowState.CREATED, "cust-7")]


def test_a_look_without_an_answer_changes_nothing_and_is_not_the_last() -> None:
    failure = Found(failure=Reply(Verdict.RETRY, http_status=500, error_code="server_fault", message="A fault."))
    resent_rows = ResentRows([resent(sent_at=NOW - 2 * WATCHED_S)])
    looked, _ = look(resent_rows, failure, failure, failure)

    assert (looked["looked_at"], resent_rows.amended, resent_rows.last) == (0, [], [])


def test_only_a_look_that_came_late_enough_is_the_last() -> None:
    rows = [resent(sent_at=NOW - WATCHED_S), resent(sent_at=NOW - 60.0)]
    rows[1] = rows[1]._replace(record=rows[1].record._replace(ordinal=9))
    resent_rows = ResentRows(rows)
    look(resent_rows, Found((customer(),)), Found((customer(),)))

    assert resent_rows.last == [RECORD.ordinal]


def test_rows_that_were_answered_with_one_customer_are_all_in_doubt() -> None:
    resent_rows = ResentRows(shared=[("cust-1", [3, 8])])
    look(resent_rows)

    assert [(one.ordinal, one.state, one.errors[0].code) for one in resent_rows.amended] == [
        (3, RowState.UNKNOWN, "same_customer"),
        (8, RowState.UNKNOWN, "same_customer"),
    ]


def test_what_a_row_was_before_it_came_back_fixed_counts_as_well() -> None:
    row = resent(customer_id="cust-2")
    form = EarlierForm("e" * 32, "", RECORD.payload)
    resent_rows = ResentRows([row._replace(record=row.record._replace(earlier=(form,)))])
    look(resent_rows, Found((customer("cust-1", stamp="e" * 32),)), Found((customer("cust-2"),)))

    assert set(resent_rows.amended[0].candidates) == {"cust-1", "cust-2"}


# --------------------------------------------------------------------------- many rows at a slow target

WORKERS = 8


@dataclass
class Slow(Scripted):
    """Answers every row by its ordinal, so many seconds after the request has left inside the allowance."""

    answer: Callable[[int], Found] = lambda ordinal: Found((customer(f"cust-{ordinal}"),))
    took_s: Callable[[int], float] = lambda _: 1.0
    limiter: StrictLimiter = field(init=False)
    stop: StopSwitch = field(default_factory=StopSwitch)
    rate: int = 1_000

    async def find(self, record: Record) -> Found:
        slot = await self.limiter.reserve(finishing=True)
        slot.depart()
        self.requests.append(("find", asyncio.get_running_loop().time()))
        await VirtualClock().sleep(self.took_s(record.ordinal))
        slot.answered()
        return self.answer(record.ordinal)

    @property
    def starts(self) -> list[float]:
        return [moment for _, moment in self.requests]


def many(count: int) -> list[Resent]:
    """Rows that are due since long, the earliest send first."""
    rows = [resent(sent_at=NOW - 1_000.0 + ordinal, customer_id=f"cust-{ordinal}") for ordinal in range(count)]
    return [row._replace(record=row.record._replace(ordinal=ordinal)) for ordinal, row in enumerate(rows)]


def look_at_slow(resent_rows: ResentRows, target: Slow, stop_at_s: float | None = None) -> tuple[dict[str, int], float]:
    """What came of it, and how long it took."""

    async def main() -> tuple[dict[str, int], float]:
        clock, stop = VirtualClock(), target.stop
        target.limiter = StrictLimiter([Window(target.rate, 1.0)], clock, stop)
        if stop_at_s is not None:
            asyncio.get_running_loop().call_later(stop_at_s, stop.request, "sigterm")
        asking = Asking(target, Patience(3, (), Backoff(1.0, 2.0, random.Random(1))), Pool(), stop, clock)
        stamps, engine = Stamps(Matcher(CustomerBodies(), STAMP)), AsyncioPool(WORKERS, target.limiter)
        looked = await SecondLooks(asking, resent_rows, stamps, 30.0, engine, lambda _: None).run()
        return looked, clock.monotonic()

    return run_virtual(main)


def test_many_rows_are_looked_at_by_as_many_workers_as_there_are() -> None:
    looked, took_s = look_at_slow(ResentRows(many(80)), Slow([]))

    assert looked["looked_at"] == 80
    assert took_s == pytest.approx(80 / WORKERS, abs=0.5)


def test_one_row_that_is_answered_late_does_not_hold_the_others() -> None:
    looked, took_s = look_at_slow(ResentRows(many(71)), Slow([], took_s=lambda ordinal: 1.0 if ordinal else 10.0))

    assert looked["looked_at"] == 71
    assert took_s == pytest.approx(10.0, abs=0.5)


def test_looks_of_many_workers_keep_the_rate() -> None:
    target = Slow([], rate=4)
    _, took_s = look_at_slow(ResentRows(many(40)), target)

    assert (len(target.starts), largest_window(target.starts, 1.0)) == (40, 4)
    assert took_s < 40 / 4 + 2.0


def test_answers_are_judged_in_the_order_of_rows_whenever_they_come() -> None:
    """The first row shows that metadata is lost, so that every other one has a second customer; it answers last."""
    rows = ResentRows(many(20), owned={"cust-0"})
    target = Slow(
        [],
        answer=lambda ordinal: Found(
            (young(f"cust-{ordinal}"), young(f"twin-{ordinal}")) if ordinal else (young("cust-0"),)
        ),
        took_s=lambda ordinal: 30.0 - ordinal,
    )
    looked, _ = look_at_slow(rows, target)

    assert looked == {"sent_again": 20, "looked_at": 20, "duplicated": 19}
    assert [one.candidates for one in rows.amended] == [(f"cust-{row}", f"twin-{row}") for row in range(1, 20)]


def test_a_stop_ends_looks_with_those_that_are_under_way() -> None:
    target = Slow([])
    looked, took_s = look_at_slow(ResentRows(many(80)), target, stop_at_s=2.5)

    assert len(target.requests) == 3 * WORKERS
    assert looked == {"sent_again": 80, "looked_at": 3 * WORKERS, "duplicated": 0}
    assert took_s == pytest.approx(3.0, abs=0.1)


def test_nothing_more_is_asked_when_a_verdict_cannot_be_recorded() -> None:
    class Broken(ResentRows):
        async def amend(self, outcome: Outcome) -> None:
            raise JournalError("The disk is full.")

    target = Slow([], answer=lambda _: Found((customer("cust-1"), customer("cust-2"))))
    with pytest.raises(JournalError, match="The disk is full"):
        look_at_slow(Broken(many(80)), target)
    assert len(target.requests) <= 2 * WORKERS
