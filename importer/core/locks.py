"""Locks on files and folders that the kernel releases when their program ends, however it ends (`flock`).

Not the library filelock: it finds out whether a lock is held only by taking it alone, from a file that it opens for
writing. So to ask who is at work would make a run that begins just then fail, a workspace that is read-only could not
be asked, and a folder would need a lock file beside it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, waits: bool = False, creates: bool = False) -> Iterator[int]:
    """Hold the lock of a file or folder alone while the block runs; yields its descriptor.

    Args:
        waits: until the other program lets go.
        creates: make the file (mode 0600) where there is none, and open it for writing.

    Raises:
        BlockingIOError: another program holds the lock, and `waits` is off.
        OSError: it cannot be opened, or its file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT if creates else os.O_RDONLY, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a program holds the lock of a file or folder.

    The lock is shared for the moment of the question, so that several may ask at once.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
