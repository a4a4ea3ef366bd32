"""Whether a program of this machine is writing a file, however long it pauses. Asks the system; changes nothing.

A lease for reading is refused while there is a writer (Linux, one's own files). Network file systems refuse it
for reasons of their own, so that they are not asked: there only size and time show a writer.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
from pathlib import Path

_LOCAL = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
_MOUNTS = Path("/proc/self/mountinfo")


def is_being_written(path: Path) -> bool:
    """Whether somebody has the file open for writing; False where the system does not show it."""
    if not shows_writers(path):
        return False
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _refuses_lease(handle)
    finally:
        os.close(handle)


def shows_writers(path: Path) -> bool:
    """Whether the file is where a lease is refused for no other reason."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return file_system(mounts, path.resolve()) in _LOCAL


def file_system(mounts: str, path: Path) -> str:
    """The kind of file system under a path; empty when there is none.

    Args:
        mounts: as /proc/self/mountinfo has them, later ones above earlier ones.
    """
    found, deepest = "", -1
    for line in mounts.splitlines():
        place, _, kind = line.partition(" - ")
        mount = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), place.split(" ")[4]))
        if path.is_relative_to(mount) and len(mount.parts) >= deepest:
            found, deepest = kind.split(" ")[0], len(mount.parts)
    return found


def _refuses_lease(handle: int) -> bool:
    try:
        # Who opens the file in this very moment breaks the lease: the system's word for that would end the program.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
