"""One run per workspace and target: a lock that ends with its owner's program.

The owner written into the lock's file is for the sentence that the second run prints.
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from importer.core.errors import BusyError, StorageError
from importer.core.locks import is_locked, locked


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
    with ExitStack() as held:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sign(held.enter_context(locked(path, creates=True)), now)
        except BlockingIOError as error:
            what, advice = busy
            raise BusyError(f"{what} ({_owner(path)}).", advice) from error
        except OSError as error:
            raise _unwritable(error, workspace) from error
        yield


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
        return _owner(path) if is_locked(path) else ""
    except FileNotFoundError:
        return ""


def _path(workspace: Path, scope: str) -> Path:
    return workspace / "locks" / (re.sub(r"[^A-Za-z0-9.-]+", "_", scope).strip("_") + ".lock")


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
