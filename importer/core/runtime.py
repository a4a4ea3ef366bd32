"""What bulk work asks of Python's interpreter: rare collections of garbage, and quick turns for the event loop.

Checking, sending and rendering make millions of short-lived objects and no cycles; what is not needed any more is freed
at once, without the cyclic collector. Its default is to look for cycles every 700 objects, which was measured at a
third to a half of all the time that a large file took; and while rows are sent, each look at everything stopped the
event loop for 50 ms and more.

A thread that computes gives way to another one only every 5 ms by default, and a loop that wakes up asks several times
before it stops: 20 to 25 ms were measured, and 12 ms with turns of 1 ms.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_OBJECTS = 100_000
_YOUNGER = 20
_TURN_S = 0.001
_running_rarely: list[bool] = []
"""Not empty: a block of `rare_collections` is open."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector run rarely, and only over what the block itself makes; as before afterwards.

    Objects that were there before the block are frozen, unless the program did so itself. A block within another one
    changes nothing.
    """
    if _running_rarely:  # not asked of Python, which walks through all that is frozen to count it
        yield
        return
    before, freezing = gc.get_threshold(), not gc.get_freeze_count()
    if freezing:
        gc.freeze()
    gc.set_threshold(_OBJECTS, _YOUNGER, _YOUNGER)
    _running_rarely.append(True)
    try:
        yield
    finally:
        _running_rarely.clear()
        gc.set_threshold(*before)
        if freezing:
            gc.unfreeze()


async def beside_the_loop(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run what blocks or computes in a thread, and have it give way to the loop often; as before afterwards."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN_S))
    try:
        return await in_a_thread(partial(work, *arguments, **options))
    finally:
        sys.setswitchinterval(before)


@asynccontextmanager
async def held_beside_the_loop(held: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Have something for a block that blocks while it is opened and closed."""
    stack = ExitStack()
    try:
        yield await beside_the_loop(stack.enter_context, held)
    finally:
        await beside_the_loop(stack.close)


async def in_a_thread(work: Callable[[], T]) -> T:
    """Run what blocks in a thread, and wait for its end, cancelled or not: the caller may close what it uses."""
    running = asyncio.get_running_loop().run_in_executor(None, copy_context().run, work)
    await ended(running)
    return running.result()


async def ended(work: asyncio.Future[Any]) -> None:
    """Wait for the end of work that cannot be stopped half-way; a cancellation takes effect after it."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if not work.cancelled():
        work.exception()  # looked at: otherwise asyncio reports it as never retrieved
    if cancelled is not None:
        raise cancelled
