"""The emulator's own addresses: pages for people, and the ledger and all stored objects for tests.

The page of numbers, the ledger and the arrivals hold no personal data. The lists of objects do; like everything here
they are served to loopback only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from aiohttp import web

from importer.emulator.answers import encoded
from importer.emulator.contents import Contents
from importer.emulator.ledger import Ledger
from importer.emulator.views import HEADERS, ROWS_PER_PAGE, customers_page, numbers_page

PREFIX = "/_emulator"
_PAGE_LINES = 1_000


class AdminPages:
    """The pages under `/_emulator`; they need no token, and do not appear in the ledger."""

    def __init__(self, contents: Contents, ledger: Ledger) -> None:
        self._contents = contents
        self._ledger = ledger

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        place = request.path.removeprefix(PREFIX).strip("/")
        lists: Mapping[str, Callable[[], Iterable[Mapping[str, Any]]]] = {
            "customers": self._contents.customers,
            "beneficiaries": self._contents.beneficiaries,
            "applications": self._contents.applications,
            "documents": self._contents.documents,
            "arrivals": self._arrivals,
        }
        if request.method == "GET" and place in lists:
            return await _streamed(request, lists[place]())
        if request.method == "GET" and place == "ledger":
            return self._numbers(request)
        if request.method == "GET" and place in {"", "customers.html"}:
            text = self._customers(request) if place else numbers_page(self._tables())
            return web.Response(text=text, content_type="text/html", headers=HEADERS)
        return web.Response(status=404, body=b'{"errorCode":"EMU_NO_SUCH_PATH"}', content_type="application/json")

    def _numbers(self, request: web.BaseRequest) -> web.Response:
        try:
            per_s = float(request.query.get("per_s", "1"))
        except ValueError:
            per_s = 0.0
        if not 0 < per_s < 1e9:
            return web.Response(status=400, body=b'{"errorCode":"EMU_VALIDATION"}', content_type="application/json")
        return web.Response(body=encoded(self.numbers(per_s)), content_type="application/json")

    def numbers(self, per_s: float) -> dict[str, Any]:
        """Give all counts; `largest_window` is for a window of `per_s` seconds."""
        ledger = self._ledger
        return {
            "requests": ledger.requests,
            "counts": ledger.counts(),
            "codes": dict(ledger.codes),
            "faults": dict(ledger.faults),
            "customers": self._contents.counts()["customers"],
            "commits": ledger.commits,
            "committed": dict(ledger.committed),
            "stored": self._contents.counts(),
            "duplicates": self._contents.duplicates(),
            "repeats": self._contents.repeats(),
            "per_s": per_s,
            "largest_window": ledger.largest_window(per_s),
            "span_s": ledger.span_s(),
            "rate_now": ledger.rate(time.monotonic()),
            "in_flight": ledger.in_flight,
            "most_in_flight": ledger.most_in_flight,
        }

    def _arrivals(self) -> Iterator[Mapping[str, Any]]:
        """Give every recorded request so far; the last ones may still be under way."""
        number, end = 0, self._ledger.requests
        while number < end and (page := self._ledger.page(number, _PAGE_LINES)):
            yield from (arrival._asdict() for arrival in page if arrival.number < end)
            number = page[-1].number + 1

    def _customers(self, request: web.BaseRequest) -> str:
        """Give a page of the customers; one that does not exist is the first."""
        asked, total = request.query.get("page", "1"), self._contents.counts()["customers"]
        number = int(asked) if asked.isdecimal() and len(asked) < 10 else 1
        offset = (number - 1) * ROWS_PER_PAGE
        number, offset = (number, offset) if 0 <= offset < total else (1, 0)
        return customers_page(self._contents.newest_customers(ROWS_PER_PAGE, offset), total, number)

    def _tables(self) -> dict[str, dict[str, float]]:
        ledger = self._ledger
        totals: dict[str, float] = {
            **self._contents.counts(),
            **{f"done since the start: {kind}": count for kind, count in sorted(ledger.committed.items())},
            "requests": ledger.requests,
            "requests in the last second": ledger.rate(time.monotonic()),
            "under way": ledger.in_flight,
            "most under way at once": ledger.most_in_flight,
        }
        answers = {f"{kind}: {status}": n for kind, row in ledger.counts().items() for status, n in row.items()}
        last = {f"{place}. {code}": status for place, (status, code) in enumerate(reversed(ledger.last_codes), 1)}
        return {"Now": totals, "Answers": {**answers}, "Faults": {**ledger.faults}, "Last errors": {**last}}


async def _streamed(request: web.BaseRequest, objects: Iterable[Mapping[str, Any]]) -> web.StreamResponse:
    """Send objects as JSON, one a line."""
    stream = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await stream.prepare(request)
    remaining = iter(objects)
    while page := list(islice(remaining, _PAGE_LINES)):
        await stream.write(b"".join(encoded(one) + b"\n" for one in page))
    await stream.write_eof()
    return stream
