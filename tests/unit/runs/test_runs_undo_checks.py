"""Which customers of a run may be taken back: those that are as the run has left them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from importer.core.errors import TryLaterError
from importer.core.outcomes import Candidate, Found, Reply, Verdict
from importer.core.states import RowState
from importer.core.step_tasks import Applications, HeldLimit, RowStep
from importer.core.steps import Step, StepState
from importer.customers.changes import fingerprint
from importer.delivery import Asking, Backoff, Patience, StopSwitch
from importer.engines import AsyncioPool
from importer.journal import BodyOfRow
from importer.profile import Profile
from importer.runs.undo_checks import Checks, Customer, Seen, customers_of, usual_amounts
from importer.runs.undo_plan import Entry, Skipped
from tests.lab.virtual_time import VirtualClock, run_virtual

SENT: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Example",
    "primaryEmail": {"value": "ada@example.com"},
    "primaryPhoneNumber": {"number": "+12125550100", "type": "MOBILE"},
}
CREATED = "2026-11-23T00:42:50.311Z"
THERE: dict[str, Any] = {**SENT, "status": "ACTIVE", "createdAt": CREATED, "updatedAt": CREATED}
DAILY, WEEKLY = HeldLimit("DAILY", "USD", "500.00"), HeldLimit("WEEKLY", "USD", "900.00")
DOWN = Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")
NOT_OFFERED = Reply(Verdict.REJECT, http_status=404, error_code="not_offered", message="There is no such thing.")
FORBIDDEN = Reply(Verdict.ABORT, http_status=403, error_code="forbidden", message="The API key may not do this.")


def customer(number: int, *by_us: Step, sent: Mapping[str, Any] = SENT, **limits: str) -> Customer:
    row = BodyOfRow(number, number + 2, RowState.CREATED, json.dumps(sent).encode(), b"", f"c-{number}")
    return Customer(row, frozenset(by_us), {(name, "USD"): amount for name, amount in limits.items()})


@dataclass
class There:
    """What is at the target: bodies, limits and applications; a reply in their place is a failure."""

    bodies: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    pages: list[Reply | Applications] = field(default_factory=lambda: [Applications({}, is_last=True)])
    asked: list[str] = field(default_factory=list)

    async def get(self, customer_id: str) -> Found:
        body = self.bodies.get(customer_id, THERE)
        if isinstance(body, Reply):
            return Found(failure=body)
        return Found((Candidate(customer_id, {"id": customer_id, **body}),)) if body else Found()

    async def limits_of(self, customer_id: str) -> Reply | Sequence[HeldLimit]:
        held: Reply | Sequence[HeldLimit] = self.limits.get(customer_id, [DAILY, WEEKLY])
        return held

    async def applications(self, since: float, page: int) -> Reply | Applications:
        self.asked.append(f"{since:.0f} {page}")
        return self.pages[min(page, len(self.pages) - 1)]

    async def send(self, record: object) -> Reply:
        raise AssertionError

    async def find(self, record: object) -> Found:
        raise AssertionError

    async def aclose(self) -> None:
        """Nothing is open."""


class Pool:
    held = False

    def answered(self, reply: Reply, duration_s: float, kind: str) -> None:
        """Nobody learns."""


def look(
    there: There, *customers: Customer, ours: Sequence[str] = (), shows: bool = True, **more: Any
) -> tuple[list[Entry], list[Skipped]]:
    async def looked() -> tuple[list[Entry], list[Skipped]]:
        patience = Patience(2, (0.0,), Backoff(1.0, 60.0, random.Random(1)), max_spared=2)
        asking = Asking(there, patience, Pool(), more.pop("stop", StopSwitch()), VirtualClock())
        checks = Checks(Profile(), AsyncioPool(4), asking, there if shows else None, lambda _: None, 1_000.0, **more)
        return await checks.run(customers, ours)

    return run_virtual(looked)


def why(there: There, *customers: Customer, **more: Any) -> dict[str, str]:
    return {one.customer_id: one.why for one in look(there, *customers, **more)[1]}


def test_a_customer_that_is_what_was_sent_is_planned_with_its_fingerprint() -> None:
    entries, skipped = look(There(), customer(0))
    assert entries == [Entry(row=2, ordinal=0, customer_id="c-0", guard=fingerprint({"id": "c-0", **THERE}))]
    assert skipped == []


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        ({**THERE, "lastName": "Sample"}, "It is not what was sent (lastName: another value)."),
        ({**THERE, "status": "SUSPENDED"}, "Its status is SUSPENDED."),
        ({**THERE, "status": "a <b>"}, "Its status is another one."),
        ({**THERE, "updatedAt": "2026-11-23T00:43:00Z"}, "It was changed after it was created."),
        ({}, "It is not there any more."),
        (DOWN, "It could not be read. Nobody answers."),
    ],
)
def test_a_customer_that_is_not_as_it_was_is_left_alone(there: Any, sentence: str) -> None:
    assert why(There({"c-1": there}), customer(0), customer(1)) == {"c-1": sentence}


def test_after_steps_of_the_run_the_time_of_the_last_update_says_nothing() -> None:
    there = There({"c-0": {**THERE, "updatedAt": "2026-11-23T00:43:00Z"}})
    assert why(there, customer(0, Step.VERIFICATION)) == {}
    assert why(there, customer(0, Step.VERIFY)) == {"c-0": "It was changed after it was created."}


def test_one_that_the_run_itself_has_suspended_may_be_deleted() -> None:
    there = There({"c-0": {**THERE, "status": "SUSPENDED", "updatedAt": "2026-11-23T00:43:00Z"}})
    assert why(there, customer(0, Step.SUSPEND)) == {}


def test_metadata_that_a_target_loses_are_no_difference() -> None:
    sent = {**SENT, "metadata": {"branch": "north"}}
    assert why(There(), customer(0, sent=sent), loses_metadata=True) == {}
    assert why(There(), customer(0, sent=sent)) == {"c-0": "It is not what was sent (metadata.branch: missing there)."}


def test_limits_are_those_of_the_run_and_else_those_of_most_customers() -> None:
    other, ours = DAILY._replace(amount="77.00"), DAILY._replace(amount="100.00")
    there = There(limits={"c-2": [other, WEEKLY], "c-3": [ours, WEEKLY], "c-4": [other, WEEKLY], "c-5": [WEEKLY]})
    customers = [
        customer(0),
        customer(1),
        customer(2),
        customer(3, Step.LIMITS, daily="100.00"),
        customer(4, Step.LIMITS, daily="100.00"),
        customer(5, Step.LIMITS, daily="100.00"),
    ]
    sentence = "It has limits that are not of this run (daily USD)."
    assert why(there, *customers) == {"c-2": sentence, "c-4": sentence, "c-5": sentence}


def test_what_is_usual_is_told_apart_by_type_of_record_and_needs_a_majority() -> None:
    def seen(number: int, record_type: str, *limits: HeldLimit) -> Seen:
        return Seen(customer(number), record_type=record_type, limits=limits)

    found = usual_amounts([
        seen(0, "INDIVIDUAL", DAILY), seen(1, "INDIVIDUAL", DAILY), seen(2, "INDIVIDUAL", DAILY._replace(amount="1")),
        seen(3, "BUSINESS", DAILY._replace(amount="9.00")), seen(4, "BUSINESS", WEEKLY),
        seen(5, "BUSINESS", WEEKLY._replace(amount="2.00")),
    ])  # fmt: skip
    assert found == {("INDIVIDUAL", "DAILY", "USD"): "500.00", ("BUSINESS", "DAILY", "USD"): "9.00"}


def test_identity_verifications_are_read_page_by_page_and_those_of_the_run_do_not_count() -> None:
    pages: list[Reply | Applications] = [
        Applications({"a-1": frozenset({"c-0"}), "a-2": frozenset({"c-1"})}, is_last=False),
        Applications({"a-3": frozenset({"c-2", "x"}), "a-4": frozenset({"c-0"})}, is_last=True),
    ]
    there = There(pages=pages)
    sentence = "It has an identity verification that is not of this run."
    assert why(there, *map(customer, range(4)), ours=("a-1", "a-2")) == {"c-0": sentence, "c-2": sentence}
    assert there.asked == ["1000 0", "1000 1"]


def test_a_list_that_repeats_its_last_page_comes_to_an_end() -> None:
    there = There(pages=[Applications({"a-1": frozenset({"c-0"})}, is_last=False)])
    assert len(why(there, customer(0))) == 1
    assert len(there.asked) == 2


def test_what_a_target_does_not_offer_is_not_asked_for() -> None:
    there = There(limits={"c-0": NOT_OFFERED}, pages=[NOT_OFFERED])
    assert why(there, customer(0)) == {}
    assert why(There(limits={"c-0": DOWN}), customer(0), shows=False) == {}


def test_limits_that_cannot_be_read_speak_against_a_change() -> None:
    assert why(There(limits={"c-0": DOWN}), customer(0)) == {"c-0": "Its limits could not be read. Nobody answers."}


def test_without_the_list_of_verifications_there_is_no_plan() -> None:
    with pytest.raises(TryLaterError, match="cannot be read"):
        look(There(pages=[DOWN]), customer(0))


def test_a_key_that_may_not_read_stops_the_look() -> None:
    stop = StopSwitch()
    look(There({f"c-{number}": FORBIDDEN for number in range(40)}), *map(customer, range(40)), stop=stop)
    assert stop.reason == "access"


class Steps:
    """The steps of one row."""

    def __init__(self, *steps: RowStep) -> None:
        self._steps = steps

    def of_row(self, ordinal: int) -> list[RowStep]:
        return list(self._steps)


def test_the_journal_says_what_the_run_has_done_to_a_customer() -> None:
    def step(one: Step, state: StepState, reference: str = "") -> RowStep:
        return RowStep(one, "", state, reference, "", "", (), 1)

    after = {"limits": {"currency": "USD", "daily": "100.00"}}
    row = replace_after(customer(0).row, after)
    references = set[str]()
    steps = Steps(step(Step.LIMITS, StepState.DONE), step(Step.VERIFICATION, StepState.SUBMITTED, "a-1"),
                  step(Step.VERIFY, StepState.FAILED))  # fmt: skip
    (found,) = customers_of([row], steps, references)  # type: ignore[arg-type]
    assert (found.by_us, found.limits) == (frozenset({Step.LIMITS, Step.VERIFICATION}), {("daily", "USD"): "100.00"})
    assert references == {"a-1"}

    failed = Steps(step(Step.LIMITS, StepState.FAILED))
    (found,) = customers_of([row], failed, references)  # type: ignore[arg-type]
    assert (found.by_us, found.limits) == (frozenset(), {})


def replace_after(row: BodyOfRow, after: Mapping[str, Any]) -> BodyOfRow:
    return row._replace(after=json.dumps(after).encode())
