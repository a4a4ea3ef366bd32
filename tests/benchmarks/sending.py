"""Sends ready-made bodies with the importer's own parts, with its journal or with none.

Usage: python -m tests.benchmarks.sending BASE_URL BODIES FOLDER journal|none CONCURRENCY, credentials in the
environment. Prints rows per second and the longest time that the event loop was blocked.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import uvloop

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.events import Event
from importer.core.frames import raw_batch
from importer.core.outcomes import Claimed, Outcome, Record
from importer.core.ports import Claims
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.delivery import StopSwitch
from importer.journal import RunHeader, StoredRun
from importer.profile import Profile
from importer.runs.wiring import SystemClock, Workspace, destination, open_target, open_workspace
from importer.runs.wiring.sending import Sender, delivering, limiter_for
from tests.benchmarks.heart import Heart

_BATCH_ROWS = 4_096


class NoJournal:
    """Hands out records and forgets how they ended. Implements `ports.Journal`."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = iter(records)
        self.created = 0

    async def claim(self, limit: int) -> Claimed:
        """Take the next records."""
        return Claimed(tuple(record for _, record in zip(range(limit), self._records, strict=False)))

    def settle(self, outcome: Outcome) -> None:
        """Count what was created."""
        self.created += outcome.state is RowState.CREATED


def _ignore(_: Event) -> None:
    """Nobody listens."""


def _loaded(workspace: Workspace, scope: str, bodies: Sequence[bytes]) -> StoredRun:
    """Register a run whose rows are ready to be sent."""
    header = RunHeader("20261122T083000Z-00000a", scope, "sandbox", "a", "/a", "0", "0", dry_run=False, started_at=1.0)
    stored = workspace.runs.begin(header)
    intake = workspace.journal.intake(stored.run, CUSTOMERS)
    for first in range(0, len(bodies), _BATCH_ROWS):
        mine = bodies[first : first + _BATCH_ROWS]
        raw = raw_batch(first, range(first + 2, first + 2 + len(mine)), ([""] * len(mine),))
        intake.load(raw)
        intake.record(CheckedBatch(raw, mine, [_key(body) for body in mine], [""] * len(mine)))
    intake.judged(DuplicateVerdict())
    return stored


def _key(body: bytes) -> str:
    return str(json.loads(body)["metadata"]["importKey"])


async def main(base_url: str, bodies: Sequence[bytes], folder: Path, memory: str, concurrency: int) -> None:
    """Send every body."""
    options = {
        "target": "sandbox",
        "targets": {"sandbox": {"base_url": base_url}},
        "workspace": folder,
        "delivery.rate": "1000000/s",
        "delivery.concurrency": concurrency,
        "delivery.canary": 0,
    }
    profile = Profile.load(options=options, environ={})
    clock, stop = SystemClock(), StopSwitch()
    where = destination(profile, os.environ)
    heart = Heart()
    with closing(open_workspace(folder)) as workspace:
        stored = _loaded(workspace, where.scope, bodies)
        limiter = limiter_for(profile, clock, stop)
        async with open_target(profile, where, limiter, clock) as target:
            parts = delivering(profile, workspace, stored, target, limiter, sender=Sender(_ignore))
            records = [Record(at, at + 2, _key(body), body) for at, body in enumerate(bodies)]
            claims: Claims = parts.delivery.claims if memory == "journal" else NoJournal(records)
            beating = asyncio.create_task(heart.beat())
            started = time.perf_counter()
            await replace(parts.delivery, claims=claims).run()
            if memory == "journal":
                await parts.journal.flush()
            taken_s = time.perf_counter() - started
            beating.cancel()
    reported = {"per_s": len(bodies) / taken_s, "longest_block_ms": heart.longest_s * 1e3}
    sys.stdout.write(json.dumps(reported) + "\n")


def run(base_url: str, path: str, folder: str, memory: str, concurrency: str) -> None:
    """Read the bodies and send them."""
    bodies = Path(path).read_bytes().splitlines()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(base_url, bodies, Path(folder), memory, int(concurrency)))


run(*sys.argv[1:])
