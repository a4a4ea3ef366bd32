"""Where a taken file is while its content is at work, and how it leaves: by a claim, or where it was.

Over SFTP the rename into `processing/<owner>` is a claim: of two machines one gets the file, and a new one may
arrive under its name meanwhile. Object stores have no rename: the file stays where it is, and goes when its copy is
in its place, if it is still the one that was taken. What `.sha256` and marker belong to a file go with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from importer.inbox.remote.claims import Ticket
from importer.inbox.remote.folder import OpenFolder
from importer.readers.remote.fetching import SUM_FILE, stamps


class Custody(Protocol):
    """How files of one kind of store are kept from others."""

    def prepare(self, there: OpenFolder, /) -> None:
        """Have what taking needs."""

    def take(self, there: OpenFolder, ticket: Ticket, /) -> bool:
        """Have a file to ourselves; False when somebody else was quicker."""

    def where(self, there: OpenFolder, ticket: Ticket, /) -> str:
        """Where a taken file is; a kill may have come between its ticket and its taking."""

    def give_back(self, there: OpenFolder, ticket: Ticket, /) -> bool:
        """Let go of a file; False when it has to stay, since its name is in use again."""

    def leave(self, there: OpenFolder, ticket: Ticket, to: str, copy: Path | None, /) -> bool:
        """Move a file to its place for good; False when it is not there any more.

        Args:
            copy: what it has to be; None: it was never fetched.
        """

    def clear(self, there: OpenFolder, ticket: Ticket, /) -> None:
        """Take away what a kill left of a file that is in its place."""


def drop_marker(there: OpenFolder, ticket: Ticket, marker: str) -> None:
    """Take a file's marker away: it says nothing about the next one of that name."""
    found = there.info(ticket.name + marker)
    if found is not None:
        there.remove(ticket.name + marker, stamps(found))


@dataclass(frozen=True, slots=True)
class ByClaim:
    """Taken files lie in a folder of ours on the server.

    Args:
        marker: what a marker's name ends with.
        folder: inside the remote one; no other workspace's.
    """

    marker: str
    folder: str

    def prepare(self, there: OpenFolder) -> None:
        there.make(self.folder)

    def take(self, there: OpenFolder, ticket: Ticket) -> bool:
        if not there.rename(ticket.name, self._claimed(ticket)):
            return False
        self._bring(there, ticket)
        return True

    def where(self, there: OpenFolder, ticket: Ticket) -> str:
        claimed, info = self._claimed(ticket), there.info(ticket.name)
        if there.has(claimed):
            self._bring(there, ticket)
        elif info is not None and stamps(info) == ticket.stamps:
            self.take(there, ticket)
        return claimed

    def _bring(self, there: OpenFolder, ticket: Ticket) -> None:
        """Have what belongs to a claimed file: not what came with a new one of its name."""
        summed = there.info(ticket.name + SUM_FILE)
        if summed is not None and stamps(summed) == ticket.sum_stamps:
            there.rename(ticket.name + SUM_FILE, self._claimed(ticket) + SUM_FILE)
        if not there.has(ticket.name):
            drop_marker(there, ticket, self.marker)

    def give_back(self, there: OpenFolder, ticket: Ticket) -> bool:
        claimed = self._claimed(ticket)
        if not there.has(claimed):
            return True
        if there.has(ticket.name):
            return False
        there.rename(claimed + SUM_FILE, ticket.name + SUM_FILE)
        return there.rename(claimed, ticket.name)

    def leave(self, there: OpenFolder, ticket: Ticket, to: str, _copy: Path | None) -> bool:
        claimed = self._claimed(ticket)
        there.rename(claimed + SUM_FILE, to + SUM_FILE)
        return there.rename(claimed, to)

    def clear(self, _there: OpenFolder, _ticket: Ticket) -> None:
        """Nothing: what is renamed leaves nothing behind."""

    def _claimed(self, ticket: Ticket) -> str:
        return f"{self.folder}/{ticket.name}"


@dataclass(frozen=True, slots=True)
class ByCopy:
    """Taken files stay where they are until a copy of them is in its place.

    Args:
        marker: what a marker's name ends with.
    """

    marker: str

    def prepare(self, _there: OpenFolder) -> None:
        """Nothing: names need no folder."""

    def take(self, _there: OpenFolder, _ticket: Ticket) -> bool:
        return True

    def where(self, _there: OpenFolder, ticket: Ticket) -> str:
        return ticket.name

    def give_back(self, _there: OpenFolder, _ticket: Ticket) -> bool:
        return True

    def leave(self, there: OpenFolder, ticket: Ticket, to: str, copy: Path | None) -> bool:
        info = there.info(ticket.name)
        if info is None or stamps(info) != ticket.stamps:
            return False
        there.copy(ticket.name, to, copy)
        self._clear(there, ticket, to)
        return True

    def clear(self, there: OpenFolder, ticket: Ticket) -> None:
        info = there.info(ticket.name)
        if info is not None and stamps(info) == ticket.stamps:
            self._clear(there, ticket, f"{ticket.to}/{ticket.name}")

    def _clear(self, there: OpenFolder, ticket: Ticket, to: str) -> None:
        """Remove the original last: whatever of it is left says that something is to be done."""
        drop_marker(there, ticket, self.marker)
        summed = there.info(ticket.name + SUM_FILE)
        if summed is not None and stamps(summed) == ticket.sum_stamps:
            there.copy(ticket.name + SUM_FILE, to + SUM_FILE, None)
            there.remove(ticket.name + SUM_FILE, ticket.sum_stamps)
        there.remove(ticket.name, ticket.stamps)
