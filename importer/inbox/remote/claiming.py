"""How a remote file is claimed, where it is while its content is imported, and how it leaves.

Over SFTP a file is claimed by a rename into `processing/<owner>`: of two machines one gets it, and a new one may
arrive under its name meanwhile. Object stores have no rename: the file stays where it is, and goes when its copy is
in its place, if it is still the one that was claimed. The `.sha256` and the marker of a file go with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from importer.inbox.remote.claims import FileClaim
from importer.inbox.remote.directory import OpenDirectory
from importer.readers.remote.fetching import SUM_FILE, stamps


class Claiming(Protocol):
    """How files of one kind of store are claimed, so that nobody else imports them."""

    def prepare(self, there: OpenDirectory, /) -> None:
        """Make what claiming needs."""

    def claim(self, there: OpenDirectory, claim: FileClaim, /) -> bool:
        """Have a file to ourselves; False when somebody else was quicker."""

    def where(self, there: OpenDirectory, claim: FileClaim, /) -> str:
        """Where a claimed file is; a kill may have come after the record of its claim and before the claim itself."""

    def give_back(self, there: OpenDirectory, claim: FileClaim, /) -> bool:
        """Undo a claim; False when that is impossible, since the name is in use again."""

    def leave(self, there: OpenDirectory, claim: FileClaim, to: str, copy: Path | None, /) -> bool:
        """Move a file to its place for good; False when it is not there any more.

        Args:
            copy: what it has to be; None: it was never fetched.
        """

    def clear(self, there: OpenDirectory, claim: FileClaim, /) -> None:
        """Remove what a kill left of a file that is in its place."""

    def all(self, there: OpenDirectory, /) -> Iterator[FileClaim]:
        """What is claimed, as far as the server knows: also by another host under the same name."""


def drop_marker(there: OpenDirectory, claim: FileClaim, marker: str) -> None:
    """Remove a file's marker: it says nothing about the next one of that name."""
    found = there.info(claim.name + marker)
    if found is not None:
        there.remove(claim.name + marker, stamps(found))


@dataclass(frozen=True, slots=True)
class ClaimByRename:
    """Claimed files are moved into a folder of ours on the server.

    Args:
        marker: what a marker's name ends with.
        folder: inside the remote one; no other workspace's.
    """

    marker: str
    folder: str

    def prepare(self, there: OpenDirectory) -> None:
        there.make(self.folder)

    def claim(self, there: OpenDirectory, claim: FileClaim) -> bool:
        if not there.rename(claim.name, self._claimed(claim)):
            return False
        self._claim_rest(there, claim)
        return True

    def where(self, there: OpenDirectory, claim: FileClaim) -> str:
        claimed, info = self._claimed(claim), there.info(claim.name)
        if there.has(claimed):
            self._claim_rest(there, claim)
        elif info is not None and stamps(info) == claim.stamps:
            self.claim(there, claim)
        return claimed

    def _claim_rest(self, there: OpenDirectory, claim: FileClaim) -> None:
        """Move what belongs to a claimed file, and not what arrived with a new one of its name."""
        summed = there.info(claim.name + SUM_FILE)
        if summed is not None and stamps(summed) == claim.sum_stamps:
            there.rename(claim.name + SUM_FILE, self._claimed(claim) + SUM_FILE)
        if not there.has(claim.name):
            drop_marker(there, claim, self.marker)

    def give_back(self, there: OpenDirectory, claim: FileClaim) -> bool:
        claimed = self._claimed(claim)
        if not there.has(claimed):
            return True
        if there.has(claim.name):
            return False
        there.rename(claimed + SUM_FILE, claim.name + SUM_FILE)
        return there.rename(claimed, claim.name)

    def leave(self, there: OpenDirectory, claim: FileClaim, to: str, _copy: Path | None) -> bool:
        claimed = self._claimed(claim)
        there.rename(claimed + SUM_FILE, to + SUM_FILE)
        return there.rename(claimed, to)

    def clear(self, _there: OpenDirectory, _claim: FileClaim) -> None:
        """Nothing: what is renamed leaves nothing behind."""

    def all(self, there: OpenDirectory) -> Iterator[FileClaim]:
        found = there.entries(self.folder)
        for name, info in found.items():
            if info.get("type") == "file" and not name.endswith(SUM_FILE):
                yield FileClaim.of(name, info, found.get(name + SUM_FILE))

    def _claimed(self, claim: FileClaim) -> str:
        return f"{self.folder}/{claim.name}"


@dataclass(frozen=True, slots=True)
class ClaimByCopy:
    """Claimed files stay where they are until a copy of them is in its place.

    Args:
        marker: what a marker's name ends with.
    """

    marker: str

    def prepare(self, _there: OpenDirectory) -> None:
        """Nothing: names need no folder."""

    def claim(self, _there: OpenDirectory, _claim: FileClaim) -> bool:
        return True

    def where(self, _there: OpenDirectory, claim: FileClaim) -> str:
        return claim.name

    def give_back(self, _there: OpenDirectory, _claim: FileClaim) -> bool:
        return True

    def leave(self, there: OpenDirectory, claim: FileClaim, to: str, copy: Path | None) -> bool:
        info = there.info(claim.name)
        if info is None or stamps(info) != claim.stamps:
            return False
        there.copy(claim.name, to, copy)
        self._clear(there, claim, to)
        return True

    def all(self, _there: OpenDirectory) -> Iterator[FileClaim]:
        return iter(())

    def clear(self, there: OpenDirectory, claim: FileClaim) -> None:
        info = there.info(claim.name)
        if info is not None and stamps(info) == claim.stamps:
            self._clear(there, claim, f"{claim.to}/{claim.name}")

    def _clear(self, there: OpenDirectory, claim: FileClaim, to: str) -> None:
        """Remove the original last: whatever of it is left says that something is to be done."""
        drop_marker(there, claim, self.marker)
        summed = there.info(claim.name + SUM_FILE)
        if summed is not None and stamps(summed) == claim.sum_stamps:
            there.copy(claim.name + SUM_FILE, to + SUM_FILE, None)
            there.remove(claim.name + SUM_FILE, claim.sum_stamps)
        there.remove(claim.name, claim.stamps)
