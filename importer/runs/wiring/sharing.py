"""Sending together with others over the journal: puts the ledger's pure function and the journal's text together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from importer.core.runtime import in_a_thread
from importer.delivery import StrictLimiter
from importer.delivery.sharing import Allowed, Limit, Moment, Participant, Report, SharedSending, exchange
from importer.journal import LedgerTime
from importer.runs.wiring.clock import SystemClock
from importer.runs.wiring.workspace import Workspace


@asynccontextmanager
async def sharing(
    workspace: Workspace, scope: str, limiter: StrictLimiter, who: Participant
) -> AsyncIterator[SharedSending]:
    """Send together with others while the block lasts: nothing starts but within the share of this process.

    To be opened before the target is, whose token exchange counts as well.

    Args:
        scope: the account that all of them send to.
        who: this process; the first to open a sending begins it, the others have the same text for it.

    Raises:
        UsageError: the journal is a file.
    """
    state = workspace.journal.shared_state(scope)
    limits = [Limit(window.limit, window.per_s) for window in limiter.short_windows]

    async def ask(report: Report) -> Allowed:
        def change(before: str | None, at: LedgerTime) -> tuple[str, Allowed]:
            return exchange(before, report, Moment(at.now, at.server), limits)

        return await in_a_thread(lambda: state.change(change))

    try:
        async with SharedSending(ask, limiter, SystemClock(), _ticks, who) as shared:
            yield shared
    finally:
        await in_a_thread(state.close)


def _ticks() -> float:
    """Seconds that go on while the host sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
