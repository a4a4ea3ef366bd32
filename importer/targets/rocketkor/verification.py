"""Identity verification: profiles, submitting a customer, looking for an application, asking for its state.

The facts are section 10 of the API facts; what they leave open is in the tables here, each line with its mark: K known,
NF not found in the API's pages. One attempt a call. What the API says in words about a person is not passed on: there
is nothing to look for in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from yarl import URL

from importer.core.outcomes import FieldError, Reply, Verdict
from importer.core.step_tasks import Applications, StepFound, StepReply, StepTask, VerificationProfile
from importer.core.steps import STEP_RULES, Step, StepState
from importer.targets.rocketkor.applications import accounts_of, look_for
from importer.targets.rocketkor.bodies import load_object, read_error_body
from importer.targets.rocketkor.classification import created_id
from importer.targets.rocketkor.classification_rules import Rule
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.lookups import MAX_COMPLETIONS
from importer.targets.rocketkor.pages import (
    UNREADABLE,
    Entries,
    Page,
    day_before,
    entries,
    has_next,
    incomplete,
    is_safe_in_a_path,
    query_of,
    read_page,
    walk,
)
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.step_answers import (
    CHANGES_NOTHING,
    NOT_OFFERED,
    UNUSABLE_ID,
    done,
    judge_step,
    objects,
    safe_id,
    unlike,
)

STATES: Final[Mapping[str, StepState]] = MappingProxyType(
    {
        "NEW": StepState.SUBMITTED,  # K
        "PENDING": StepState.SUBMITTED,  # K
        "PROCESSING": StepState.SUBMITTED,  # K
        "PENDING_REVIEW": StepState.NEEDS_PERSON,  # K; that a person must act: NF
        "PENDING_DOCUMENTS": StepState.NEEDS_PERSON,  # K since V3; that a person must act: NF
        "AWAITING_INFORMATION": StepState.NEEDS_PERSON,  # K; that a person must act: NF
        "COMPLETED": StepState.DONE,  # K
        "EXPIRED": StepState.FAILED,  # K since V3; that it is final: NF
        "ERROR": StepState.FAILED,  # K; that it is final: NF
    }
)
"""What a status means; one that is not here is taken for a state on the way (NF)."""

RECORD_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"INDIVIDUAL_CUSTOMER": "INDIVIDUAL", "BUSINESS_CUSTOMER": "BUSINESS"}  # K
)
"""The types of accounts that are customers, as the contract names them."""

LATE_LOOKS: Final = 5
"""So often an application may be missing after it was submitted (NF: how late what is new can be read)."""

_FAILED: Final = "idv_failed"
_EARLY: Final = Rule(
    Verdict.RETRY, "application_not_there", "The API does not know the application yet.", "facts 5, NF"
)
_GONE: Final = Rule(Verdict.REJECT, "application_gone", "The API does not know the application any more.", "facts 7")
_WORD: Final = re.compile(r"[A-Z0-9_]{1,40}")
_NAME_CHARS: Final = 200


class Verifications:
    """The step `verification`, and the profiles that it submits to.

    Args:
        session: makes the requests.

    Attributes:
        profile_id: of the profile that is submitted to.
    """

    def __init__(self, session: Session) -> None:
        self.profile_id = ""
        self._session = session
        self._applications = URL(f"{session.api}/identity-verifications")
        self._profiles = URL(f"{session.api}/identity-verification-profiles")

    async def profiles(self) -> Reply | Sequence[VerificationProfile]:
        """Fetch every profile that the account has, or the failure."""
        answer = await self._session.read(self._profiles)
        if isinstance(answer, Reply):
            return answer
        listed = objects(answer)
        if listed is None:
            return self._judged(answer)
        return [read_profile(one) for one in listed if safe_id(one)]

    async def attempt(self, task: StepTask) -> StepReply:
        """Submit a customer."""
        body = json.dumps({"accountId": task.customer_id, "identityVerificationProfileId": self.profile_id}).encode()
        answer = await self._session.ask("POST", self._applications, body)
        if isinstance(answer, Reply):
            return StepReply(answer)
        reference = created_id(answer, self._applications.name) if 200 <= answer.status < 300 else ""
        if is_safe_in_a_path(reference):
            return StepReply(done(answer, self._session.now()), StepState.SUBMITTED, reference)
        said = read_error_body(answer.body, body, self._session.secrets)
        rule = STEP_RULES[Step.VERIFICATION]
        return StepReply(judge_step(answer, said, self._session.now(), rule, in_words=False))

    async def made_by(self, task: StepTask) -> StepFound:
        """Look for the applications of a customer to the profile."""
        failure = await self._session.know_the_time() if task.doubt_since is not None else None
        if failure is not None:
            return StepFound(failure=failure)
        now, ahead_s = self._session.server_now(), self._session.server_ahead_s
        look, listed = look_for(task, self.profile_id, now, ahead_s or 0.0), Entries()
        last = await walk(lambda page: self._page(look.query(page)), listed, look.is_last)
        if isinstance(last, Reply):
            return StepFound(failure=last)
        thin = [one for one, body in listed.items() if not accounts_of(body) and not look.is_older(body)]
        if len(thin) > MAX_COMPLETIONS:
            return StepFound(failure=incomplete())
        failure = await self._complete(listed, thin)
        if failure is not None:
            return StepFound(failure=failure)
        return StepFound(tuple(one for one, body in listed.items() if look.matches(body)), took_s=last.took_s)

    async def listed(self, since: float, page: int) -> Reply | Applications:
        """Fetch one page of the applications of all customers and profiles, the earliest first, or the failure."""
        query = query_of({"createdDateFrom": day_before(since), "timeZone": "UTC"}, "createdAt,ASC", page)
        answer = await self._page(query)
        if isinstance(answer, Reply):
            return answer
        found = entries(answer.content)
        if found is None:
            return UNREADABLE
        failure = await self._complete(found, [one for one, body in found.items() if not accounts_of(body)])
        if failure is not None:
            return failure
        customers = {reference: accounts_of(body) for reference, body in found.items()}
        return Applications(customers, not found or not has_next(answer.content), answer.took_s)

    async def _complete(self, found: Entries, thin: Sequence[str]) -> Reply | None:
        """Fetch applications of which the list says too little; the failure, or None."""
        for reference in thin:
            body = await self._one(reference)
            if isinstance(body, Reply):
                return body
            found[reference] = body
        return None

    async def progress(self, task: StepTask) -> StepReply:
        """Ask once for the state of an application."""
        missing = _EARLY if task.looks < LATE_LOOKS else _GONE
        answer = await self._read(task.reference)
        if isinstance(answer, Reply):
            return StepReply(answer)
        body = load_object(answer.body) if answer.status == 200 else {}
        status = word(body.get("latestStatus") or body.get("status"))
        if not status:
            return StepReply(self._judged(answer, missing))
        reply, state = done(answer, self._session.now()), STATES.get(status, StepState.SUBMITTED)
        if state is StepState.FAILED:
            error = FieldError("", f"The identity verification ended as {status} at the API.", _FAILED)
            reply = unlike(reply, _FAILED, [error])
        outcome = word(body.get("outcome")) if state is StepState.DONE else ""
        return StepReply(reply, state, task.reference, status, outcome)

    async def _page(self, query: str) -> Page | Reply:
        answer = await self._session.read(URL(f"{self._applications}?{query}", encoded=True))
        if isinstance(answer, Reply):
            return answer
        content = read_page(answer.body) if answer.status == 200 else None
        return self._judged(answer) if content is None else Page(content, answer.took_s or 0.0)

    async def _one(self, reference: str) -> dict[str, Any] | Reply:
        """Fetch one application; an empty one where there is none."""
        answer = await self._read(reference)
        if isinstance(answer, Reply):
            return answer
        body = load_object(answer.body) if answer.status == 200 else {}
        return body if body or answer.status == 404 else self._judged(answer)

    async def _read(self, reference: str) -> Answer | Reply:
        if not is_safe_in_a_path(reference):
            return UNUSABLE_ID
        return await self._session.read(self._applications / reference)

    def _judged(self, answer: Answer, missing: Rule = NOT_OFFERED) -> Reply:
        said = read_error_body(answer.body, b"", self._session.secrets)
        return judge_step(answer, said, self._session.now(), CHANGES_NOTHING, missing=missing, in_words=False)


def read_profile(one: Mapping[str, Any]) -> VerificationProfile:
    """Read a profile; one that names no types of accounts takes all of them."""
    types, requires, name = one.get("allowedAccountTypes"), one.get("minimumInformationRequired"), one.get("name")
    allowed = types if isinstance(types, list) else list(RECORD_TYPES)
    return VerificationProfile(
        id=safe_id(one),
        name=name.strip()[:_NAME_CHARS] if isinstance(name, str) and name.isprintable() else "",
        record_types=tuple(RECORD_TYPES[word(kind)] for kind in allowed if word(kind) in RECORD_TYPES),
        requires=requires if isinstance(requires, dict) else {},
    )


def word(text: object) -> str:
    """Read a word of the API's own in capitals, `_` between its parts; empty: it is none."""
    written = re.sub(r"[\s-]+", "_", text.strip()).upper() if isinstance(text, str) else ""
    return written if _WORD.fullmatch(written) else ""
