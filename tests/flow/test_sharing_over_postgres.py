"""Processes that send to one account share its rate over a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from importer.delivery import StopSwitch, StrictLimiter, Window
from importer.delivery.sharing import Participant
from importer.journal import keep_elsewhere
from importer.runs.wiring import SystemClock, open_workspace
from importer.runs.wiring.sharing import sharing
from tests.contracts.journals import SCOPE
from tests.postgres import Server, own_server
from tests.unit.delivery.starting import largest_window, start

RATE, PATIENCE_S = 40, 120.0


class Sender:
    """One process: it starts what it may, and notes when."""

    def __init__(self, workspace: Path, number: int, url: str) -> None:
        self._workspace, self._who = workspace, Participant(f"w{number}", "run", begins=not number)
        self.limiter = StrictLimiter([Window(RATE, 1.0)], SystemClock(), StopSwitch())
        self.starts: list[float] = []
        keep_elsewhere(workspace, url)

    async def send(self) -> None:
        with closing(open_workspace(self._workspace)) as workspace:
            async with sharing(workspace, SCOPE, self.limiter, self._who):
                while True:
                    self.starts.append(await start(self.limiter))

    async def sends(self, further: int) -> None:
        """Wait until it has started so many more."""
        wanted = len(self.starts) + further
        async with asyncio.timeout(PATIENCE_S):
            while len(self.starts) < wanted:
                await SystemClock().sleep(0.05)


@asynccontextmanager
async def sending(senders: Sequence[Sender]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.send()) for one in senders]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.slow
async def test_two_share_the_rate_go_on_after_a_restart_of_the_server_and_one_takes_all_when_the_other_leaves(
    tmp_path: Path,
) -> None:
    with own_server() as server:
        senders = [Sender(tmp_path / str(number), number, server.database()) for number in range(1)]
        senders.append(Sender(tmp_path / "1", 1, server.url("test_1")))
        async with sending(senders[:1]):
            await senders[0].sends(10)
            async with sending(senders[1:]):
                await asyncio.gather(*(one.sends(20) for one in senders))
                await restart(server)
                await asyncio.gather(*(one.sends(20) for one in senders))
            await senders[0].sends(2 * RATE)

        scopes = server.asked("SELECT scope FROM importer.shared_sending", "test_1")

    assert largest_window(sorted(senders[0].starts + senders[1].starts), 1.0) <= RATE
    assert scopes == [(SCOPE,)]


async def restart(server: Server) -> None:
    await asyncio.to_thread(server.stop, "immediate")
    await asyncio.to_thread(server.start)
