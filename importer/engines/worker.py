"""A worker process of the pool: how it is started and ended, the pipes to it, and what it does in there.

A worker does what it is sent until its pipe ends, and writes nothing else. It ends at once when the pipe does, even in
the middle of its work: the process that it works for is gone. An exception of the work ends it as well; that process
then does the item itself, and meets the exception.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from importer.core.target_kinds import credential_variables

T = TypeVar("T")
U = TypeVar("U")

_PIPE_BYTES = 1 << 20
"""A whole batch fits in."""
_SET_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)
_GRACE_S = 5.0
_CODE = "import sys; sys.path[:] = {path!r}; from importer.engines.worker import main; main({read}, {write})"
_OURS = "IMPORTER_"
"""Variables that begin like this are settings, and some hold addresses with passwords."""


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker process may know of the environment."""
    private = credential_variables()
    return {name: value for name, value in environ.items() if name not in private and not name.startswith(_OURS)}


@dataclass(slots=True)
class Task(Generic[T, U]):
    """One item on its way."""

    work: Callable[[T], U]
    item: T
    result: U | None = None
    done: bool = False

    def finish(self, result: U) -> None:
        """Keep the result."""
        self.result, self.done = result, True


# --------------------------------------------------------------------------- pipes


@dataclass(frozen=True, slots=True)
class Channel:
    """One end of two pipes, one each way; messages arrive complete and in order.

    Args:
        reading: where messages come from.
        writing: where they go to.
    """

    reading: Connection
    writing: Connection

    def send(self, message: bytes) -> None:
        """Send a message; waits while the other end has not taken the ones before.

        Raises:
            OSError: the other end is gone.
        """
        self.writing.send_bytes(message)

    def receive(self) -> bytes:
        """Wait for the next message.

        Raises:
            EOFError: the other end is gone.
        """
        return self.reading.recv_bytes()

    def close(self) -> None:
        """Close both pipes; harmless when done twice."""
        self.reading.close()
        self.writing.close()


@contextmanager
def _channel() -> Iterator[tuple[Channel, Channel]]:
    """Make both ends; ours stays open, and the worker's is closed here after the block, when it was handed on."""
    their_reading, our_writing = Pipe(duplex=False)
    our_reading, their_writing = Pipe(duplex=False)
    ours, theirs = Channel(our_reading, our_writing), Channel(their_reading, their_writing)
    for end in (our_writing, their_writing):
        _widen(end)
    try:
        yield ours, theirs
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()


def _widen(end: Connection) -> None:
    if _SET_SIZE is not None:
        with suppress(OSError):  # more than this user may have: a narrow pipe is only slower
            fcntl.fcntl(end.fileno(), _SET_SIZE, _PIPE_BYTES)


# --------------------------------------------------------------------------- in the process that has the work


@dataclass(slots=True)
class Worker:
    """Another process, and what it was given to do."""

    process: subprocess.Popen[bytes]
    channel: Channel
    ready: bool = False
    work: object = None
    tasks: deque[Task[Any, Any]] = field(default_factory=deque)

    @classmethod
    def start(cls) -> Worker:
        """Start a fresh interpreter; neither its command line nor its environment holds anything of ours.

        Raises:
            OSError: the system refuses another process.
        """
        with _channel() as (ours, theirs):
            pipes = theirs.reading.fileno(), theirs.writing.fileno()
            process = subprocess.Popen(  # noqa: S603  # ourselves
                [sys.executable, "-c", _CODE.format(path=sys.path, read=pipes[0], write=pipes[1])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=pipes,
                env=without_secrets(os.environ),
            )
            return cls(process, ours)

    def give(self, task: Task[Any, Any]) -> None:
        """Send a task, and the work to be done where that is new.

        Raises:
            OSError: the worker is gone.
        """
        self.tasks.append(task)
        if self.work is not task.work:
            self.channel.send(pickle.dumps(("work", task.work), pickle.HIGHEST_PROTOCOL))
            self.work = task.work
        self.channel.send(pickle.dumps(("item", task.item), pickle.HIGHEST_PROTOCOL))

    def take(self) -> None:
        """Take its next message: that it is ready, or a result.

        Raises:
            OSError, EOFError: the worker is gone.
        """
        result = pickle.loads(self.channel.receive())  # noqa: S301  # our own process at the other end
        if self.ready:
            self.tasks.popleft().finish(result)
        self.ready = True

    def end(self) -> None:
        """Wait until it has ended, its channel being closed; kill it where that takes long."""
        try:
            self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# --------------------------------------------------------------------------- in the worker


def main(reading: int, writing: int) -> None:
    """Work until the pipes end.

    Args:
        reading: the file descriptor that work comes from.
        writing: the one that results go to.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the one we work for decides
    gc.disable()  # the work makes no cycles
    channel = Channel(Connection(reading, writable=False), Connection(writing, readable=False))
    received: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(channel, received), daemon=True).start()
    channel.send(pickle.dumps(None))
    _work(channel, received)


def _receive(channel: Channel, received: SimpleQueue[bytes]) -> None:
    """Take what is sent as it comes, so that the sender never waits for the work."""
    while True:
        try:
            received.put(channel.receive())
        except (EOFError, OSError):
            os._exit(0)


def _work(channel: Channel, received: SimpleQueue[bytes]) -> None:
    work: Callable[[Any], Any] = _nothing
    while True:
        kind, what = pickle.loads(received.get())  # noqa: S301  # our own process at the other end
        if kind == "work":
            work = what
        else:
            channel.send(pickle.dumps(work(what), pickle.HIGHEST_PROTOCOL))


def _nothing(item: Any) -> Any:
    return item
