"""Signals while a command works: the first one stops it cleanly, and a second one ends the program at once.

A thread that reads, checks or writes cannot be cancelled. So where a stage does not end by itself soon, the program
ends with all its threads, as if it had been killed: the journal is made for that. Only what is being sent is waited
for.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import Enum, auto
from typing import Any, TypeVar

from importer.cli.output import Output, print_error
from importer.core.atomic_files import discard_unfinished
from importer.core.commands import Commands
from importer.core.errors import ExitCode, ImporterError, InterruptedRunError
from importer.core.events import Event
from importer.delivery import StopSwitch

_T = TypeVar("_T")

GRACE_S = 1.0
"""For how long a stage that sends nothing may go on after the first signal."""
_RECORDING_S = 0.5
"""For how long requests in flight may be recorded after the second."""
_REPORTING_S = 0.5
"""For how long the last message may take, where its reader does not read."""

_REASONS = {signal.SIGINT: "sigint", signal.SIGTERM: "sigterm"}


class Stage(Enum):
    """The stage of a command."""

    PREPARING = auto()
    SENDING = auto()
    WRITING = auto()
    BETWEEN = auto()
    """A run is over, and another one may come: notifications are sent, files are archived."""


_STAGES = {
    "file_taken": Stage.PREPARING,
    "run_started": Stage.PREPARING,
    "delivery_started": Stage.SENDING,
    "results_started": Stage.WRITING,
    "run_ended": Stage.BETWEEN,
    "file_done": Stage.BETWEEN,
}
"""The stage that begins with an event."""


class CutShortError(ImporterError):
    """The run was stopped at once.

    Args:
        code: of the signal.
        message: what was cut short.
        hint: how to go on.
    """

    def __init__(
        self,
        code: ExitCode,
        message: str = "Stopped at once; rows in flight will be looked up.",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.exit_code = code


class Interruption:
    """A sink of events that follows the stage of a command, and obeys signals accordingly.

    Args:
        output: how the end is reported.
        commands: composes the command that goes on.
        leave: restores the terminal.
    """

    def __init__(self, output: Output, commands: Commands, leave: Callable[[], None]) -> None:
        self._output = output
        self._commands = commands
        self._leave = leave
        self._stage = Stage.PREPARING
        self._run_id = self._again = ""
        self._ending = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Learn the stage of the command from an event."""
        self._stage = _STAGES.get(event.name, self._stage)
        self._run_id = str(event.data.get("run_id") or self._run_id)
        self._again = str(event.data.get("again") or self._again)

    async def obeyed(self, stop: StopSwitch, work: Coroutine[Any, Any, _T]) -> _T:
        """Do the work, and obey signals meanwhile.

        Raises:
            CutShortError: a second signal came while rows were being sent.
        """
        loop, task, codes = asyncio.get_running_loop(), asyncio.ensure_future(work), list[ExitCode]()

        def on_signal(number: int, _: object) -> None:
            # Counted by signals, not by the flag: a run may be stopping for a reason of its own by then.
            codes.append(ExitCode.SIGTERM if number == signal.SIGTERM else ExitCode.SIGINT)
            loop.call_soon_threadsafe(
                stop.request, _REASONS[signal.Signals(number)], "Stopped by a signal; requests under way were finished."
            )
            if len(codes) == 1:
                if self._is_idle:  # what is sent is finished, and its results are written
                    _later(GRACE_S, self._end_stage, codes[-1])
            elif self._is_idle:
                self._end(codes[-1])
            else:
                loop.call_soon_threadsafe(task.cancel)
                _later(_RECORDING_S, self._end, codes[-1])

        # Not the loop's own handlers: those have to wait for the loop.
        before = {number: signal.signal(number, on_signal) for number in _REASONS}
        try:
            return await task
        except asyncio.CancelledError:
            if not codes:
                raise
            raise self._cut_short(codes[-1]) from None
        finally:
            for number, handler in before.items():
                signal.signal(number, _end_soon if codes else handler)

    @property
    def _is_idle(self) -> bool:
        """Whether no request is in flight."""
        return self._stage in {Stage.PREPARING, Stage.WRITING}

    def _end_stage(self, code: ExitCode) -> None:
        if self._is_idle:
            self._end(code)

    def over(self) -> None:
        """The work has ended by itself: from now on no signal ends the program.

        Does not return where a signal is just ending the program.
        """
        self._ending.acquire()  # never released: the end is reported once

    def _end(self, code: ExitCode) -> None:
        """End the program now, whatever it is doing, unless it is ending by itself already."""
        if not self._ending.acquire(blocking=False):  # never released either
            return
        _later(_REPORTING_S, os._exit, int(code))
        with suppress(Exception):
            self._leave()
        with suppress(Exception):
            discard_unfinished()
        with suppress(Exception):
            print_error(self._output, self._reason(code))
            sys.stdout.flush()
        os._exit(int(code))

    def _reason(self, code: ExitCode) -> ImporterError:
        if self._stage is Stage.WRITING:
            return CutShortError(
                code,
                "Stopped while the results were being written; the journal has every row.",
                f"`{self._commands.export(self._run_id)}` writes them.",
            )
        if self._stage is Stage.PREPARING:
            return InterruptedRunError(_REASONS[signal.SIGTERM if code == ExitCode.SIGTERM else signal.SIGINT])
        return self._cut_short(code)

    def _cut_short(self, code: ExitCode) -> CutShortError:
        again = self._again or (self._commands.resume(self._run_id) if self._run_id else "")
        hint = f"`{again}` goes on with it." if again else ""
        return CutShortError(code, hint=hint)


def _end_soon(number: int, _: object) -> None:
    """End the program where its last message takes long."""
    _later(_REPORTING_S, os._exit, 128 + number)


def _later(delay_s: float, work: Callable[..., Any], *arguments: Any) -> None:
    """Do something after a delay, whatever the event loop is doing then; not if the program has ended by then."""
    timer = threading.Timer(delay_s, work, arguments)
    timer.daemon = True
    timer.start()
