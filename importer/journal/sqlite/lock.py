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
from importer.journal.port.locks import BUSY


class FileLocks:
    """One file for each scope, in a folder of the workspace. Implements `port.Locks`."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    @contextmanager
    def hold(self, scope: str, now: float, *, busy: tuple[str, str] = BUSY) -> Iterator[None]:
        path = _path(self._workspace, scope)
        with ExitStack() as held:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sign(held.enter_context(locked(path, creates=True)), now)
            except BlockingIOError as error:
                what, advice = busy
                raise BusyError(f"{what} ({_owner(path)}).", advice) from error
            except OSError as error:
                raise _unwritable(error, self._workspace) from error
            yield

    def owner(self, scope: str) -> str:
        path = _path(self._workspace, scope)
        try:
            return _held_by(path)
        except OSError as error:
            raise StorageError(
                f"The lock {path} cannot be read: {error.strerror}.", "Check its permissions."
            ) from error

    def held_since(self, scope: str) -> float | None:
        if not self.owner(scope):
            return None
        try:
            return float(json.loads(_path(self._workspace, scope).read_text(encoding="ascii"))["started_at"])
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
