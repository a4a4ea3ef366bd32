"""Locks on files and folders that the kernel releases when their program ends, however it ends (`flock`).

Not the library filelock: it finds out whether a lock is held only by taking it alone, from a file that it opens for
writing. So to ask who is at work would make a run that begins just then fail, a workspace that is read-only could not
be asked, and a folder would need a lock file beside it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(path: Path, *, waits: bool = False, creates: bool = False, writes: bool = False) -> Iterator[int]:
    """Hold the lock of a file or folder alone while the block runs; yields its descriptor.

    Args:
        waits: until the other program lets go.
        creates: make the file (mode 0600) where there is none, and open it for writing.
        writes: open the file for writing, as a network file system (NFS, SMB) asks for.

    Raises:
        BlockingIOError: another program holds the lock, and `waits` is off.
        OSError: it cannot be opened, or its file system has no locks.
    """
    mode = os.O_RDWR if creates or writes else os.O_RDONLY
    descriptor = os.open(path, mode | os.O_CREAT if creates else mode, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def locked_to_replace(path: Path) -> Iterator[None]:
    """Hold the lock of a file that every program replaces by renaming; where there is no file, nothing is held.

    Waits until the other program lets go. The lock is of the file that has the name now: whoever waited for one that
    was replaced meanwhile waits for its successor.

    Raises:
        OSError: it cannot be opened, or its file system has no locks.
    """
    with ExitStack() as held:
        while path.is_file():
            with suppress(FileNotFoundError):  # removed in this moment
                descriptor = held.enter_context(locked(path, waits=True, writes=os.access(path, os.W_OK)))
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    break
            held.close()
        yield


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
