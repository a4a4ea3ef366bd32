"""What happened to one step so far: its requests, its tries, its doubt. Becomes its result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from importer.core.errors import StoppingError
from importer.core.outcomes import Attempt, FieldError, Reply, Verdict
from importer.core.ports import Timekeeper
from importer.core.step_tasks import StepFound, StepReply, StepResult, StepTask
from importer.core.steps import STEP_RULES, Step, StepState
from importer.delivery.asking import Asking, Tries
from importer.delivery.breaker import FIND


class StepWork:
    """One step in this pass."""

    def __init__(self, task: StepTask, asking: Asking) -> None:
        self.task = task
        self.rule = STEP_RULES[task.step]
        self.in_doubt = task.in_doubt and (self.rule.reads_first or not self.rule.repeatable)
        """Whether a request may have arrived without a clear answer, where that matters."""
        self._asking = asking
        self._attempts: list[Attempt] = []
        self._tries = Tries(asking)
        self._began_at = self._began_s = 0.0
        self._doubt_at: float | None = None

    @property
    def now(self) -> StepTask:
        """The task, with what this pass has added to its doubt."""
        return self.task._replace(in_doubt=self.task.in_doubt or self.in_doubt)

    @property
    def looked_for(self) -> StepTask:
        """The task, with the moment before which nothing of it can have been made, by the target's clock, if known."""
        target = self._asking.target
        ahead_s = target.server_ahead_s if isinstance(target, Timekeeper) else 0.0
        if self.task.doubt_since is not None or self._doubt_at is None or ahead_s is None:
            return self.task
        return self.task._replace(doubt_since=self._doubt_at + ahead_s)

    async def ask(self, kind: str, request: Callable[[], Awaitable[StepReply]]) -> StepReply | None:
        """Make one attempt, or one look at its progress; None: the run stops, and no request was made."""
        self._begin()
        try:
            answer = await request()
        except StoppingError:
            return None
        if self._doubt_at is None and answer.reply.verdict is Verdict.IN_DOUBT:
            self._doubt_at = self._began_at
        self._learn(kind, answer.reply, self._tries)
        return answer

    async def look(self, request: Callable[[], Awaitable[StepFound]]) -> StepFound | None:
        """Look something up, as often as it takes to get an answer; None: the run stops, and there is none."""
        tries = Tries(self._asking)
        while True:
            self._begin()
            try:
                found = await request()
            except StoppingError:
                return None
            reply = found.failure or Reply(Verdict.ACCEPT, took_s=found.took_s)
            self._learn(FIND, reply, tries)
            if found.failure is None or not await tries.may_go_on(reply):
                return found

    def note(self, kind: str, reply: Reply) -> None:
        """Note a request that was made elsewhere, and that the pool has learned already."""
        self._begin()
        self._add(kind, reply, 0.0)

    async def may_ask_again(self, reply: Reply) -> bool:
        """Wait as long as it makes sense before another try; False: there is none."""
        return await self._tries.may_go_on(reply)

    # ------------------------------------------------------------------ results

    def result(self, state: StepState, answer: StepReply | None = None, error: FieldError | None = None) -> StepResult:
        """The step's result.

        Args:
            answer: what the target said of it; None: nothing new.
        """
        task = self.task
        said = answer or StepReply(Reply(Verdict.ACCEPT))
        return StepResult(
            task.ordinal,
            task.step,
            task.part,
            state,
            reference=said.reference or task.reference,
            status=said.status,
            outcome=said.outcome,
            detail=said.detail,
            error=error or _remark(state, said),
            attempts=tuple(self._attempts),
        )

    def ended(self, answer: StepReply) -> StepResult:
        """The result after the last try, which did not do the step."""
        refused = answer.reply.verdict in {Verdict.REJECT, Verdict.DUPLICATE}
        if not refused and (answer.reply.verdict is Verdict.ABORT or self._asking.stop.requested):
            return self.stopped()
        if self.in_doubt and not (refused and self.rule.reads_first):  # that one knows what there is
            return self.unknown(answer)
        return self.result(StepState.FAILED, answer, self._error(answer.reply))

    def stopped(self) -> StepResult:
        """The result of a step that the run has no time for."""
        return self.unknown(None) if self.in_doubt else self.result(StepState.WAITING)

    def unknown(self, answer: StepReply | None, why: str = "") -> StepResult:
        """The result of a step of which it is not known whether it was done.

        Args:
            answer: to the request that left the doubt; None: that of an earlier pass, or there was none.
            why: a sentence; empty: that of the answer.
        """
        said = why or (answer.reply.message if answer else "") or "An earlier request had no clear answer."
        error = FieldError(
            _FIELDS.get(self.task.step, "").format(self.task.part), f"{said} {_NOT_KNOWN}", _UNKNOWN[self.task.step]
        )
        return self.result(StepState.UNKNOWN, answer, error)

    def _error(self, reply: Reply) -> FieldError:
        """One error for all that the target says: a step has one."""
        code, field = _FAILED[self.task.step], _FIELDS.get(self.task.step, "").format(self.task.part)
        if reply.field_errors:
            first = reply.field_errors[0]
            code, field = (first.code if first.code in _OWN_CODES else code), first.path or field
            return FieldError(field, " ".join(_sentence(one.message) for one in reply.field_errors), code)
        return FieldError(field, reply.message, reply.error_code if reply.error_code in _OWN_CODES else code)

    # ------------------------------------------------------------------ requests

    def _begin(self) -> None:
        self._began_at, self._began_s = self._asking.clock.now(), self._asking.clock.monotonic()

    def _learn(self, kind: str, reply: Reply, tries: Tries) -> None:
        duration_s = self._asking.clock.monotonic() - self._began_s
        tries.saw(reply)
        self._asking.answered(kind, reply, duration_s)
        self._add(kind, reply, duration_s)

    def _add(self, kind: str, reply: Reply, duration_s: float) -> None:
        """Note a request; where there was no token, none was made."""
        if reply.shared:
            return
        took_s = duration_s if reply.took_s is None else reply.took_s
        self._attempts.append(
            Attempt(
                number=self.task.prior_attempts + len(self._attempts) + 1,
                kind=kind,
                started_at=self._began_at + duration_s - took_s,
                duration_s=took_s,
                verdict=reply.verdict,
                http_status=reply.http_status,
                error_code=reply.error_code,
                trace_id=reply.trace_id,
            )
        )


def _remark(state: StepState, said: StepReply) -> FieldError | None:
    """What a person has to know of a step that was done, or that waits for a person."""
    if state is StepState.NEEDS_PERSON:
        return FieldError("", f"The identity verification asks for a person: {said.status}.", "idv_needs_person")
    if state is StepState.DONE and said.outcome and said.outcome in _DECLINED:
        return FieldError("", f"The identity verification ended with {said.outcome}.", "idv_declined")
    return None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


_NOT_KNOWN = "It is not known whether it was done."
_DECLINED = frozenset({"DECLINED", "REJECTED", "DENIED", "FAILED"})
"""Outcomes other than an approval (NF: the API's pages give no list)."""

_FAILED: Mapping[Step, str] = {
    Step.BENEFICIARIES: "beneficiary_failed",
    Step.LIMITS: "limits_failed",
    Step.DOCUMENTS: "document_failed",
    Step.VERIFICATION: "idv_failed",
    Step.VERIFY: "verify_failed",
    Step.UPDATE: "update_failed",
    Step.SUSPEND: "suspend_failed",
    Step.DELETE: "delete_failed",
}
_UNKNOWN: Mapping[Step, str] = {
    Step.BENEFICIARIES: "beneficiary_unknown",
    Step.DOCUMENTS: "document_unknown",
    Step.VERIFICATION: "idv_unknown",
    Step.UPDATE: "update_unknown",
    Step.SUSPEND: "suspend_unknown",
    Step.DELETE: "delete_unknown",
}
_OWN_CODES = frozenset({"limit_missing", "changed_since", "value_hidden", "cannot_change", "document_changed"})
_FIELDS: Mapping[Step, str] = {
    Step.BENEFICIARIES: "beneficiaries.{}",
    Step.LIMITS: "limits",
    Step.DOCUMENTS: "documents.{}",
}
"""Where a warning of a step is; of others: at the row."""
