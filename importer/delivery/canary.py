"""A few rows first: one, then some, then the rest, with a look at what came back in between.

Is called before the journal and gives no row of the next stage before the last one is settled. Where
a stage brings an error that is new to the run, or a much larger share of refusals, a person is asked. Without a
person to ask, the run stops with the rest unsent, and a resume goes on. The
rest flows freely, and is watched in blocks: when the share of refusals jumps in one, no more rows are handed out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from importer.core.outcomes import Claimed, Outcome
from importer.core.ports import Claims
from importer.core.states import RowState
from importer.delivery.stops import StopSwitch

JUMP = 0.2
"""A share of refused rows that is this much larger than the largest one agreed to is a jump."""
BLOCK_ROWS = 50
"""Rows of the rest that are judged together."""
_ENOUGH_ROWS = 5
"""The share of fewer rows than this says nothing."""
_BAD = frozenset({RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN})

Ask = Callable[[str], Awaitable[bool]]
"""Puts a question to a person, who may say yes or no."""


class Canary:
    """Implements `ports.Claims` in front of another one.

    Args:
        rows: rows of the second stage; the first is a single one.
        ask: None: no person can be asked.
        before: what `seen` gave in an earlier pass of the run; empty where there was none. To resume is to agree.
        undo: the command that lists what the run has created; empty: it cannot be taken back.
        rest: only the rest is watched: the first rows were sent before, elsewhere.

    Attributes:
        ends_with_stages: the rest is sent elsewhere, and no row of it is handed out.
    """

    def __init__(
        self,
        claims: Claims,
        rows: int,
        stop: StopSwitch,
        *,
        ask: Ask | None = None,
        before: Mapping[str, Any] = MappingProxyType({}),
        undo: str = "",
        rest: bool = False,
    ) -> None:
        self.ends_with_stages = False
        self._claims = claims
        self._stages = [-1] if rest else [1, rows]
        self._stop = stop
        self._ask = ask
        self._undo = undo
        self._known = set(before.get("codes", ()))
        self._agreed_share = self._largest_share = float(before.get("share", 0.0))
        self._left = self._stages.pop(0)
        """Rows that this stage may still hand out; below 0: it is the rest, which has no end."""
        self._out = 0
        self._settled = asyncio.Event()
        self._all = self._created = 0
        self._rows = self._bad = 0
        """Of the stage, or of the block."""
        self._codes: Counter[str] = Counter()
        self._jumped = ""

    async def claim(self, limit: int) -> Claimed:
        if self._left == 0:
            await self._finish_stage()
        elif self._jumped:
            await self._judge(self._jumped)
        if self._stop.requested or (self.ends_with_stages and self._left < 0):
            return Claimed()
        claimed = await self._claims.claim(min(limit, self._left) if self._left > 0 else limit)
        if self._left > 0:
            self._left -= len(claimed.records)
        self._out += len(claimed.records)
        return claimed

    def settle(self, outcome: Outcome) -> None:
        self._claims.settle(outcome)
        self._out -= 1
        self._all += 1
        self._rows += 1
        self._created += outcome.state is RowState.CREATED
        if outcome.state in _BAD:
            self._bad += 1
            self._codes.update({error.code for error in outcome.errors})
        if self._left < 0 and self._rows >= BLOCK_ROWS and not self._jumped:
            self._finish_block()
        self._settled.set()

    def _finish_block(self) -> None:
        self._jumped = self._jump()
        if not self._jumped:
            self._rows = self._bad = 0

    async def _finish_stage(self) -> None:
        while self._out > 0:
            self._settled.clear()
            await self._settled.wait()
        jump = self._jump()
        await self._judge(self._news() or jump)
        self._left = self._stages.pop(0) if self._stages else -1

    async def _judge(self, problem: str) -> None:
        """Ask about it, or stop; what is agreed to does not stop it again."""
        if problem and not self._stop.requested:
            if not await self._agreed(f"{problem} Send the rest?"):
                hint = "The rest was not sent; look at the results, then resume the run"
                undo = f", or take back what it created: `{self._undo}`." if self._undo and self._created else "."
                self._stop.request("canary", f"{problem} {hint}{undo}")
                return
            self._known |= set(self._codes)
            self._agreed_share = self._largest_share
        self._rows = self._bad = 0
        self._jumped = ""

    async def _agreed(self, question: str) -> bool:
        """Ask, where a person can be asked; a run that is stopped meanwhile needs no answer."""
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
        """What a later pass of the same run should know, in JSON types: the errors met, the largest share refused."""
        return {"codes": sorted({*self._known, *self._codes}), "share": self._largest_share}

    def _news(self) -> str:
        new = {code: count for code, count in self._codes.items() if code not in self._known}
        if not new:
            return ""
        named = ", ".join(f"{code} ({count})" for code, count in sorted(new.items()))
        first = f"{self._all:,} rows" if self._all > 1 else "row"
        return f"The first {first} met errors that are new here: {named}."

    def _jump(self) -> str:
        if self._rows < _ENOUGH_ROWS:
            return ""
        share = self._bad / self._rows
        self._largest_share = max(self._largest_share, share)
        if share <= self._agreed_share + JUMP:
            return ""
        return f"Of the last {self._rows:,} rows {self._bad:,} were refused, a far larger share than before."
