"""Beneficial owners of a business: creating one, and looking for one that may have been created (API facts, section 8).

Owners have no id of ours, so they are matched by their names and what else they have. One attempt a call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from yarl import URL

from importer.core.outcomes import Reply
from importer.core.step_tasks import StepFound, StepReply, StepTask
from importer.core.steps import STEP_RULES, Step
from importer.targets.rocketkor.bodies import load_object, read_error_body
from importer.targets.rocketkor.classification import created_id
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.lookups import MAX_COMPLETIONS
from importer.targets.rocketkor.pages import Entries, Page, incomplete, is_safe_in_a_path, query_of, read_page, walk
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.step_answers import CHANGES_NOTHING, UNUSABLE_ID, done, judge_step, with_names

_DIGITS: Final = 7
"""A phone number with fewer digits is compared whole: with and without its country code it is the same from here on."""


_NAMES: Final = ("firstName", "middleName", "lastName")


class Owners:
    """The step `beneficiaries`.

    Args:
        session: makes the requests.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def attempt(self, task: StepTask) -> StepReply:
        """Create one owner."""
        url = self._url(task.customer_id)
        answer = UNUSABLE_ID if url is None else await self._session.ask("POST", url, task.payload)
        if isinstance(answer, Reply):
            return StepReply(answer)
        reference = created_id(answer, "beneficiaries") if 200 <= answer.status < 300 else ""
        if reference:
            return StepReply(done(answer, self._session.now()), reference=reference)
        said = read_error_body(answer.body, task.payload, self._session.secrets)
        said = with_names(said, lambda path: f"beneficiaries.{task.part}.{path}".rstrip("."))
        return StepReply(judge_step(answer, said, self._session.now(), STEP_RULES[Step.BENEFICIARIES]))

    async def made_by(self, task: StepTask) -> StepFound:
        """Look for the owners of a business that could be this one."""
        url = self._url(task.customer_id)
        if url is None:
            return StepFound(failure=UNUSABLE_ID)
        listed, sent = Entries(), load_object(task.payload)
        last = await walk(lambda page: self._page(url, page, task.payload), listed)
        if isinstance(last, Reply):
            return StepFound(failure=last)
        likely = {one: likeness(sent, body) for one, body in listed.items()}
        thin = [one for one, how in likely.items() if how is Likeness.POSSIBLE]
        if len(thin) > MAX_COMPLETIONS:
            return StepFound(failure=incomplete())
        for reference in thin:
            whole = await self._whole(url, reference, task.payload)
            if isinstance(whole, Reply):
                return StepFound(failure=whole)
            likely[reference] = likeness(sent, whole) if whole else Likeness.OTHER
        best = Likeness.SAME if Likeness.SAME in likely.values() else Likeness.POSSIBLE
        return StepFound(tuple(one for one, how in likely.items() if how is best), took_s=last.took_s)

    async def _page(self, url: URL, number: int, payload: bytes) -> Page | Reply:
        """Fetch the list; it comes whole (K), so that further pages are asked for only where it says so."""
        where = URL(f"{url}?{query_of({}, 'createdAt,ASC', number)}", encoded=True) if number else url
        answer = await self._session.read(where)
        if isinstance(answer, Reply):
            return answer
        content = read_page(answer.body) if answer.status == 200 else None
        return self._judged(answer, payload) if content is None else Page(content, answer.took_s or 0.0)

    async def _whole(self, url: URL, reference: str, payload: bytes) -> dict[str, Any] | Reply:
        """Fetch one owner; an empty one where there is none."""
        answer = await self._session.read(url / reference) if is_safe_in_a_path(reference) else UNUSABLE_ID
        if isinstance(answer, Reply):
            return answer
        body = load_object(answer.body) if answer.status == 200 else {}
        return body if body or answer.status == 404 else self._judged(answer, payload)

    def _judged(self, answer: Answer, payload: bytes) -> Reply:
        said = read_error_body(answer.body, payload, self._session.secrets)
        return judge_step(answer, said, self._session.now(), CHANGES_NOTHING)

    def _url(self, customer_id: str) -> URL | None:
        if not is_safe_in_a_path(customer_id):
            return None
        return URL(f"{self._session.api}/customers/{customer_id}/beneficiaries")


class Likeness(Enum):
    """How much of what was sent an owner at the API has."""

    OTHER = auto()
    POSSIBLE = auto()
    """Nothing speaks against it; it lacks something that was sent."""
    SAME = auto()


def likeness(sent: Mapping[str, Any], held: Mapping[str, Any]) -> Likeness:
    """Compare an owner with what was sent: names, email, phone number and date of birth.

    One that has what was not sent is another one: the API adds no such thing.
    """
    pairs = [(_folded(sent.get(name)), _folded(held.get(name))) for name in _NAMES]
    pairs += [(of(sent), of(held)) for of in (_email, _born)]
    if any(theirs and ours != theirs for ours, theirs in pairs) or not _phones_fit(_phone(sent), _phone(held)):
        return Likeness.OTHER
    pairs.append((_phone(sent), _phone(held)))
    lacks = any(ours and not theirs for ours, theirs in pairs)
    return Likeness.POSSIBLE if lacks else Likeness.SAME


def _folded(text: object) -> str:
    return " ".join(text.split()).casefold() if isinstance(text, str) else ""


def _email(owner: Mapping[str, Any]) -> str:
    return _folded(_inside(owner, "primaryEmail", "value"))


def _born(owner: Mapping[str, Any]) -> str:
    return _folded(owner.get("dateOfBirth"))[:10]


def _phone(owner: Mapping[str, Any]) -> str:
    return re.sub(r"\D", "", _folded(_inside(owner, "primaryPhoneNumber", "number")))


def _phones_fit(sent: str, held: str) -> bool:
    """Return whether two numbers, in digits, can be one: either may lack its country code, the second be missing."""
    shorter, longer = sorted((sent, held), key=len)
    return sent == held or not held or (len(shorter) >= _DIGITS and longer.endswith(shorter))


def _inside(owner: Mapping[str, Any], name: str, part: str) -> object:
    value = owner.get(name)
    return value.get(part) if isinstance(value, dict) else value
