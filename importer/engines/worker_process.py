"""The other end of a pool: a process that does what it is sent, until its pipe ends. Says nothing else.

It ends at once when the pipe does, even in the middle of its work: whoever it works for is gone.
An exception of the work ends it as well; the one it works for then does the item itself, and meets the exception.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from importer.engines.pipes import Line


def main(reading: int, writing: int) -> None:
    """Work until nobody needs it any more.

    Args:
        reading: the file descriptor that work comes from.
        writing: the one that results go to.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the one we work for decides
    gc.disable()  # the work makes no cycles
    line = Line(Connection(reading, writable=False), Connection(writing, readable=False))
    inbox: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(line, inbox), daemon=True).start()
    line.send(pickle.dumps(None))
    _work(line, inbox)


def _listen(line: Line, inbox: SimpleQueue[bytes]) -> None:
    """Take what is sent as it comes, so that the sender never waits for the work."""
    while True:
        try:
            inbox.put(line.receive())
        except (EOFError, OSError):
            os._exit(0)


def _work(line: Line, inbox: SimpleQueue[bytes]) -> None:
    work: Callable[[Any], Any] = _nothing
    while True:
        kind, what = pickle.loads(inbox.get())  # noqa: S301  # our own process at the other end
        if kind == "work":
            work = what
        else:
            line.send(pickle.dumps(work(what), pickle.HIGHEST_PROTOCOL))


def _nothing(item: Any) -> Any:
    return item
