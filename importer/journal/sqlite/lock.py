"""One run per workspace and target: a lock that dies with its owner.

`flock` is released by the kernel when the process ends, however it ends, so a stale lock recovers by
itself. The owner written into the file is for the sentence that the second run prints.

Not filelock: it finds out whether a lock is held only by taking it alone, from a file that it opens for writing. So to
ask who works here would make a run that begins just then fail, and a workspace that is read-only could not be asked.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from importer.core.errors import BusyError, StorageError


@contextmanager
def workspace_lock(
    workspace: Path,
    scope: str,
    now: float,
    *,
    busy: tuple[str, str] = (
        "Another run works in this workspace against this target",
        "Wait for it to end.",
    ),
) -> Iterator[None]:
    """Hold the lock of one scope while the block runs.

    Args:
        now: seconds since the epoch, written down as the owner's start.
        busy: the message where somebody else holds it, and the advice.

    Raises:
        BusyError: another run holds it.
        StorageError: the lock file cannot be made or written.
    """
    path = _path(workspace, scope)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(error, workspace) from error
    try:
        _take(descriptor, path, *busy)
        try:
            _sign(descriptor, now)
        except OSError as error:
            raise _unwritable(error, workspace) from error
        yield
    finally:
        os.close(descriptor)


def lock_owner(workspace: Path, scope: str) -> str:
    """Say who holds the lock of one scope; empty when nobody does.

    The lock is shared for the moment of the question, so that a run which begins just then waits for nothing
    but its next try.

    Raises:
        StorageError: the lock file cannot be read.
    """
    path = _path(workspace, scope)
    try:
        return _held_by(path)
    except OSError as error:
        raise StorageError(f"The lock {path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def held_since(workspace: Path, scope: str) -> float | None:
    """When whoever holds the lock of one scope began, seconds since the epoch; None when nobody holds it.

    Raises:
        StorageError: the lock file cannot be read.
    """
    if not lock_owner(workspace, scope):
        return None
    try:
        return float(json.loads(_path(workspace, scope).read_text(encoding="ascii"))["started_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0  # its owner is just starting


def other_owner(workspace: Path) -> str:
    """Say which other process holds the lock of any scope of a workspace; empty when none does.

    Raises:
        OSError: a lock file cannot be read.
    """
    ours = f"process {os.getpid()} on {socket.gethostname()},"
    owners = map(_held_by, sorted((workspace / "locks").glob("*.lock")))
    return next((owner for owner in owners if owner and not owner.startswith(ours)), "")


def _held_by(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(path)
    finally:
        os.close(descriptor)
    return ""


def _path(workspace: Path, scope: str) -> Path:
    return workspace / "locks" / (re.sub(r"[^A-Za-z0-9.-]+", "_", scope).strip("_") + ".lock")


def _take(descriptor: int, path: Path, what: str, advice: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError(f"{what} ({_owner(path)}).", advice) from error


def _sign(descriptor: int, now: float) -> None:
    """Write down who holds the lock."""
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "started_at": now}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(owner).encode("ascii"), 0)


def _unwritable(error: OSError, workspace: Path) -> StorageError:
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return StorageError(
        f"The workspace {workspace} cannot be written: {(error.strerror or 'unknown error').lower()}.",
        "Free some space there." if is_full else "Check its permissions.",
    )


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="ascii"))
        started = datetime.fromtimestamp(owner["started_at"], tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {owner['pid']} on {owner['host']}, since {started}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its owner is just starting"
