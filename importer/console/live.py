"""What a run does at this moment, from its events: counts, requests a second, errors by kind, pauses, its question."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from importer.core.events import Event
from importer.observe.sinks import Data, Sink
from importer.observe.tally import Tally

SECONDS = 120
"""For how long the requests of each second are kept."""
_PAUSES = 50
_GOOD = frozenset({"accept"})


class Question:
    """A question of a run, until somebody answers it.

    Args:
        text: a sentence for people.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def answer(self, *, yes: bool) -> None:
        """Answer it; the first answer counts."""
        if not self._answer.done():
            self._answer.set_result(yes)

    async def answered(self) -> bool:
        """Wait for the answer."""
        return await self._answer


class Live(Sink):
    """Follows one run.

    Args:
        monotonic: seconds that never go backwards.
        now: seconds since the epoch.
    """

    def __init__(self, monotonic: Callable[[], float], now: Callable[[], float]) -> None:
        self._now = now
        self.tally = Tally(monotonic, now)
        self.run_id = ""
        self.requests: deque[tuple[int, int]] = deque(maxlen=SECONDS)
        """Seconds since the epoch, and how many requests ended in each."""
        self.refusals: Counter[str] = Counter()
        """Answers that created nothing, by their code."""
        self.pauses: deque[tuple[float, float, str]] = deque(maxlen=_PAUSES)
        """When, for how many seconds, and why."""
        self.question: Question | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self.tally(event)
        super().__call__(event)

    def on_run_started(self, data: Data) -> None:
        self.run_id = str(data["run_id"])

    def on_delivery_started(self, data: Data) -> None:
        self.run_id = str(data["run_id"])

    def on_request_done(self, data: Data) -> None:
        second = int(self._now())
        if self.requests and self.requests[-1][0] == second:
            self.requests[-1] = (second, self.requests[-1][1] + 1)
        else:
            self.requests.append((second, 1))
        if data["verdict"] not in _GOOD:
            self.refusals[str(data["code"] or data["status"] or data["verdict"])] += 1

    def on_paused(self, data: Data) -> None:
        self.pauses.append((self._now(), float(data.get("seconds") or 0.0), str(data.get("reason") or "")))

    async def ask(self, text: str) -> bool:
        """Put a question to whoever looks at the run."""
        self.question = Question(text)
        try:
            return await self.question.answered()
        finally:
            self.question = None

    def each_second(self, count: int) -> list[tuple[int, int]]:
        """The requests of the last seconds, the oldest first; the one that is not over yet is left out."""
        ended, known = int(self._now()), dict(self.requests)
        return [(second, known.get(second, 0)) for second in range(ended - count, ended)]
