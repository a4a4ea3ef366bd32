"""Rows that were sent again are looked at again: what is found, and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from importer.core.outcomes import EarlierForm, Found, Outcome, Record, Reply, Resent, Verdict
from importer.core.states import RowState
from importer.customers.bodies import CustomerBodies
from importer.delivery import Asking, Backoff, Matcher, Patience, SecondLooks, Stamps, StopSwitch
from importer.delivery.second_look import WATCHED_S
from tests.lab.virtual_time import VirtualClock, run_virtual
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
        looks = SecondLooks(asking, resent_rows, stamps, 30.0, lambda _: None)
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
