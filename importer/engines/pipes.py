"""A line between two processes: one pipe each way, wide enough that a whole batch fits in."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe

_PIPE_BYTES = 1 << 20
_SET_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)


@dataclass(frozen=True, slots=True)
class Line:
    """One end of a line; messages arrive whole and in order.

    Args:
        reading: where messages come from.
        writing: where they go to.
    """

    reading: Connection
    writing: Connection

    def send(self, message: bytes) -> None:
        """Send a message; waits while the other end has not taken the ones before.

        Raises:
            OSError: nobody is there any more.
        """
        self.writing.send_bytes(message)

    def receive(self) -> bytes:
        """Wait for the next message.

        Raises:
            EOFError: nobody is there any more.
        """
        return self.reading.recv_bytes()

    def close(self) -> None:
        """Hang up; harmless when done twice."""
        self.reading.close()
        self.writing.close()


@contextmanager
def pipes() -> Iterator[tuple[Line, Line]]:
    """Make a line; our end stays open, and theirs is closed here after the block, when it was handed on."""
    their_reading, our_writing = Pipe(duplex=False)
    our_reading, their_writing = Pipe(duplex=False)
    ours, theirs = Line(our_reading, our_writing), Line(their_reading, their_writing)
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
