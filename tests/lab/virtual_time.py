"""An event loop that owns its clock: nothing waits, and a run can be killed between any two steps.

Time jumps to the next timer instead of sleeping. Every turn takes at least a nanosecond, since code that
waits for a clock to pass a point would otherwise spin for ever.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

TICK_S = 1e-9
IDLE_TURNS = 200_000
_SOCKETS_S = 30.0
"""So long, in real seconds, is waited for a socket on which something is under way."""


class Killed(BaseException):
    """The process is gone: no handler runs, no file is closed."""


class StuckError(AssertionError):
    """Nothing will ever happen again, and yet somebody waits."""


class _Jumping(selectors.DefaultSelector):
    """A selector that never waits: it moves the loop's clock instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = [] if self.loop.is_closed_world else self._arrived(timeout)
        if not ready:
            self.loop.turn(timeout)
        return ready

    def _arrived(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(_SOCKETS_S if timeout != 0 and self.loop.in_transit() else 0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time.

    Args:
        start_s: the clock at the beginning.
        kill_at: the turn at which the process dies; None: never.
        most_turns: after so many turns nothing will ever happen.
        is_closed_world: whether no socket and no thread has anything to do with it: then nobody has to ask for that.

    Attributes:
        in_transit: whether something is under way on a real socket, and time has to stand still until it arrives.
    """

    def __init__(
        self,
        start_s: float = 0.0,
        kill_at: int | None = None,
        most_turns: int = IDLE_TURNS,
        *,
        is_closed_world: bool = False,
    ) -> None:
        self.in_transit: Callable[[], bool] = _nothing
        self.is_closed_world = is_closed_world
        selector = _Jumping()
        selector.loop = self
        self._virtual_s = start_s
        self.turns = 0
        self._kill_at, self._most_turns = kill_at, most_turns
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual_s

    def turn(self, timeout_s: float | None) -> None:
        """Account for one turn of the loop that found nothing to read."""
        self.turns += 1
        if self._kill_at is not None and self.turns >= self._kill_at:
            raise Killed
        if timeout_s is None or self.turns > self._most_turns:
            waiting = "\n".join(map(_where, asyncio.all_tasks(self)))
            raise StuckError(f"stuck after {self.turns} turns at {self._virtual_s:.3f}s; what waits:\n{waiting}")
        self._virtual_s += max(timeout_s, TICK_S)


def _where(task: asyncio.Task[Any]) -> str:
    """The task, and the lines at which it and what it awaits wait."""
    lines: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None)
        lines.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else repr(awaited))
        awaited = getattr(awaited, "cr_await", None)
    return f"{task.get_name()}: {' > '.join(lines)}"


def _nothing() -> bool:
    return False


class VirtualClock:
    """`ports.Clock` on the running loop's time; the epoch begins at an arbitrary moment."""

    EPOCH_S = 1_790_000_000.0

    def now(self) -> float:
        return self.EPOCH_S + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)  # noqa: TID251  # this is the clock


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]], loop: VirtualLoop | None = None) -> T:
    """Run a coroutine to its end in virtual time."""
    loop = loop or VirtualLoop()
    try:
        return loop.run_until_complete(main())
    finally:
        abandon(loop)


def abandon(loop: VirtualLoop) -> None:
    """Drop whatever still runs, without giving it a turn: as a dead process would."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # no public way to drop a task silently
        with suppress(RuntimeError):
            coroutine = task.get_coro()
            if coroutine is not None:
                coroutine.close()
    loop.close()
