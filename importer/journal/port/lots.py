"""One run that several programs send at once: each sends lots of its rows, under a lease of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Message(NamedTuple):
    """What one of the programs has to say, in bytes that hold no personal data."""

    sender: str
    content: bytes


class RunLots(Protocol):
    """The lots of one run. Every method raises JournalError where the journal cannot be read or written.

    Whoever has taken up the run divides it, and waits for the others. Each of these holds a lease, which ends with that
    of the run at the latest. The rows of one whose lease is over are sent by the others; those that it may have sent
    are in doubt.
    """

    def divide(self, rows: int) -> int:
        """Make lots of what is to be sent; returns how many. Who still holds a lease of the run writes nothing more.

        Args:
            rows: of each lot, but the last one, which has those that are left.
        """
        ...

    def count(self) -> int:
        """How many lots have rows left to send, or to be looked up."""
        ...

    def hold(self, sender: str, now: float) -> AbstractContextManager[str]:
        """Hold a lease while the block runs; gives what `RunToSend.lease` takes.

        Args:
            sender: a name that no other program has.
            now: seconds since the epoch.

        Raises:
            BusyError: the run is not at work.
        """
        ...

    def senders(self) -> int:
        """How many programs hold a lease."""
        ...

    def heard(self) -> Sequence[Message]:
        """What was said since this was asked last, in its order."""
        ...

    def end(self) -> None:
        """Give the division up: what is not sent is the run's own again. Leases as of `divide`."""
        ...
