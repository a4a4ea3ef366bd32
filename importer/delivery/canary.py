"""A few rows first: one, then some, then the rest, with a look at what came back in between.

Stands in front of the journal and hands out no row of the next stage before the last one is settled. Where
a stage brings an error that nobody has seen, or a much larger share of refusals, a person is asked; where there
is none to ask, the run stops with the rest unsent, and `importer resume` goes on once somebody has looked.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from importer.delivery.stops import StopSwitch
from importer.ports import Journal
from importer.records import Claimed, Outcome, RowState

JUMP = 0.2
"""A share of refused rows that is this much larger than before is a jump."""
_ENOUGH_ROWS = 5
"""Fewer rows than this have no share worth judging."""
_BAD = frozenset({RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN})

Ask = Callable[[str], Awaitable[bool]]
"""Puts a question to a person, who may say yes or no."""


class Canary:
    """Implements `ports.Journal` in front of another one.

    Args:
        rows: rows of the second stage; the first is a single one.
        ask: None: there is nobody to ask.
        before: what `seen` gave in an earlier pass of the run; empty where there was none.
    """

    def __init__(
        self,
        journal: Journal,
        rows: int,
        stop: StopSwitch,
        *,
        ask: Ask | None = None,
        before: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._journal = journal
        self._stages = [1, rows]
        self._stop = stop
        self._ask = ask
        self._known = set(before.get("codes", ()))
        self._share = float(before.get("share", 0.0))
        self._left = self._stages.pop(0)
        self._out = 0
        self._settled = asyncio.Event()
        self._states: Counter[bool] = Counter()
        self._codes: Counter[str] = Counter()

    async def claim(self, limit: int) -> Claimed:
        if self._left == 0:
            await self._finish_stage()
            if self._stop.requested:
                return Claimed()
        claimed = await self._journal.claim(min(limit, self._left) if self._left > 0 else limit)
        if self._left > 0:
            self._left -= len(claimed.records)
            self._out += len(claimed.records)
        return claimed

    async def settle(self, outcome: Outcome) -> None:
        await self._journal.settle(outcome)
        self._out -= 1
        is_bad = outcome.state in _BAD
        self._states[is_bad] += 1
        if is_bad:
            self._codes.update({error.code for error in outcome.errors})
        self._settled.set()

    async def _finish_stage(self) -> None:
        while self._out > 0:
            self._settled.clear()
            await self._settled.wait()
        await self._judge()
        self._left = self._stages.pop(0) if self._stages else -1

    async def _judge(self) -> None:
        trouble = self._trouble()
        if not trouble or self._stop.requested:
            return
        if await self._agreed(f"{trouble} Send the rest?"):
            self._known |= set(self._codes)
            self._share = self._share_now
            return
        self._stop.request(
            "canary", f"{trouble} The rest was not sent; look at the results, then `importer resume` goes on."
        )

    async def _agreed(self, question: str) -> bool:
        """Ask, where there is somebody; a run that is stopped meanwhile needs no answer."""
        if self._ask is None:
            return False
        asking = asyncio.ensure_future(self._ask(question))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return asking.done() and asking.result()
        finally:
            asking.cancel()
            stopping.cancel()

    def seen(self) -> dict[str, Any]:
        """What a later pass of the same run should know, in JSON types: the errors met and the share of refusals."""
        return {"codes": sorted({*self._known, *self._codes}), "share": self._share_now}

    @property
    def _share_now(self) -> float:
        return self._states[True] / max(1, self._states.total())

    def _trouble(self) -> str:
        rows, bad = self._states.total(), self._states[True]
        new = {code: count for code, count in self._codes.items() if code not in self._known}
        if new:
            named = ", ".join(f"{code} ({count})" for code, count in sorted(new.items()))
            return f"The first {rows:,} rows met errors that are new here: {named}."
        if rows >= _ENOUGH_ROWS and self._share_now > self._share + JUMP:
            return f"Of the first {rows:,} rows {bad:,} were refused, a far larger share than before."
        return ""
