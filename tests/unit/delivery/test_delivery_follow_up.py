"""One step, one result: every verdict of a step, its doubt, its progress, and the wait for outcomes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from importer.core.errors import StoppingError
from importer.core.outcomes import Candidate, FieldError, Found, Reply, Verdict
from importer.core.step_tasks import StepFound, StepReply, StepResult, StepTask
from importer.core.steps import Step, StepState
from importer.customers.bodies import CustomerBodies
from importer.delivery import Asking, Backoff, FollowUp, Outcomes, Patience, StopSwitch
from importer.delivery.follow_up import LONGEST_PAUSE_S, pause_before_look_s
from tests.lab.virtual_time import VirtualClock, run_virtual

STAMP = "importKey"
BODY: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Example",
    "primaryEmail": {"value": "ada@example.com"},
    "primaryPhoneNumber": {"number": "+12125550100", "type": "MOBILE"},
}
YES = Reply(Verdict.ACCEPT, http_status=200)
TIMEOUT = Reply(Verdict.IN_DOUBT, error_code="timeout", message="No answer came in time.")
THROTTLED = Reply(Verdict.RETRY, http_status=429, error_code="rate_limited", message="Slower, please.")
DOWN = Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")
FORBIDDEN = Reply(Verdict.ABORT, http_status=403, error_code="forbidden", message="The API key may not do this.")
CONFLICT = Reply(Verdict.DUPLICATE, http_status=409, error_code="conflict", message="Exists.")
REFUSED = Reply(
    Verdict.REJECT,
    http_status=422,
    error_code="rule_failed",
    message="It breaks a rule.",
    field_errors=(FieldError("limits.daily", "No such limit", "limit_missing"),),
)
SUBMITTED = StepReply(YES, StepState.SUBMITTED, reference="app-1")


def task(step: Step, **more: Any) -> StepTask:
    payload = json.dumps({**BODY, "metadata": {STAMP: "k" * 32}}).encode()
    return StepTask(3, 5, step, more.pop("part", ""), "cust-1", "k" * 32, payload, **more)


@dataclass
class Scripted:
    """A target that says what the script says; an empty script is a mistake of the test."""

    attempts: list[StepReply | Exception] = field(default_factory=list)
    looks: list[StepFound | Exception] = field(default_factory=list)
    states: list[StepReply | Exception] = field(default_factory=list)
    gets: list[Found] = field(default_factory=list)
    requests: list[tuple[str, float]] = field(default_factory=list)
    tasks: list[StepTask] = field(default_factory=list)

    async def attempt(self, task: StepTask) -> StepReply:
        self.tasks.append(task)
        answer: StepReply = self._next("attempt", self.attempts)
        return answer

    async def made_by(self, task: StepTask) -> StepFound:
        found: StepFound = self._next("made_by", self.looks)
        return found

    async def progress(self, task: StepTask) -> StepReply:
        answer: StepReply = self._next("progress", self.states)
        return answer

    async def get(self, customer_id: str) -> Found:
        found: Found = self._next("get", self.gets)
        return found

    async def send(self, record: object) -> Reply:
        raise AssertionError

    async def find(self, record: object) -> Found:
        raise AssertionError

    async def aclose(self) -> None:
        """Nothing is open."""

    def _next(self, kind: str, script: list[Any]) -> Any:
        self.requests.append((kind, asyncio.get_running_loop().time()))
        answer = script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.requests]


@dataclass
class Pool:
    """Records what is reported."""

    kinds: list[str] = field(default_factory=list)
    held: bool = False

    def answered(self, reply: Reply, duration_s: float, kind: str) -> None:
        self.kinds.append(kind)


def play(
    target: Scripted, *tasks: StepTask, progress: bool = False, stop: StopSwitch | None = None
) -> list[StepResult]:
    """Work on tasks one after the other, in virtual time."""

    async def played() -> list[StepResult]:
        switch = stop or StopSwitch()
        patience = Patience(3, (0.0, 2.0, 8.0), Backoff(1.0, 60.0, random.Random(1)), max_spared=5)
        asking = Asking(target, patience, Pool(), switch, VirtualClock())
        follow_up = FollowUp(asking, target, CustomerBodies(), STAMP)
        return [await (follow_up.progress if progress else follow_up)(one) for one in tasks]

    return run_virtual(played)


def one(target: Scripted, what: StepTask, **how: Any) -> StepResult:
    (result,) = play(target, what, **how)
    return result


# --------------------------------------------------------------------------- repeatable steps


def test_changes_of_one_customer_are_made_one_after_the_other() -> None:
    class Slow(Scripted):
        async def attempt(self, task: StepTask) -> StepReply:
            self._next("begin", [None])
            await VirtualClock().sleep(5.0)
            self._next("end", [None])
            return StepReply(YES)

    target = Slow()
    tasks = [task(Step.UPDATE), task(Step.UPDATE)._replace(ordinal=4), task(Step.UPDATE, part="")]
    tasks[2] = tasks[2]._replace(ordinal=5, customer_id="cust-2")

    async def played() -> list[StepResult]:
        asking = Asking(
            target, Patience(3, (0.0,), Backoff(1.0, 60.0, random.Random(1))), Pool(), StopSwitch(), VirtualClock()
        )
        return await asyncio.gather(*map(FollowUp(asking, target, CustomerBodies(), STAMP), tasks))

    results = run_virtual(played)

    assert [one.state for one in results] == [StepState.DONE] * 3
    assert target.kinds == ["begin", "begin", "end", "end", "begin", "end"]


@pytest.mark.parametrize("step", [Step.UPDATE, Step.SUSPEND, Step.DELETE])
def test_a_change_whose_answer_was_lost_is_tried_again_in_doubt(step: Step) -> None:
    target = Scripted(attempts=[StepReply(DOWN), StepReply(TIMEOUT), StepReply(YES)])
    assert one(target, task(step, guard="f" * 64)).state is StepState.DONE
    assert [task.in_doubt for task in target.tasks] == [False, False, True]
    assert {task.guard for task in target.tasks} == {"f" * 64}


def test_a_change_that_is_refused_is_known_not_to_be_made_even_in_doubt() -> None:
    since = Reply(Verdict.REJECT, error_code="changed_since", message="Changed.")
    result = one(Scripted(attempts=[StepReply(since)]), task(Step.SUSPEND, in_doubt=True))
    assert (result.state, result.error) == (StepState.FAILED, FieldError("", "Changed.", "changed_since"))


@pytest.mark.parametrize(("last", "state"), [(TIMEOUT, StepState.UNKNOWN), (DOWN, StepState.FAILED)])
def test_a_change_ends_as_its_answers_leave_it(last: Reply, state: StepState) -> None:
    result = one(Scripted(attempts=[StepReply(DOWN), StepReply(DOWN), StepReply(last)]), task(Step.SUSPEND))
    assert result.state is state
    assert result.error is not None
    assert result.error.code == ("suspend_unknown" if state is StepState.UNKNOWN else "suspend_failed")


def test_a_change_in_doubt_that_the_run_has_no_time_for_stays_in_doubt() -> None:
    stopped = Scripted(attempts=[StepReply(TIMEOUT), StoppingError()])
    assert one(stopped, task(Step.SUSPEND)).state is StepState.UNKNOWN
    not_begun = Scripted(attempts=[StepReply(DOWN), StoppingError()])
    assert one(not_begun, task(Step.SUSPEND)).state is StepState.WAITING


def test_limits_are_set_at_once() -> None:
    target = Scripted(attempts=[StepReply(YES)])
    result = one(target, task(Step.LIMITS))
    assert result.state is StepState.DONE
    assert [attempt.kind for attempt in result.attempts] == ["limits"]


@pytest.mark.parametrize("first", [TIMEOUT, DOWN, THROTTLED])
def test_what_is_repeatable_is_repeated_without_a_look(first: Reply) -> None:
    target = Scripted(attempts=[StepReply(first), StepReply(YES)])
    assert one(target, task(Step.LIMITS)).state is StepState.DONE
    assert target.kinds == ["attempt", "attempt"]


def test_what_an_earlier_pass_left_in_doubt_is_repeated_if_that_does_no_harm() -> None:
    target = Scripted(attempts=[StepReply(YES)])
    assert one(target, task(Step.LIMITS, in_doubt=True)).state is StepState.DONE


def test_a_limit_that_the_account_lacks_is_an_error_of_the_step() -> None:
    result = one(Scripted(attempts=[StepReply(REFUSED)]), task(Step.LIMITS))
    assert result.state is StepState.FAILED
    assert result.error == FieldError("limits.daily", "No such limit.", "limit_missing")


def test_a_step_that_never_works_fails_after_its_tries() -> None:
    target = Scripted(attempts=[StepReply(DOWN)] * 3)
    result = one(target, task(Step.LIMITS))
    assert (result.state, result.error) == (
        StepState.FAILED,
        FieldError("limits", "Nobody answers.", "limits_failed"),
    )
    assert len(result.attempts) == 3


def test_a_refused_role_stops_the_run_and_leaves_the_step_open() -> None:
    stop = StopSwitch()
    result = one(Scripted(attempts=[StepReply(FORBIDDEN)]), task(Step.LIMITS), stop=stop)
    assert (result.state, result.error) == (StepState.WAITING, None)
    assert stop.reason == "access"


def test_a_run_that_stops_before_a_step_leaves_it_open() -> None:
    stop = StopSwitch()
    stop.request("sigint")
    assert one(Scripted(), task(Step.LIMITS), stop=stop).state is StepState.WAITING


def test_a_request_that_may_not_start_any_more_leaves_its_step_open() -> None:
    for step in (Step.LIMITS, Step.VERIFICATION):
        assert one(Scripted(attempts=[StoppingError()]), task(step)).state is StepState.WAITING


# --------------------------------------------------------------------------- reading back


def there(**other: Any) -> Found:
    return Found((Candidate("cust-1", {**BODY, "id": "cust-1", "metadata": {STAMP: "k" * 32}, **other}),))


def test_a_customer_that_is_the_same_is_done() -> None:
    result = one(Scripted(gets=[there(status="ACTIVE", middleName="")]), task(Step.VERIFY))
    assert (result.state, result.detail, result.error) == (StepState.DONE, (), None)


def test_a_difference_is_named_and_its_value_is_not() -> None:
    result = one(Scripted(gets=[there(lastName="Somebody")]), task(Step.VERIFY))
    assert (result.state, result.detail) == (StepState.DIFFERS, ("lastName: another value",))
    assert result.error is not None
    assert result.error.code == "differs_at_target"
    assert "Somebody" not in result.error.message


def test_a_customer_that_is_not_there_yet_is_looked_for_again() -> None:
    target = Scripted(gets=[Found(), there()])
    assert one(target, task(Step.VERIFY)).state is StepState.DONE
    assert [moment for _, moment in target.requests] == pytest.approx([0.0, 2.0], abs=0.001)


def test_a_customer_that_is_never_there_is_a_failure() -> None:
    result = one(Scripted(gets=[Found()] * 3), task(Step.VERIFY))
    assert result.state is StepState.FAILED
    assert result.error is not None
    assert result.error.code == "verify_failed"


# --------------------------------------------------------------------------- steps that may not be repeated


def test_an_application_is_submitted_and_looked_at_soon() -> None:
    result = one(Scripted(attempts=[SUBMITTED]), task(Step.VERIFICATION))
    assert (result.state, result.reference) == (StepState.SUBMITTED, "app-1")
    assert result.next_at == VirtualClock.EPOCH_S + pause_before_look_s(0)


def test_a_submission_in_doubt_is_looked_up_and_never_repeated_where_it_is_found() -> None:
    target = Scripted(attempts=[StepReply(TIMEOUT)], looks=[StepFound(), StepFound(("app-7",))])
    result = one(target, task(Step.VERIFICATION))
    assert (result.state, result.reference) == (StepState.SUBMITTED, "app-7")
    assert target.kinds == ["attempt", "made_by", "made_by"]


def test_a_submission_is_repeated_only_after_all_looks() -> None:
    target = Scripted(attempts=[StepReply(TIMEOUT), SUBMITTED], looks=[StepFound()] * 3)
    assert one(target, task(Step.VERIFICATION)).state is StepState.SUBMITTED
    moments = [moment for kind, moment in target.requests if kind == "made_by"]
    assert moments == pytest.approx([0.0, 2.0, 8.0], abs=0.001)
    assert target.kinds[-1] == "attempt"


def test_a_look_knows_since_when_there_can_be_something_to_find() -> None:
    asked: list[float | None] = []

    class Noting(Scripted):
        server_ahead_s = 100.0

        async def made_by(self, task: StepTask) -> StepFound:
            asked.append(task.doubt_since)
            return await super().made_by(task)

    for earlier in (None, 7.0):
        target = Noting(attempts=[StepReply(TIMEOUT)], looks=[StepFound(("app-7",))] * 2)
        one(target, task(Step.VERIFICATION, in_doubt=earlier is not None, doubt_since=earlier))

    assert asked == [VirtualClock.EPOCH_S + 100.0, 7.0]


def test_what_an_earlier_pass_left_in_doubt_is_looked_up_first() -> None:
    target = Scripted(looks=[StepFound(("own-1",))])
    result = one(target, task(Step.BENEFICIARIES, part="1", in_doubt=True))
    assert (result.state, result.reference) == (StepState.DONE, "own-1")


def test_several_finds_are_for_a_person() -> None:
    target = Scripted(attempts=[StepReply(TIMEOUT)], looks=[StepFound(("a", "b"))])
    result = one(target, task(Step.VERIFICATION))
    assert result.state is StepState.UNKNOWN
    assert result.error is not None
    assert result.error.code == "idv_unknown"


def test_a_look_that_fails_leaves_the_doubt() -> None:
    target = Scripted(attempts=[StepReply(TIMEOUT)], looks=[StepFound(failure=DOWN)] * 3)
    assert one(target, task(Step.BENEFICIARIES, part="1")).state is StepState.UNKNOWN


def test_a_document_in_doubt_is_never_sent_again() -> None:
    target = Scripted(attempts=[StepReply(TIMEOUT)])
    result = one(target, task(Step.DOCUMENTS, part="passport"))
    assert result.state is StepState.UNKNOWN
    assert result.error is not None
    assert (result.error.code, result.error.path) == ("document_unknown", "documents.passport")


def test_a_document_that_is_announced_and_not_uploaded_is_tried_again_and_then_in_doubt() -> None:
    half = StepReply(DOWN, reference="d-1")
    done = one(Scripted(attempts=[half, StepReply(YES, reference="d-1")]), task(Step.DOCUMENTS, part="passport"))
    left = one(Scripted(attempts=[half] * 3), task(Step.DOCUMENTS, part="passport"))
    assert (done.state, left.state) == (StepState.DONE, StepState.UNKNOWN)


def test_a_document_left_in_doubt_by_an_earlier_pass_stays_so() -> None:
    assert one(Scripted(), task(Step.DOCUMENTS, part="passport", in_doubt=True)).state is StepState.UNKNOWN


def test_a_conflict_is_looked_up() -> None:
    target = Scripted(attempts=[StepReply(CONFLICT)], looks=[StepFound(("app-2",))])
    assert one(target, task(Step.VERIFICATION)).reference == "app-2"


def test_a_conflict_without_a_find_fails() -> None:
    target = Scripted(attempts=[StepReply(CONFLICT)], looks=[StepFound()] * 3)
    result = one(target, task(Step.VERIFICATION))
    assert result.state is StepState.FAILED
    assert target.kinds.count("attempt") == 1


def test_a_doubt_stays_where_the_second_request_is_refused() -> None:
    target = Scripted(attempts=[StepReply(TIMEOUT), StepReply(REFUSED)], looks=[StepFound()] * 3)
    assert one(target, task(Step.VERIFICATION)).state is StepState.UNKNOWN


def test_a_stop_leaves_a_doubt_in_doubt() -> None:
    stop = StopSwitch()

    class Stopping(Scripted):
        async def made_by(self, task: StepTask) -> StepFound:
            stop.request("sigint")
            return await super().made_by(task)

    target = Stopping(attempts=[StepReply(TIMEOUT)], looks=[StepFound()])
    assert one(target, task(Step.VERIFICATION), stop=stop).state is StepState.UNKNOWN


# --------------------------------------------------------------------------- progress and outcomes


def test_a_decision_ends_the_step() -> None:
    said = StepReply(YES, StepState.DONE, status="COMPLETED", outcome="APPROVED")
    result = one(Scripted(states=[said]), task(Step.VERIFICATION, reference="app-1", looks=3), progress=True)
    assert (result.state, result.status, result.outcome, result.next_at, result.error) == (
        StepState.DONE, "COMPLETED", "APPROVED", None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (StepReply(YES, StepState.DONE, status="COMPLETED", outcome="DECLINED"), "idv_declined"),
        (StepReply(YES, StepState.NEEDS_PERSON, status="PENDING_REVIEW"), "idv_needs_person"),
    ],
)
def test_what_a_person_has_to_know_is_said(said: StepReply, code: str) -> None:
    result = one(Scripted(states=[said]), task(Step.VERIFICATION, reference="app-1"), progress=True)
    assert result.error is not None
    assert result.error.code == code


def test_pauses_between_looks_grow_up_to_a_limit() -> None:
    said = StepReply(YES, StepState.SUBMITTED, status="PENDING")
    result = one(Scripted(states=[said]), task(Step.VERIFICATION, reference="a", looks=2), progress=True)
    assert (result.state, result.next_at) == (StepState.SUBMITTED, VirtualClock.EPOCH_S + pause_before_look_s(3))
    assert pause_before_look_s(0) < pause_before_look_s(1) < pause_before_look_s(1000) == LONGEST_PAUSE_S


def test_a_look_without_an_answer_says_nothing_about_the_step() -> None:
    result = one(Scripted(states=[StepReply(DOWN)] * 3), task(Step.VERIFICATION, reference="a"), progress=True)
    assert (result.state, result.error) == (StepState.SUBMITTED, None)


def test_an_expired_application_fails() -> None:
    said = StepReply(Reply(Verdict.REJECT, message="It expired."), StepState.FAILED, status="EXPIRED")
    result = one(Scripted(states=[said]), task(Step.VERIFICATION, reference="a"), progress=True)
    assert (result.state, result.status) == (StepState.FAILED, "EXPIRED")


def test_an_application_that_the_target_does_not_know_any_more_is_in_doubt_and_not_submitted_again_blindly() -> None:
    gone = StepReply(Reply(Verdict.REJECT, http_status=404, message="The API does not know the application any more."))
    result = one(Scripted(states=[gone]), task(Step.VERIFICATION, reference="a", looks=9), progress=True)
    assert (result.state, result.reference) == (StepState.UNKNOWN, "a")
    assert result.error is not None
    assert result.error.code == "idv_unknown"


def waiting(dues: list[float | None], until_s: float) -> list[float]:
    """Wait for outcomes with looks that are due so, in seconds from now; when looks were made."""
    looks: list[float] = []

    async def played() -> None:
        clock, stop = VirtualClock(), StopSwitch()
        began = clock.now()

        async def next_due() -> float | None:
            due = dues[0]
            return None if due is None else began + due

        async def look(is_over: Callable[[], bool]) -> None:
            assert not is_over()
            looks.append(clock.now() - began)
            dues.pop(0)

        async def rest(delay_s: float) -> None:
            await clock.sleep(delay_s)

        await Outcomes(next_due, look, rest, stop, clock).wait(began + until_s)

    run_virtual(played)
    return looks


def test_outcomes_are_asked_for_when_they_are_due_until_nothing_is_open() -> None:
    looks = waiting([1.0, 3.0, 200.0, None], until_s=3600)
    assert looks == [1.0, 3.0, 200.0]


def test_the_wait_for_outcomes_ends_in_time() -> None:
    assert waiting([1.0, 50.0, None], until_s=30) == [1.0]
    assert waiting([5.0, None], until_s=0) == []


def test_what_is_due_already_is_asked_for_once_where_nobody_waits() -> None:
    assert waiting([0.0, 1.0, None], until_s=0) == [0.0]
