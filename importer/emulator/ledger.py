"""The ledger of what really arrived: every request, when, of what kind, and how it ended.

Tests trust it. Counts are exact; single arrivals are kept in flat arrays (31 bytes each), the newest millions of them.
No personal data: a path is kept without its values.
"""

from __future__ import annotations

import bisect
import uuid
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

UNDER_WAY = -1
"""The status of a request that is not answered yet."""
DROPPED = 0
"""The status of a request whose connection was cut instead of being answered."""
_NO_ID = bytes(16)


class Arrival(NamedTuple):
    """One request.

    Args:
        number: from 0, over all kinds.
        at_s: when it was first seen, on the monotonic clock.
        path: with `{id}` in the place of an id, and without the query.
        kind: one of `faults.KINDS`.
        status: of the answer that was sent, or `UNDER_WAY`, or `DROPPED`.
        fault: the faults that hit it, joined by `+`; empty for none.
        customer_id: the customer that it created; empty for none.
        committed_id: what it created or uploaded, of whatever kind; for limits, their customer; empty for nothing.
    """

    number: int
    at_s: float
    method: str
    path: str
    kind: str
    status: int
    fault: str
    customer_id: str
    committed_id: str


class _Names:
    """A few different texts, each stored once."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": 0}
        self._texts: list[str] = [""]

    def code(self, text: str) -> int:
        found = self._codes.get(text)
        if found is None:
            found = self._codes[text] = len(self._texts)
            self._texts.append(text)
        return found

    def __getitem__(self, code: int) -> str:
        return self._texts[code]


class Ledger:
    """Every request of one server's life.

    Args:
        keep: how many single arrivals are kept at least; older ones remain in the counts.
    """

    def __init__(self, keep: int = 4_000_000) -> None:
        self._keep = keep
        self._first = 0
        self._times = array("d")
        self._routes = array("H")
        self._statuses = array("h")
        self._faults = array("H")
        self._committed_ids = bytearray()
        self._names = _Names()
        self._counts: Counter[tuple[str, int]] = Counter()
        self.requests = 0
        self.committed: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.faults: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.last_codes: deque[tuple[int, str]] = deque(maxlen=10)

    # ------------------------------------------------------------------ what the server records

    def arrive(self, at_s: float, kind: str, method: str, path: str) -> int:
        """Record a request as soon as it is seen, and give it its number."""
        number = self.requests
        self.requests += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._counts[kind, UNDER_WAY] += 1
        self._times.append(at_s)
        self._routes.append(self._names.code(f"{kind} {method} {path}"))
        self._statuses.append(UNDER_WAY)
        self._faults.append(0)
        self._committed_ids += _NO_ID
        if len(self._times) >= 2 * self._keep:
            self._forget(self._keep)
        return number

    def commit(self, number: int, object_id: str, kind: str = "create") -> None:
        """Record that what a request asked for is durable, before any answer.

        Args:
            object_id: of what was created or uploaded; for limits, of their customer.
        """
        self.committed[kind] += 1
        place = number - self._first
        if place >= 0:
            self._committed_ids[16 * place : 16 * place + 16] = uuid.UUID(object_id).bytes

    def settle(self, number: int, kind: str, status: int, *, code: str = "", faults: tuple[str, ...] = ()) -> None:
        """Record how a request ended."""
        self.in_flight -= 1
        self._counts[kind, UNDER_WAY] -= 1
        self._counts[kind, status] += 1
        self.faults.update(faults)
        if code:
            self.codes[code] += 1
            self.last_codes.append((status, code))
        place = number - self._first
        if place >= 0:
            self._statuses[place] = status
            self._faults[place] = self._names.code("+".join(faults))

    def _forget(self, count: int) -> None:
        for column in (self._times, self._routes, self._statuses, self._faults):
            del column[:count]
        del self._committed_ids[: 16 * count]
        self._first += count

    # ------------------------------------------------------------------ what tests read

    def __len__(self) -> int:
        return self.requests

    def __iter__(self) -> Iterator[Arrival]:
        """Give the kept arrivals, oldest first."""
        return (self._arrival(place) for place in range(len(self._times)))

    def page(self, number: int, size: int) -> list[Arrival]:
        """Give up to `size` kept arrivals from a number on, oldest first."""
        first = max(number - self._first, 0)
        return [self._arrival(place) for place in range(first, min(first + size, len(self._times)))]

    def _arrival(self, place: int) -> Arrival:
        kind, method, path = self._names[self._routes[place]].split(" ", 2)
        content = bytes(self._committed_ids[16 * place : 16 * place + 16])
        committed_id = "" if content == _NO_ID else str(uuid.UUID(bytes=content))
        return Arrival(
            number=self._first + place,
            at_s=self._times[place],
            method=method,
            path=path,
            kind=kind,
            status=self._statuses[place],
            fault=self._names[self._faults[place]],
            customer_id=committed_id if kind == "create" else "",
            committed_id=committed_id,
        )

    @property
    def commits(self) -> int:
        """How many customers were created."""
        return self.committed["create"]

    def created_ids(self) -> list[str]:
        """Give the ids of the committed customers in the order in which their requests arrived."""
        return self.committed_ids("create")

    def committed_ids(self, kind: str) -> list[str]:
        """Give the ids of what requests of a kind committed, in the order of arrival; for limits, of customers."""
        return [arrival.committed_id for arrival in self if arrival.kind == kind and arrival.committed_id]

    def counts(self) -> dict[str, dict[str, int]]:
        """Count requests per kind and status; `dropped` and `under way` are not a status."""
        words = {DROPPED: "dropped", UNDER_WAY: "under way"}
        table: dict[str, dict[str, int]] = {}
        for (kind, status), count in sorted(self._counts.items()):
            if count:
                table.setdefault(kind, {})[words.get(status, str(status))] = count
        return table

    def count(self, kind: str, status: int | None = None) -> int:
        """Count requests of a kind, of one status or of all."""
        return sum(count for (of, ended), count in self._counts.items() if of == kind and status in {None, ended})

    def largest_window(self, per_s: float) -> int:
        """Find the largest number of arrivals, of all kinds, in any rolling window.

        Args:
            per_s: length of the window in seconds; its end is not part of it.
        """
        times, largest, start = self._times, 0, 0
        for end, moment in enumerate(times):
            while moment - times[start] >= per_s:
                start += 1
            largest = max(largest, end - start + 1)
        return largest

    def span_s(self) -> float:
        """Give the seconds between the first and the last kept arrival."""
        return self._times[-1] - self._times[0] if self._times else 0.0

    def rate(self, now_s: float, per_s: float = 1.0) -> int:
        """Count the arrivals of the last seconds."""
        return len(self._times) - bisect.bisect_left(self._times, now_s - per_s)
