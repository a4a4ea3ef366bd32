"""Who works where: one at a time in each scope of a workspace. A lock ends with its owner, however that ends."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

BUSY = ("Another run works in this workspace against this target", "Wait for it to end.")


class Locks(Protocol):
    """The locks of one workspace, or of another folder that only one may work in."""

    def hold(self, scope: str, now: float, *, busy: tuple[str, str] = BUSY) -> AbstractContextManager[None]:
        """Hold the lock of one scope while the block runs.

        Args:
            scope: target and account, or another name of what is locked.
            now: seconds since the epoch, kept as the owner's start.
            busy: the message where another program holds it, and the advice.

        Raises:
            BusyError: another program holds it.
            StorageError: the lock cannot be made or written.
        """
        ...

    def owner(self, scope: str) -> str:
        """The owner of the lock of one scope, in words; empty when it is free. Disturbs no run that begins just then.

        Raises:
            StorageError: the lock cannot be read.
        """
        ...

    def held_since(self, scope: str) -> float | None:
        """When the owner of the lock of one scope began, seconds since the epoch; None when it is free.

        Raises:
            StorageError: the lock cannot be read.
        """
        ...
