"""One record, one outcome: every verdict, every way a look-up can go."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from importer.core.errors import StoppingError
from importer.core.outcomes import Candidate, FieldError, Found, Outcome, Record, Reply, Verdict
from importer.core.states import RowState
from importer.customers.bodies import CustomerBodies
from importer.delivery import Asking, Backoff, Deliver, Matcher, Patience, Stamps, StopSwitch, Thresholds
from importer.delivery.reconcile import Looks
from tests.lab.virtual_time import VirtualClock, run_virtual

STAMP = "importKey"
BODY: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Example",
    "primaryEmail": {"value": "ada@example.com"},
    "primaryPhoneNumber": {"number": "+12125550100", "type": "MOBILE"},
}
RECORD = Record(ordinal=4, row=6, key="k" * 32, payload=json.dumps({**BODY, "metadata": {STAMP: "k" * 32}}).encode())
ACCEPT = Reply(Verdict.ACCEPT, customer_id="cust-1", http_status=201)
TIMEOUT = Reply(Verdict.IN_DOUBT, error_code="timeout", message="No answer came in time.")
THROTTLED = Reply(Verdict.RETRY, http_status=429, error_code="rate_limited", message="Slower, please.")
UNREACHABLE = Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")
REFUSED = Reply(
    Verdict.REJECT,
    http_status=422,
    error_code="rule_failed",
    message="This row breaks a rule.",
    field_errors=(FieldError("lastName", "Too long.", "EMU_LENGTH"),),
    trace_id="t-1",
)
FORBIDDEN = Reply(Verdict.ABORT, http_status=403, error_code="forbidden", message="The API key may not do this.")
CONFLICT = Reply(Verdict.DUPLICATE, http_status=409, error_code="conflict", message="Exists.")


def customer(customer_id: str = "cust-1", *, stamp: str = "k" * 32, **other: Any) -> Candidate:
    metadata = {STAMP: stamp} if stamp else {}
    return Candidate(customer_id, {**BODY, "id": customer_id, "metadata": metadata, **other})


def young(customer_id: str = "cust-1", *, age_s: float = 0.0, **other: Any) -> Candidate:
    """A customer without a stamp that was created so long before the test began."""
    return replace(customer(customer_id, stamp="", **other), created_at=VirtualClock.EPOCH_S - age_s)


@dataclass
class Scripted:
    """A target that says what the script says; an empty script is a mistake of the test."""

    sends: list[Reply | Exception]
    finds: list[Found | Exception] = field(default_factory=list)
    requests: list[tuple[str, float]] = field(default_factory=list)
    gets: list[Found] = field(default_factory=list)
    server_ahead_s: float | None = 0.0

    async def send(self, record: Record) -> Reply:
        self.requests.append(("create", asyncio.get_running_loop().time()))
        answer = self.sends.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def find(self, record: Record) -> Found:
        self.requests.append(("find", asyncio.get_running_loop().time()))
        found = self.finds.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def get(self, customer_id: str) -> Found:
        self.requests.append(("get", asyncio.get_running_loop().time()))
        return self.gets.pop(0)

    async def aclose(self) -> None:
        """Nothing is open."""

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.requests]


@dataclass
class Pool:
    """Records what is reported; `held` counts down with every answer."""

    held_answers: int = 0
    reported: list[Reply] = field(default_factory=list)
    reported_kinds: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return len(self.reported) < self.held_answers

    def answered(self, reply: Reply, duration_s: float, kind: str) -> None:
        self.reported.append(reply)
        self.reported_kinds.append(kind)


@dataclass
class Memory:
    """Writes down what delivery asks to be kept."""

    owned: set[str] = field(default_factory=set)
    again: list[int] = field(default_factory=list)

    async def sends_again(self, record: Record) -> None:
        self.again.append(record.ordinal)

    async def has_owner(self, customer_id: str) -> bool:
        return customer_id in self.owned


def delivering(
    target: Scripted,
    pool: Pool,
    stop: StopSwitch,
    *,
    max_attempts: int = 3,
    stamp: str = STAMP,
    memory: Memory | None = None,
) -> Deliver:
    """Put delivery together."""
    patience = Patience(max_attempts, (0.0, 2.0, 8.0), Backoff(1.0, 60.0, random.Random(1)), max_spared=5)
    asking = Asking(target, patience, pool, stop, VirtualClock())
    return Deliver(asking, Stamps(Matcher(CustomerBodies(), stamp)), memory or Memory(), Thresholds(stop))


@dataclass
class Played:
    outcome: Outcome
    target: Scripted
    pool: Pool
    stop: StopSwitch
    elapsed_s: float


def play(
    sends: Sequence[Reply | Exception],
    finds: Sequence[Found | Exception] = (),
    *,
    record: Record = RECORD,
    stamp: str = STAMP,
    max_attempts: int = 3,
    stopped: str = "",
    after_s: float = 0.0,
    held_answers: int = 0,
    memory: Memory | None = None,
) -> Played:
    """Deliver one record against a script, in virtual time."""
    target, pool, stop = Scripted(list(sends), list(finds)), Pool(held_answers), StopSwitch()

    async def main() -> Played:
        if stopped:
            stop.request(stopped)
        deliver = delivering(target, pool, stop, max_attempts=max_attempts, stamp=stamp, memory=memory)
        await VirtualClock().sleep(after_s)
        outcome = await deliver(record)
        return Played(outcome, target, pool, stop, asyncio.get_running_loop().time())

    return run_virtual(main)


NOBODY = Found()


def test_an_accepted_record_is_created() -> None:
    played = play([ACCEPT])

    assert (played.outcome.state, played.outcome.customer_id) == (RowState.CREATED, "cust-1")
    assert [attempt.kind for attempt in played.outcome.attempts] == ["create"]


def test_a_refused_record_is_rejected_with_the_fields_that_the_api_named() -> None:
    outcome = play([REFUSED]).outcome

    assert outcome.state is RowState.REJECTED
    assert outcome.errors == REFUSED.field_errors
    assert (outcome.http_status, outcome.trace_id) == (422, "t-1")


def test_what_is_known_not_created_is_tried_again_after_a_pause() -> None:
    played = play([UNREACHABLE, UNREACHABLE, ACCEPT])

    assert played.outcome.state is RowState.CREATED
    assert played.elapsed_s > 0
    assert [attempt.number for attempt in played.outcome.attempts] == [1, 2, 3]


def test_after_the_last_attempt_a_record_that_was_never_created_has_failed() -> None:
    outcome = play([UNREACHABLE] * 3).outcome

    assert outcome.state is RowState.FAILED
    assert outcome.errors[0].code == "connect_failed"


def test_a_row_whose_last_answer_is_in_doubt_is_unknown_whatever_its_attempts() -> None:
    outcome = play([TIMEOUT] * 2, [NOBODY] * 6, max_attempts=2).outcome

    assert (outcome.state, outcome.errors[0].code) == (RowState.UNKNOWN, "timeout")
    assert outcome.errors[0].message == f"{TIMEOUT.message} It is not known whether the customer was created."


@pytest.mark.parametrize("last", [UNREACHABLE, FORBIDDEN, StoppingError()], ids=["failed", "aborted", "stopped"])
def test_a_row_that_was_once_in_doubt_never_counts_as_not_created(last: Reply | Exception) -> None:
    outcome = play([TIMEOUT, last], [NOBODY] * 3, max_attempts=2).outcome

    assert outcome.state is RowState.UNKNOWN
    assert outcome.errors[0].code in {"timeout", "stopped_in_doubt"}


def test_a_row_in_doubt_that_is_refused_when_it_is_sent_again_is_unknown_and_keeps_what_the_api_named() -> None:
    outcome = play([TIMEOUT, REFUSED], [NOBODY] * 3).outcome

    assert outcome.state is RowState.UNKNOWN
    assert [error.code for error in outcome.errors] == ["timeout", "EMU_LENGTH"]
    assert outcome.errors[0].message.endswith("It is not known whether the customer was created.")


def test_a_row_that_came_in_doubt_and_is_refused_is_unknown() -> None:
    outcome = play([REFUSED], [NOBODY] * 3, record=RECORD._replace(in_doubt=True, doubt_since=1.0)).outcome

    assert outcome.state is RowState.UNKNOWN
    assert [error.code for error in outcome.errors] == ["in_doubt", "EMU_LENGTH"]


def test_of_several_equal_customers_one_may_be_that_of_a_row_in_doubt() -> None:
    record = RECORD._replace(in_doubt=True, doubt_since=1.0)
    twins = Found((customer("a", stamp=""), customer("b", stamp="")))
    outcome = play([CONFLICT], [NOBODY] * 3 + [twins] * 3, record=record).outcome

    assert (outcome.state, outcome.candidates) == (RowState.UNKNOWN, ("a", "b"))


def test_a_row_that_another_run_left_in_doubt_stays_so_when_this_one_cannot_send_it() -> None:
    record = RECORD._replace(in_doubt=True, doubt_since=1.0, doubt_of_other_run=True)

    assert play([UNREACHABLE] * 3, [NOBODY] * 3, record=record).outcome.state is RowState.UNKNOWN


def test_a_duplicate_that_is_not_found_is_unknown_when_it_may_be_our_own_earlier_create() -> None:
    outcome = play([TIMEOUT, CONFLICT], [NOBODY] * 6).outcome

    assert (outcome.state, outcome.errors[0].code) == (RowState.UNKNOWN, "timeout")


def test_a_row_of_which_nothing_is_known_says_so() -> None:
    failure = Found(failure=Reply(Verdict.RETRY, http_status=500, error_code="server_fault", message="A fault."))
    outcome = play([TIMEOUT], [failure] * 3).outcome

    assert outcome.state is RowState.UNKNOWN
    assert outcome.errors[0].message == f"{TIMEOUT.message} It is not known whether the customer was created."


def test_a_demand_for_fewer_requests_does_not_use_up_a_rows_attempts_and_waits_with_the_pool_alone() -> None:
    played = play([THROTTLED, THROTTLED, THROTTLED, UNREACHABLE, THROTTLED, ACCEPT], max_attempts=2)

    assert played.outcome.state is RowState.CREATED
    assert played.pool.reported[:3] == [THROTTLED] * 3
    assert [attempt.number for attempt in played.outcome.attempts] == [1, 2, 3, 4, 5, 6]


def test_a_row_that_alone_is_always_refused_for_its_rate_fails_in_the_end() -> None:
    outcome = play([THROTTLED] * 5).outcome

    assert (outcome.state, outcome.errors[0].code) == (RowState.FAILED, "rate_limited")


def test_tries_while_the_target_is_down_for_everybody_do_not_use_up_a_rows_attempts() -> None:
    played = play([UNREACHABLE] * 4 + [ACCEPT], max_attempts=2, held_answers=3)

    assert played.outcome.state is RowState.CREATED


def test_looks_while_the_target_is_down_for_everybody_do_not_make_a_row_unknown() -> None:
    down = Found(failure=Reply(Verdict.RETRY, http_status=503, error_code="unavailable", message="Off-line."))
    played = play([TIMEOUT], [down] * 4 + [Found((customer(),))], max_attempts=1, held_answers=5)

    assert played.outcome.state is RowState.CREATED


def test_a_row_sent_while_the_target_was_down_gets_every_look_before_it_is_sent_again() -> None:
    played = play([TIMEOUT, ACCEPT], [NOBODY] * 3, held_answers=1, record=RECORD)

    assert played.target.kinds == ["create", "find", "find", "find", "create"]
    assert played.elapsed_s >= 8.0


def test_a_record_in_doubt_that_is_found_was_created_and_is_not_sent_again() -> None:
    played = play([TIMEOUT], [Found((customer("cust-9"),))])

    assert (played.outcome.state, played.outcome.customer_id) == (RowState.CREATED, "cust-9")
    assert played.target.kinds == ["create", "find"]


def test_a_record_in_doubt_is_sent_again_only_after_every_look_found_nothing() -> None:
    played = play([TIMEOUT, ACCEPT], [NOBODY, NOBODY, NOBODY])

    assert played.target.kinds == ["create", "find", "find", "find", "create"]
    assert played.elapsed_s >= 8.0


def test_a_look_that_comes_late_enough_finds_what_the_list_was_slow_to_show() -> None:
    played = play([TIMEOUT], [NOBODY, NOBODY, Found((customer(),))])

    assert played.outcome.state is RowState.CREATED


def test_another_person_with_the_same_email_is_not_taken_for_the_record() -> None:
    stranger = Found((customer("cust-7", stamp="another"),))
    played = play([TIMEOUT, ACCEPT], [stranger, stranger, stranger])

    assert played.outcome.customer_id == "cust-1"


def test_a_record_that_came_in_doubt_is_looked_up_before_anything_is_sent() -> None:
    played = play([], [Found((customer("cust-3"),))], record=RECORD._replace(in_doubt=True, doubt_since=1.0))

    assert (played.outcome.state, played.outcome.customer_id) == (RowState.CREATED, "cust-3")
    assert played.target.kinds == ["find"]


def test_time_that_has_passed_since_an_earlier_pass_died_need_not_pass_again() -> None:
    record = RECORD._replace(in_doubt=True, doubt_since=1.0)
    fresh = play([ACCEPT], [NOBODY, NOBODY, NOBODY, NOBODY], record=record)
    halfway = play([ACCEPT], [NOBODY, NOBODY], record=record, after_s=4.0)
    late = play([ACCEPT], [NOBODY], record=record, after_s=9.0)

    assert fresh.target.kinds == ["find"] * 3 + ["create"]
    assert halfway.target.kinds == ["find"] * 2 + ["create"]
    assert halfway.elapsed_s == pytest.approx(8.0)
    assert late.target.kinds == ["find", "create"]
    assert late.elapsed_s == pytest.approx(9.0)


def test_looks_are_times_after_the_end_of_the_request_and_no_pauses() -> None:
    played = play([TIMEOUT, ACCEPT], [NOBODY] * 3)
    ended_s, *looks_s = [at for _, at in played.target.requests[:4]]

    assert [at - ended_s for at in looks_s] == pytest.approx([0.0, 2.0, 8.0])


def test_a_customer_that_was_late_makes_the_looks_of_later_rows_end_later() -> None:
    looks = Looks((0.0, 2.0, 8.0))
    looks.arrived(3.0)
    assert looks.times_s[-1] == 8.0

    looks.arrived(7.0)
    assert list(looks.times_s) == [0.0, 2.0, 8.0, 14.0]
    assert looks.after(8.0) == 14.0
    looks.arrived(5_000.0)
    assert looks.times_s[-1] == 600.0


def test_looks_of_a_pass_end_twice_as_late_as_the_latest_customer_it_has_seen() -> None:
    target = Scripted([TIMEOUT, TIMEOUT, ACCEPT], [NOBODY, NOBODY, Found((customer(),)), *[NOBODY] * 4])

    async def main() -> list[float]:
        deliver = delivering(target, Pool(), StopSwitch())
        await deliver(RECORD)
        await deliver(RECORD)
        return [at for _, at in target.requests[4:]]

    ended_s, *looks_s, _ = run_virtual(main)
    assert [at - ended_s for at in looks_s] == pytest.approx([0.0, 2.0, 8.0, 16.0])


def test_what_only_an_earlier_run_may_have_sent_is_existing_when_it_is_found() -> None:
    record = RECORD._replace(in_doubt=True, doubt_since=1.0, doubt_of_other_run=True)

    assert play([], [Found((customer(),))], record=record).outcome.state is RowState.EXISTING


def test_two_customers_with_the_stamp_of_the_row_are_left_to_a_person() -> None:
    outcome = play([TIMEOUT], [Found((customer("cust-1"), customer("cust-2")))]).outcome

    assert outcome.state is RowState.UNKNOWN
    assert outcome.candidates == ("cust-1", "cust-2")
    assert outcome.errors[0].code == "duplicated_at_target"
    assert "cust-1, cust-2" in outcome.errors[0].message


def test_without_the_stamp_equal_data_is_the_proof() -> None:
    found = Found((young("cust-5", verificationStatus={"status": "UNVERIFIED"}),))
    record = RECORD._replace(payload=json.dumps(BODY).encode())

    assert play([TIMEOUT], [found], record=record, stamp="").outcome.customer_id == "cust-5"


def test_look_ups_that_never_answer_leave_the_record_unknown() -> None:
    failure = Found(failure=Reply(Verdict.RETRY, http_status=500, error_code="server_fault", message="A fault."))
    played = play([TIMEOUT], [failure] * 3)

    assert played.outcome.state is RowState.UNKNOWN
    assert played.target.kinds == ["create", "find", "find", "find"]


def test_a_target_that_can_take_no_more_costs_a_row_neither_creates_nor_looks() -> None:
    full = Reply(Verdict.IN_DOUBT, http_status=503, error_code="unavailable", message="Off-line.")
    refused = Found(failure=full._replace(verdict=Verdict.RETRY))
    played = play([full, full, ACCEPT], [refused, Found(), Found(), Found()] * 2, max_attempts=1)

    assert played.outcome.state is RowState.CREATED
    assert played.pool.reported_kinds == played.target.kinds


def test_a_duplicate_with_the_same_data_exists() -> None:
    outcome = play([CONFLICT], [Found((customer("cust-8", stamp=""),))]).outcome

    assert (outcome.state, outcome.customer_id) == (RowState.EXISTING, "cust-8")


def test_a_duplicate_with_other_data_is_rejected_and_the_fields_are_named() -> None:
    other = customer("cust-8", stamp="", lastName="Sample")
    outcome = play([CONFLICT], [Found((other,))]).outcome

    assert outcome.state is RowState.REJECTED
    assert [(error.path, error.code) for error in outcome.errors] == [("lastName", "differs_from_existing")]


def test_a_duplicate_that_is_our_own_earlier_create_is_created() -> None:
    played = play([TIMEOUT, CONFLICT], [NOBODY, NOBODY, NOBODY, Found((customer("cust-2"),))])

    assert (played.outcome.state, played.outcome.customer_id) == (RowState.CREATED, "cust-2")


def test_a_duplicate_that_is_not_found_is_rejected_as_the_api_said() -> None:
    outcome = play([CONFLICT], [NOBODY, NOBODY, NOBODY]).outcome

    assert (outcome.state, outcome.errors[0].code) == (RowState.REJECTED, "conflict")


def test_refused_credentials_stop_the_run_and_the_record_is_unsent() -> None:
    played = play([FORBIDDEN])

    assert played.outcome.state is RowState.UNSENT
    assert (played.stop.reason, played.stop.message) == ("access", FORBIDDEN.message)


def test_a_stopping_run_sends_nothing_more() -> None:
    played = play([], stopped="sigint")

    assert played.outcome.state is RowState.UNSENT
    assert played.target.requests == []


def test_a_slot_that_a_stopping_limiter_refuses_leaves_the_record_unsent() -> None:
    assert play([StoppingError()]).outcome.state is RowState.UNSENT


def test_a_look_that_a_stopping_limiter_refuses_leaves_the_record_unknown() -> None:
    record = RECORD._replace(in_doubt=True, doubt_since=1.0)
    outcome = play([], [StoppingError()], record=record).outcome

    assert (outcome.state, outcome.attempts) == (RowState.UNKNOWN, ())


def test_a_record_in_doubt_in_a_stopping_run_gets_one_look_and_else_stays_in_doubt() -> None:
    record = RECORD._replace(in_doubt=True, doubt_since=1.0)
    played = play([], [NOBODY], record=record, stopped="sigterm")

    assert (played.outcome.state, played.outcome.errors[0].code) == (RowState.UNKNOWN, "stopped_in_doubt")
    assert played.elapsed_s < 1.0


def test_numbers_of_attempts_go_on_from_earlier_passes() -> None:
    outcome = play([ACCEPT], record=RECORD._replace(prior_attempts=4)).outcome

    assert [attempt.number for attempt in outcome.attempts] == [5]


@pytest.mark.parametrize(
    ("thresholds", "reason"),
    [
        ({"fail_fast": True}, "fail_fast"),
        ({"max_errors": 1}, "max_errors"),
        ({"max_error_rate": 0.4, "sample": 4}, "max_error_rate"),
    ],
)
def test_thresholds_stop_a_run_that_does_harm(thresholds: dict[str, Any], reason: str) -> None:
    stop = StopSwitch()
    watch = Thresholds(stop, **thresholds)
    states = [RowState.CREATED, RowState.CREATED, RowState.REJECTED, RowState.FAILED]
    for ordinal, state in enumerate(states):
        watch.settled(Outcome(ordinal, "k", state))

    assert stop.reason == reason


def test_the_share_of_errors_is_not_judged_on_a_small_sample() -> None:
    stop = StopSwitch()
    watch = Thresholds(stop, max_error_rate=0.1, sample=10)
    for ordinal in range(9):
        watch.settled(Outcome(ordinal, "k", RowState.REJECTED))

    assert not stop.requested


def test_backoff_grows_to_its_cap_and_never_beyond() -> None:
    backoff = Backoff(1.0, 60.0, random.Random(3))

    for tries in range(1, 200):
        assert 0.0 <= backoff.pause_s(tries) <= min(60.0, 2.0 ** (tries - 1))


# ------------------------------------------------------------------ without a token

NO_TOKEN = Reply(Verdict.RETRY, http_status=503, error_code="unavailable", message="Off-line.", shared=True)


def test_a_token_outage_costs_a_row_neither_attempts_nor_a_request_on_record() -> None:
    played = play([*[NO_TOKEN] * 4, ACCEPT], max_attempts=2)

    assert played.outcome.state is RowState.CREATED
    assert [attempt.kind for attempt in played.outcome.attempts] == ["create"]
    assert [reply.verdict for reply in played.pool.reported] == [Verdict.ACCEPT]
    assert played.pool.reported_kinds == ["create"]
    assert played.elapsed_s > 1.0


def test_a_row_that_no_token_came_for_is_failed_in_the_end_and_says_why() -> None:
    played = play([NO_TOKEN._replace(http_status=None, error_code="connect_failed")] * 5, max_attempts=2)

    assert (played.outcome.state, played.outcome.errors[0].code) == (RowState.FAILED, "connect_failed")
    assert not played.outcome.attempts


def test_a_look_up_without_a_token_is_tried_again_and_costs_none_of_its_tries() -> None:
    found = Found((customer(),))
    played = play([TIMEOUT], [*[Found(failure=NO_TOKEN)] * 4, found], max_attempts=2)

    assert played.outcome.state is RowState.CREATED
    assert [attempt.kind for attempt in played.outcome.attempts] == ["create", "find"]
