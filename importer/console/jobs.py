"""Checks and runs that are under way in this process: begun, watched, stopped. Each is one task of the event loop.

What a job does is decided below, in `runs`; what became of it is in the journal, whatever happens to the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from importer.core.errors import ImporterError
from importer.core.ports import Clock, Events
from importer.delivery import StopSwitch
from importer.observe.tally import Tally
from importer.results import Report

Work = Callable[[Events, StopSwitch], Coroutine[Any, Any, Report]]


@dataclass(eq=False)
class Job:
    """One check or run.

    Args:
        key: what it is about: the id of a draft or of a run.
        user: who began it.
        tally: its counts, phase and time left, live.
    """

    key: str
    user: str
    tally: Tally
    stop: StopSwitch = field(default_factory=StopSwitch)
    report: Report | None = None
    error: ImporterError | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.task is None or self.task.done()

    async def follow(self, work: Coroutine[Any, Any, Report]) -> None:
        """Do the work, and keep what came of it."""
        try:
            self.report = await work
        except ImporterError as error:
            self.error = error


class Jobs:
    """The jobs of this process, one for each draft or run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}

    def find(self, key: str) -> Job | None:
        """The newest job about a draft or a run; None: there was none since the console began."""
        return self._jobs.get(key)

    def begin(self, key: str, user: str, work: Work) -> Job:
        """Begin a job; where one about the same is under way, that goes on, and is returned.

        Args:
            work: given who gets its events, and what stops it.
        """
        found = self._jobs.get(key)
        if found is not None and not found.is_done:
            return found
        job = self._jobs[key] = Job(key, user, Tally(self._clock.monotonic, self._clock.now))
        job.task = asyncio.create_task(job.follow(work(job.tally, job.stop)))
        return job

    async def stop_all(self) -> None:
        """Stop every job cleanly, and wait for that."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        for job in self._jobs.values():
            job.stop.request("sigterm")
        if tasks:
            await asyncio.wait(tasks)
