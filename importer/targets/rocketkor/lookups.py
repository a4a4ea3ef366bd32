"""Look-ups: which customers at the target could be this record. All pages, compared again here.

The list's filters are believed to narrow, never to match (API facts, section 5): equality is checked
on what comes back. Pure, except that `LookUps` asks for pages; never waits, never repeats a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from importer.core.outcomes import Candidate, Found, Record, Reply, Verdict
from importer.targets.rocketkor.bodies import load_object
from importer.targets.rocketkor.pages import Page, day_before, entries, id_of, incomplete, query_of, walk

MAX_COMPLETIONS: Final = 10
"""Summaries that are fetched in full for one look-up, at most."""

NEWEST: Final = query_of({}, "createdAt,DESC", 0)
"""The query for one page of customers, the newest first."""

_NO_KEY: Final = "The row has neither an externalId nor an email to look for."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer must equal to be a candidate.

    Args:
        external_id: compared as it is; empty: the email and type decide.
        email: compared without regard to case.
        keys: the payload's top-level fields, to distinguish a summary from a complete customer.
        created_from: the first UTC day (`yyyy-MM-dd`) it can have been created on, by the server; empty when unknown.
    """

    external_id: str
    email: str
    type: str
    keys: frozenset[str]
    created_from: str = ""

    def query(self, page: int) -> str:
        """Return the query string for one page, everything in it percent-encoded."""
        filters = {"externalId": self.external_id} if self.external_id else self._by_email()
        return query_of(filters, "createdAt,ASC", page)

    def matches(self, body: Mapping[str, Any]) -> bool:
        """Return whether a customer is the one wanted."""
        if self.external_id:
            return bool(body.get("externalId") == self.external_id)
        return self.email in emails_of(body) and body.get("type", self.type) == self.type

    def is_summary(self, body: Mapping[str, Any]) -> bool:
        """Return whether a listed customer lacks what is needed to judge it."""
        if "primaryEmail" in body or "contacts" in body:
            return False
        return not (self.external_id and "externalId" in body)

    def lacks_stamp(self, body: Mapping[str, Any]) -> bool:
        """Return whether a match comes without the metadata that would prove it."""
        return "metadata" in self.keys and "metadata" not in body

    def _by_email(self) -> dict[str, str]:
        filters = {"primaryEmail": self.email, "type": self.type}
        return filters | ({"createdAtFrom": self.created_from, "timeZone": "UTC"} if self.created_from else {})


def wanted(record: Record, server_now: float | None = None) -> Wanted | None:
    """Say what to look for; None when the record has nothing to be found by.

    Args:
        server_now: seconds since the epoch by the server's clock; None: that is not known, and no day is asked for.
    """
    body = load_object(record.payload)
    email = next(iter(emails_of(body)), "")
    if not record.external_id and not email:
        return None
    since = None if server_now is None or record.doubt_since is None else min(record.doubt_since, server_now)
    return Wanted(record.external_id, email, str(body.get("type", "")), frozenset(body), day_before(since))


def emails_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the primary emails of a customer and its contacts, folded for comparison, main contact first."""
    contacts = body.get("contacts")
    listed = [entry for entry in contacts if isinstance(entry, dict)] if isinstance(contacts, list) else []
    holders = [body, *sorted(listed, key=lambda entry: entry.get("primary") is not True)]
    values = [holder["primaryEmail"].get("value") for holder in holders if isinstance(holder.get("primaryEmail"), dict)]
    return tuple(value.strip().casefold() for value in values if isinstance(value, str) and value.strip())


class LookUps:
    """Walks the pages of one look-up after another.

    Args:
        fetch_page: query string, and the payload to redact in messages, to the page or the failure.
        fetch_one: customer id to the customer or the failure.
    """

    def __init__(
        self,
        fetch_page: Callable[[str, bytes], Awaitable[Page | Reply]],
        fetch_one: Callable[[str], Awaitable[Found]],
    ) -> None:
        self._fetch_page = fetch_page
        self._fetch_one = fetch_one

    async def find(self, record: Record, server_now: float | None = None) -> Found:
        """Return every customer that could be this record, or the failure that leaves it open."""
        if record.known_id:
            return await self._fetch_one(record.known_id)
        want = wanted(record, server_now)
        if want is None:
            return Found(failure=Reply(Verdict.REJECT, error_code="no_look_up_key", message=_NO_KEY))
        listed: dict[str, dict[str, Any]] = {}
        last = await walk(lambda number: self._fetch_page(want.query(number), record.payload), listed)
        if isinstance(last, Reply):
            return Found(failure=last)
        found = await self._judged(want, listed)
        if found.failure is not None:
            return found
        return replace(found, allowance=found.allowance or last.allowance, took_s=(found.took_s or 0.0) + last.took_s)

    async def _judged(self, want: Wanted, listed: Mapping[str, dict[str, Any]]) -> Found:
        sure = [Candidate(customer_id, body) for customer_id, body in listed.items() if want.matches(body)]
        unsure = [customer_id for customer_id, body in listed.items() if want.is_summary(body)]
        bare = [candidate.customer_id for candidate in sure if want.lacks_stamp(candidate.body)]
        if len(unsure) > MAX_COMPLETIONS:
            return Found(failure=incomplete())
        found, took_s, allowance = {one.customer_id: one for one in sure}, 0.0, None
        for customer_id in dict.fromkeys([*unsure, *bare[:MAX_COMPLETIONS]]):
            one = await self._fetch_one(customer_id)
            if one.failure is not None:
                return one
            found.pop(customer_id, None)  # gone for good where it was deleted since it was listed
            if one.candidates and want.matches(one.candidates[0].body):
                found[customer_id] = one.candidates[0]
            took_s, allowance = took_s + (one.took_s or 0.0), one.allowance or allowance
        return Found(tuple(found.values()), allowance=allowance, took_s=took_s)


def as_candidate(body: Any) -> Candidate | None:
    """Read one customer; None when it has no id."""
    customer_id = id_of(body)
    return Candidate(customer_id, body) if customer_id else None


def listed(page: Any) -> tuple[Candidate, ...]:
    """Read the customers of one page of a list; none where it is not a list."""
    return tuple(Candidate(customer_id, body) for customer_id, body in (entries(page) or {}).items())
