"""Changes of a customer as a whole: suspended, deleted. Each attempt reads the customer first.

What is done already is not asked for again, and a customer that is not as it was when the list was made is left alone.
A lost answer is in doubt: the next attempt reads what came of it. One attempt a call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from yarl import URL

from importer.core.issue_codes.steps import CHANGED_SINCE
from importer.core.outcomes import FieldError, Found, Reply, Verdict
from importer.core.step_tasks import StepReply, StepTask
from importer.core.steps import StepRule
from importer.customers.changes import SUSPENDED, fingerprint
from importer.targets.rocketkor.bodies import read_error_body
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.step_answers import STATUSES, done, judge_step

LEAVES_A_DOUBT: Final = StepRule()
_GONE: Final = STATUSES[404]


class Changes:
    """The steps `suspend` and `delete`.

    Args:
        session: makes the requests.
        get: reads one customer.
    """

    def __init__(self, session: Session, get: Callable[[str], Awaitable[Found]]) -> None:
        self._session = session
        self._get = get
        self._customers = URL(f"{session.api}/customers")

    async def suspend(self, task: StepTask) -> StepReply:
        """Suspend a customer; one that is suspended is ours if an earlier request may have done it."""
        found = await self._get(task.customer_id)
        if found.failure is not None:
            return StepReply(found.failure)
        if not found.candidates:
            return StepReply(gone(found))
        body = found.candidates[0].body
        if task.in_doubt and status_of(body) == SUSPENDED:
            return StepReply(as_wanted(found))
        if is_other(task, body) or status_of(body) == SUSPENDED:
            return StepReply(changed_since(found))
        return StepReply(await self._ask("PUT", self._customers / task.customer_id / "suspend"))

    async def delete(self, task: StepTask) -> StepReply:
        """Delete a customer; one that is gone is ours if an earlier request may have done it."""
        found = await self._get(task.customer_id)
        if found.failure is not None:
            return StepReply(found.failure)
        if task.in_doubt and not found.candidates:
            return StepReply(as_wanted(found))
        if not found.candidates or is_other(task, found.candidates[0].body):
            return StepReply(changed_since(found))
        reply = await self._ask("DELETE", self._customers / task.customer_id)
        is_gone = reply.http_status == 404  # it was there a moment ago
        return StepReply(Reply(Verdict.ACCEPT, http_status=404, took_s=reply.took_s) if is_gone else reply)

    async def _ask(self, method: str, url: URL) -> Reply:
        """Ask for what takes no body, and answers yes in words that mean nothing."""
        answer = await self._session.ask(method, url)
        if isinstance(answer, Reply):
            return answer
        if 200 <= answer.status < 300 and not _is_a_page(answer):
            return done(answer, self._session.now())
        said = read_error_body(answer.body, b"", self._session.secrets)
        return judge_step(answer, said, self._session.now(), LEAVES_A_DOUBT, in_words=False)


def status_of(body: Mapping[str, Any]) -> str:
    """A customer's status in capitals; empty: it says none."""
    return str(body.get("status") or "").strip().upper()


def is_other(task: StepTask, body: Mapping[str, Any]) -> bool:
    """Whether a customer is not as it was when the list was made."""
    return bool(task.guard) and fingerprint(body) != task.guard


def changed_since(found: Found) -> Reply:
    """The refusal of our own to change a customer that is not as it was when the list was made."""
    error = FieldError("", CHANGED_SINCE, "changed_since")
    said = as_wanted(found)._replace(verdict=Verdict.REJECT, error_code=error.code, message=error.message)
    return said._replace(field_errors=(error,))


def gone(found: Found) -> Reply:
    """The refusal of our own to change a customer that is not there any more."""
    return as_wanted(found)._replace(
        verdict=Verdict.REJECT, http_status=404, error_code=_GONE.code, message=_GONE.sentence
    )


def as_wanted(found: Found) -> Reply:
    """The answer where a customer was read, and nothing has to be sent."""
    return Reply(Verdict.ACCEPT, allowance=found.allowance, took_s=found.took_s)


def _is_a_page(answer: Answer) -> bool:
    """Whether it is a gateway that answers, with a page for people."""
    return (answer.body or b"").lstrip()[:1] == b"<"
