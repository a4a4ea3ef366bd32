"""One text for each account that all who send to it read and change, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class LedgerTime(NamedTuple):
    """When the journal was asked.

    Args:
        now: seconds, by the clock of the journal's database alone.
        server: changes where the database was started anew, or is another one: what was written last may be lost.
    """

    now: float
    server: str


Change = Callable[[str | None, LedgerTime], tuple[str, T]]
"""Given what is there (None: nothing), makes what shall be there, and an answer. Quick, and without side effects."""


class SharedState(Protocol):
    """The text of one account, over a connection of its own."""

    def change(self, change: Change[T]) -> T:
        """Change it; nobody else does meanwhile. Returns the answer. Blocks, for a few seconds at most.

        Raises:
            JournalError: the journal cannot be reached or written, or somebody else did not end in time.
        """
        ...

    def close(self) -> None:
        """Close the connection; harmless when called twice."""
        ...
