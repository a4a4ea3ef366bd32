"""Look-ups: which customers at the target could be this record. All pages, compared again here.

The list's filters are believed to narrow, never to match (API facts, section 5): equality is checked
on what comes back. Pure, except that `LookUps` asks for pages; never waits, never repeats a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from importer.core.outcomes import Candidate, Found, RateHint, Record, Reply, Verdict
from importer.targets.rocketkor.bodies import load_object

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 200
MAX_COMPLETIONS: Final = 10
"""Summaries that are fetched in full for one look-up, at most."""

NEWEST: Final = urlencode({"sort": "createdAt,DESC", "page": "0", "size": str(PAGE_SIZE)}, quote_via=quote, safe="")
"""The query for one page of customers, the newest first."""

_INCOMPLETE: Final = "The list of customers did not come to an end, so nothing can be concluded from it."
_UNREADABLE: Final = "The list of customers could not be read."
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
        paging = {"sort": "createdAt,ASC", "page": str(page), "size": str(PAGE_SIZE)}
        return urlencode(filters | paging, quote_via=quote, safe="")

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
    return Wanted(record.external_id, email, str(body.get("type", "")), frozenset(body), _day_before(since))


def emails_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the primary emails of a customer and its contacts, folded for comparison, main contact first."""
    contacts = body.get("contacts")
    listed = [entry for entry in contacts if isinstance(entry, dict)] if isinstance(contacts, list) else []
    holders = [body, *sorted(listed, key=lambda entry: entry.get("primary") is not True)]
    values = [holder["primaryEmail"].get("value") for holder in holders if isinstance(holder.get("primaryEmail"), dict)]
    return tuple(value.strip().casefold() for value in values if isinstance(value, str) and value.strip())


class Page(NamedTuple):
    """One page of a list.

    Args:
        content: its JSON.
        took_s: from request to answer, in seconds.
        allowance: what its headers said about the rate.
    """

    content: Any
    took_s: float = 0.0
    allowance: RateHint | None = None


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
        walk = await self._walk(want, record.payload, listed)
        if isinstance(walk, Reply):
            return Found(failure=walk)
        found = await self._judged(want, listed)
        if found.failure is not None:
            return found
        return replace(found, allowance=found.allowance or walk.allowance, took_s=(found.took_s or 0.0) + walk.took_s)

    async def _walk(self, want: Wanted, payload: bytes, listed: dict[str, dict[str, Any]]) -> Page | Reply:
        """Fill `listed`, page by page; returns the last one, with the time of all, or the failure."""
        took_s = 0.0
        for number in range(MAX_PAGES):
            page = await self._fetch_page(want.query(number), payload)
            if isinstance(page, Reply):
                return page
            took_s += page.took_s
            entries = _entries(page.content)
            if entries is None:
                return Reply(Verdict.RETRY, http_status=200, error_code="answer_unreadable", message=_UNREADABLE)
            known = len(listed)
            listed |= entries
            if not entries or not _has_next(page.content):
                return page._replace(took_s=took_s)
            if len(listed) == known:  # the same page again: the last one, or a server that does not turn pages
                return page._replace(took_s=took_s) if _all_seen(page.content, known) else _incomplete()
        return _incomplete()

    async def _judged(self, want: Wanted, listed: Mapping[str, dict[str, Any]]) -> Found:
        sure = [Candidate(customer_id, body) for customer_id, body in listed.items() if want.matches(body)]
        unsure = [customer_id for customer_id, body in listed.items() if want.is_summary(body)]
        bare = [candidate.customer_id for candidate in sure if want.lacks_stamp(candidate.body)]
        if len(unsure) > MAX_COMPLETIONS:
            return Found(failure=_incomplete())
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


def read_page(body: bytes | None) -> Any:
    """Read a page; None when it is not JSON."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def as_candidate(body: Any) -> Candidate | None:
    """Read one customer; None when it has no id."""
    if not isinstance(body, dict) or not isinstance(body.get("id"), str | int) or not str(body["id"]).strip():
        return None
    return Candidate(str(body["id"]), body)


def listed(page: Any) -> tuple[Candidate, ...]:
    """Read the customers of one page of a list; none where it is not a list."""
    return tuple(Candidate(customer_id, body) for customer_id, body in (_entries(page) or {}).items())


def created_at(body: Mapping[str, Any]) -> float | None:
    """Read when a customer was created, seconds since the epoch by the server's clock; None: it does not say."""
    try:
        moment = datetime.fromisoformat(body["createdAt"])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def is_safe_in_a_path(customer_id: str) -> bool:
    """Return whether an id is safe in a URL's path: only letters, digits, `-` and `_` are."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,200}", customer_id) is not None


def _entries(page: Any) -> dict[str, dict[str, Any]] | None:
    content = page.get("content") if isinstance(page, dict) else page
    if not isinstance(content, list):
        return None
    candidates = [as_candidate(entry) for entry in content]
    if None in candidates:
        return None  # an entry that cannot be named could be the one that is looked for
    return {candidate.customer_id: dict(candidate.body) for candidate in candidates if candidate is not None}


def _has_next(page: Any) -> bool:
    """Return whether to fetch another page. A bare array is the only one; else `hasNext` decides, true by default."""
    return isinstance(page, dict) and page.get("hasNext", True) is True


def _all_seen(page: Any, seen: int) -> bool:
    total = page.get("totalElements")
    return isinstance(total, int) and not isinstance(total, bool) and seen >= total


def _incomplete() -> Reply:
    return Reply(Verdict.RETRY, http_status=200, error_code="look_up_incomplete", message=_INCOMPLETE)


def _day_before(moment: float | None) -> str:
    """Return the UTC day before a moment: the server's clock may not have been known when it was noted."""
    if moment is None:
        return ""
    return (datetime.fromtimestamp(moment, UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
