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
            busy: the message where somebody else holds it, and the advice.

        Raises:
            BusyError: another program holds it.
            StorageError: the lock cannot be made or written.
        """
        ...

    def owner(self, scope: str) -> str:
        """Say who holds the lock of one scope; empty when nobody does. A run that begins just then is not disturbed.

        Raises:
            StorageError: the lock cannot be read.
        """
        ...

    def held_since(self, scope: str) -> float | None:
        """When whoever holds the lock of one scope began, seconds since the epoch; None when nobody holds it.

        Raises:
            StorageError: the lock cannot be read.
        """
        ...
