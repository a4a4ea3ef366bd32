"""The emulator's own pages: a page for people, and the ledger and all stored objects for tests.

The page for people, the ledger and the arrivals hold no personal data. The lists of objects do; like everything here
they are served to loopback only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from itertools import islice
from typing import Any

from aiohttp import web

from importer.emulator.answers import encoded
from importer.emulator.contents import Contents
from importer.emulator.ledger import Ledger

PREFIX = "/_emulator"
_PAGE_LINES = 1_000

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>RocketKOR emulator</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem}}
table{{border-collapse:collapse;margin:0 0 1.5rem}}td,th{{border:1px solid #bbb;padding:.2rem .7rem;text-align:left}}
td:last-child{{text-align:right;font-variant-numeric:tabular-nums}}@media(prefers-color-scheme:dark){{body{{background:
#161616;color:#eee}}}}</style></head>
<body><h1>RocketKOR emulator</h1><p>A local server: nothing here reaches a real system.</p>
{tables}
<p>For programs: <a href="/_emulator/ledger?per_s=1">ledger</a>, <a href="/_emulator/arrivals">arrivals</a>,
<a href="/_emulator/customers">customers</a>, <a href="/_emulator/beneficiaries">beneficiaries</a>,
<a href="/_emulator/applications">applications</a>, <a href="/_emulator/documents">documents</a></p>
</body></html>
"""


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
        if request.method == "GET" and not place:
            return web.Response(text=_PAGE.format(tables="\n".join(self._tables())), content_type="text/html")
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

    def _tables(self) -> list[str]:
        ledger = self._ledger
        totals = {
            **self._contents.counts(),
            **{f"done since the start: {kind}": count for kind, count in sorted(ledger.committed.items())},
            "requests": ledger.requests,
            "requests in the last second": ledger.rate(time.monotonic()),
            "under way": ledger.in_flight,
            "most under way at once": ledger.most_in_flight,
        }
        answers = {f"{kind}: {status}": n for kind, row in ledger.counts().items() for status, n in row.items()}
        last = {f"{place}. {code}": status for place, (status, code) in enumerate(reversed(ledger.last_codes), 1)}
        named = {"Now": totals, "Answers": answers, "Faults": dict(ledger.faults), "Last errors": last}
        return [_table(title, rows) for title, rows in named.items()]


async def _streamed(request: web.BaseRequest, objects: Iterable[Mapping[str, Any]]) -> web.StreamResponse:
    """Send objects as JSON, one a line."""
    stream = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await stream.prepare(request)
    remaining = iter(objects)
    while page := list(islice(remaining, _PAGE_LINES)):
        await stream.write(b"".join(encoded(one) + b"\n" for one in page))
    await stream.write_eof()
    return stream


def _table(title: str, rows: dict[str, int]) -> str:
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{value}</td></tr>" for name, value in rows.items())
    return f"<h2>{title}</h2><table>{lines or '<tr><td>none</td></tr>'}</table>"
