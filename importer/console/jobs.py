"""Checks and runs that are under way in this process: begun, watched, stopped, each by who may. Each is one task.

What a job does is decided below, in `runs`; what became of it is in the journal, whatever happens to the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from importer.console.access import Role, Session
from importer.console.live import Live
from importer.core.errors import ImporterError
from importer.core.ports import Clock
from importer.delivery import StopSwitch

_log = structlog.stdlib.get_logger(__name__)


@dataclass(eq=False)
class Job:
    """One check or run.

    Args:
        key: what it is about: the id of a draft or of a run.
        user: who began it.
        role: what somebody who stops it has to be allowed.
        error: why it could not be done; None: it is not done, or well done.
    """

    key: str
    user: str
    role: Role
    live: Live
    stop: StopSwitch = field(default_factory=StopSwitch)
    error: ImporterError | None = None
    is_broken: bool = False
    """Whether it ended with a bug, which is in the log."""
    task: asyncio.Task[None] | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.task is None or self.task.done()

    def stop_by(self, session: Session) -> None:
        """Stop it cleanly.

        Raises:
            RefusedError: somebody may not.
        """
        session.require(self.role)
        self.stop.request("sigint")

    def answer_by(self, session: Session, *, yes: bool) -> bool:
        """Answer its question; returns whether there was one.

        Raises:
            RefusedError: somebody may not.
        """
        session.require(Role.RUN)
        question = self.live.question
        if question is not None:
            question.answer(yes=yes)
        return question is not None

    async def follow(self, work: Coroutine[Any, Any, object]) -> None:
        """Do the work, and keep how it ended."""
        try:
            await work
        except ImporterError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  # nobody awaits the task: the page says it
            self.is_broken = True
            _log.error("bug", exc_info=error)


Work = Callable[[Job], Coroutine[Any, Any, object]]


class Jobs:
    """The jobs of this process, one for each draft or run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}

    def find(self, key: str) -> Job | None:
        """The newest job about a draft or a run; None: there was none since the console began.

        Args:
            key: what it is about, or the id of the run that it has begun.
        """
        by_run = (job for job in reversed(self._jobs.values()) if job.live.run_id == key)
        return self._jobs.get(key) or next(by_run, None)

    def begin(self, key: str, session: Session, role: Role, work: Work) -> Job:
        """Begin a job; where one about the same is under way, that goes on, and is returned.

        Args:
            role: what it takes to do this, and to stop it.
            work: given the job, whose `live` gets its events and whose `stop` stops it.

        Raises:
            RefusedError: somebody may not.
        """
        session.require(role)
        found = self.find(key)
        if found is not None and not found.is_done:
            return found
        job = Job(key, session.user, role, Live(self._clock.monotonic, self._clock.now))
        self._jobs.pop(key, None)
        self._jobs[key] = job
        job.task = asyncio.create_task(job.follow(work(job)))
        return job

    def forget(self, key: str) -> None:
        """Forget a job that has ended, so that another one can begin."""
        if (job := self._jobs.get(key)) is not None and job.is_done:
            del self._jobs[key]

    async def stop_all(self) -> None:
        """Stop every job cleanly, and wait for that."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        for job in self._jobs.values():
            job.stop.request("sigterm")
        if tasks:
            await asyncio.wait(tasks)
