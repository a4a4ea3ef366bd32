"""The step `update`: a customer is read, what a row names is merged into it, and it is written back as a whole.

Nothing is written where nothing changes, where the customer is not as it was when a list was made, or where a part of
it is hidden. A lost answer is in doubt: the next attempt reads what came of it. One attempt a call.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from yarl import URL

from importer.core.outcomes import FieldError, Found, Reply, Verdict
from importer.core.step_tasks import StepReply, StepTask
from importer.core.steps import StepState
from importer.customers.changes import fingerprint
from importer.customers.update import Merged, merge
from importer.targets.rocketkor.bodies import load_object, read_error_body
from importer.targets.rocketkor.changes import LEAVES_A_DOUBT, as_wanted, changed_since, gone, is_other
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.step_answers import done, judge_step

CHANGED, UNCHANGED = "changed", "unchanged"
"""The status of an update that is done."""


class Updates:
    """The step `update`.

    Args:
        session: makes the requests.
        get: reads one customer.
    """

    def __init__(self, session: Session, get: Callable[[str], Awaitable[Found]]) -> None:
        self._session = session
        self._get = get
        self._customers = URL(f"{session.api}/customers")

    async def attempt(self, task: StepTask) -> StepReply:
        """Write a customer with what a row changes; one that is as the row says is left alone."""
        found = await self._get(task.customer_id)
        if found.failure is not None:
            return StepReply(found.failure)
        if not found.candidates:
            return StepReply(gone(found))
        customer = found.candidates[0].body
        merged = merge(customer, load_object(task.payload), task.key)
        return _unsent(task, found, customer, merged) or await self._write(task.customer_id, merged)

    async def _write(self, customer_id: str, merged: Merged) -> StepReply:
        payload = json.dumps(merged.body, ensure_ascii=False, separators=(",", ":")).encode()
        answer = await self._session.ask("PUT", self._customers / customer_id, payload)
        if isinstance(answer, Reply):
            return StepReply(answer)
        if answer.status == 204 or (answer.status == 200 and load_object(answer.body or b"")):
            return StepReply(done(answer, self._session.now()), status=CHANGED, detail=_detail(merged))
        said = read_error_body(answer.body, payload, self._session.secrets)
        return StepReply(judge_step(answer, said, self._session.now(), LEAVES_A_DOUBT))


def _unsent(task: StepTask, found: Found, customer: Mapping[str, Any], merged: Merged) -> StepReply | None:
    """What comes of an update for which nothing is to be sent; None: the customer is to be written."""
    if merged.errors:
        first = merged.errors[0]
        return StepReply(_refused(first.code, first.message, found, merged.errors))
    if not merged.changes:
        return StepReply(as_wanted(found), status=CHANGED if task.in_doubt else UNCHANGED)
    if is_other(task, customer):
        return StepReply(changed_since(found))
    return _listed(merged, customer, found) if task.lists_only else None


def _listed(merged: Merged, customer: Mapping[str, Any], found: Found) -> StepReply:
    return StepReply(as_wanted(found), StepState.LISTED, reference=fingerprint(customer), detail=_detail(merged))


def _detail(merged: Merged) -> tuple[str, ...]:
    return tuple(change.masked() for change in merged.changes)


def _refused(code: str, message: str, found: Found, errors: Sequence[FieldError] = ()) -> Reply:
    """The refusal of our own to write a customer."""
    return as_wanted(found)._replace(
        verdict=Verdict.REJECT, error_code=code, message=message, field_errors=tuple(errors)
    )
