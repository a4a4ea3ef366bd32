"""Why a run takes no more rows: a signal, too many errors, a broken target, a refused login, the end of its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from importer.core.outcomes import Outcome
from importer.core.ports import Clock
from importer.core.states import RowState

_BAD = (RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN)


class StopSwitch:
    """The flag that everyone reads and few may set. The first reason stays. Implements `ports.Stop`."""

    def __init__(self) -> None:
        self._reason = ""
        self._set = asyncio.Event()
        self.message = ""

    @property
    def requested(self) -> bool:
        return bool(self._reason)

    @property
    def reason(self) -> str:
        return self._reason

    def request(self, reason: str, message: str = "") -> None:
        """Ask for no further rows.

        Args:
            reason: one word: `sigint`, `sigterm`, `max_errors`, `max_error_rate`, `fail_fast`, `breaker`, `canary`,
                `access`, `window`, `quota`.
            message: one sentence for people.
        """
        if not self._reason:
            self._reason = reason
            self.message = message
            self._set.set()

    async def wait(self) -> None:
        """Wait until a stop is requested."""
        await self._set.wait()


@dataclass(slots=True)
class Thresholds:
    """Watches outcomes, and stops the run when they say that going on does harm.

    Args:
        max_errors: stop after more than this many rejected, failed or unknown rows; None: never.
        max_error_rate: stop when a larger share of the settled rows is; None: never.
        sample: settled rows before the share is judged.
        fail_fast: stop at the first one.
    """

    stop: StopSwitch
    max_errors: int | None = None
    max_error_rate: float | None = None
    sample: int = 50
    fail_fast: bool = False
    _settled: int = 0
    _bad: int = 0
    _settled_by_others: int = 0
    _bad_by_others: int = 0

    def settled(self, outcome: Outcome) -> None:
        """Count one outcome; after a stop rows end for that reason alone."""
        if self.stop.requested:
            return
        self._settled += 1
        if outcome.state in _BAD:
            self._bad += 1
            self._judge()

    @property
    def own(self) -> tuple[int, int]:
        """How many rows were settled here, and how many of them were refused, failed or are unknown."""
        return self._settled, self._bad

    def count_others(self, settled: int, bad: int) -> None:
        """Count what other workers have settled up to now, and how much of it was refused, failed or is unknown."""
        more = bad > self._bad_by_others
        self._settled_by_others, self._bad_by_others = settled, bad
        if more:
            self._judge()

    def _judge(self) -> None:
        settled, bad = self._settled + self._settled_by_others, self._bad + self._bad_by_others
        if self.fail_fast:
            self.stop.request("fail_fast", "A row was refused, and --fail-fast is on.")
        elif self.max_errors is not None and bad > self.max_errors:
            self.stop.request("max_errors", f"More than {self.max_errors} rows were refused, failed or are unknown.")
        elif self.max_error_rate is not None and settled >= self.sample and bad / settled > self.max_error_rate:
            text = f"{bad / settled:.0%} of the rows sent so far were refused, failed or are unknown."
            self.stop.request("max_error_rate", text)


_PIECE_S = 30.0
"""The wall clock may be set while we wait, so a long wait is slept in pieces."""


@asynccontextmanager
async def closing_at(moment: float | None, stop: StopSwitch, clock: Clock, message: str) -> AsyncIterator[None]:
    """Request a stop for the reason `window` when the moment comes while the block runs.

    Args:
        moment: seconds since the epoch; None: never.
        message: one sentence for people.
    """
    if moment is None:
        yield
        return
    watch = asyncio.create_task(_close(moment, stop, clock, message), name="closing")
    try:
        yield
    finally:
        watch.cancel()


async def _close(moment: float, stop: StopSwitch, clock: Clock, message: str) -> None:
    while (left_s := moment - clock.now()) > 0:
        await clock.sleep(min(left_s, _PIECE_S))
    stop.request("window", message)


@asynccontextmanager
async def stopped_with(stop: StopSwitch, to: StopSwitch) -> AsyncIterator[None]:
    """Pass a stop on while the block runs."""

    async def pass_on() -> None:
        await stop.wait()
        to.request(stop.reason, stop.message)

    task = asyncio.create_task(pass_on(), name="passing-on")
    try:
        yield
    finally:
        task.cancel()
