"""The pages of a list, as all lists of the API come: bare arrays, or envelopes with `content` and `hasNext` (facts, 5).

`walk` asks for one page after another; it never waits and never asks for a page twice. The rest is pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from importer.core.outcomes import RateHint, Reply, Verdict

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 200

_INCOMPLETE: Final = "The list did not come to an end, so nothing can be concluded from it."
UNREADABLE: Final = Reply(
    Verdict.RETRY, http_status=200, error_code="answer_unreadable", message="The list could not be read."
)


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


Entries = dict[str, dict[str, Any]]
"""To each id the object that bears it."""


async def walk(
    fetch: Callable[[int], Awaitable[Page | Reply]],
    listed: Entries,
    is_last: Callable[[Entries], bool] = lambda _: False,
) -> Page | Reply:
    """Fill `listed`, page by page; returns the last one, with the time of all, or the failure.

    Args:
        fetch: gives a page by its number, from 0 on.
        is_last: whether nothing that matters can come after what is listed so far.
    """
    took_s = 0.0
    for number in range(MAX_PAGES):
        page = await fetch(number)
        if isinstance(page, Reply):
            return page
        took_s += page.took_s
        found = entries(page.content)
        if found is None:
            return UNREADABLE
        known = len(listed)
        listed |= found
        if not found or not has_next(page.content) or is_last(listed):
            return page._replace(took_s=took_s)
        if len(listed) == known:  # the same page again: the last one, or a server that does not turn pages
            return page._replace(took_s=took_s) if _all_seen(page.content, known) else incomplete()
    return incomplete()


def query_of(filters: Mapping[str, str], sort: str, page: int) -> str:
    """Return the query string for one page, everything in it percent-encoded."""
    paging = {"sort": sort, "page": str(page), "size": str(PAGE_SIZE)}
    return urlencode({**filters, **paging}, quote_via=quote, safe="")


def read_page(body: bytes | None) -> Any:
    """Read a page; None when it is not JSON."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def entries(page: Any) -> Entries | None:
    """Read the objects of a page, by their ids; None when it is not a page, or one of them cannot be named."""
    content = page.get("content") if isinstance(page, dict) else page
    if not isinstance(content, list):
        return None
    found = {id_of(entry): entry for entry in content}
    return None if "" in found else found  # what cannot be named could be the one that is looked for


def id_of(one: Any) -> str:
    """Read the id of an object; empty: it has none, or is something else."""
    if not isinstance(one, dict) or not isinstance(one.get("id"), str | int):
        return ""
    return str(one["id"]) if str(one["id"]).strip() else ""


def is_safe_in_a_path(text: str) -> bool:
    """Return whether an id is safe in a URL's path: only letters, digits, `-` and `_` are."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,200}", text) is not None


def created_at(one: Mapping[str, Any]) -> float | None:
    """Read when something was created, seconds since the epoch by the server's clock; None: it does not say."""
    try:
        moment = datetime.fromisoformat(one["createdAt"])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def day_before(moment: float | None) -> str:
    """Return the UTC day before a moment: the server's clock may not have been known when it was noted.

    Args:
        moment: seconds since the epoch; None: not known, and no day either.
    """
    if moment is None:
        return ""
    return (datetime.fromtimestamp(moment, UTC) - timedelta(days=1)).strftime("%Y-%m-%d")


def incomplete() -> Reply:
    """Reply to a list that did not come to an end."""
    return Reply(Verdict.RETRY, http_status=200, error_code="look_up_incomplete", message=_INCOMPLETE)


def has_next(page: Any) -> bool:
    """Return whether to fetch another page. A bare array is the only one; else `hasNext` decides, true by default."""
    return isinstance(page, dict) and page.get("hasNext", True) is True


def _all_seen(page: Any, seen: int) -> bool:
    total = page.get("totalElements")
    return isinstance(total, int) and not isinstance(total, bool) and seen >= total
