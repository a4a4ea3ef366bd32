"""What a night needs of the folder that files arrive in, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one file: when two looks are equal, nobody wrote to it in between."""

    size: int
    changed_ns: int
    file_id: int


class DropFolder(Protocol):
    """`Inbox` on this machine, `importer.inbox.remote.arriving.RemoteInbox` at an address.

    Every operation may block for as long as the place takes to answer. A file's path is its name until it is
    taken, and afterwards where it can be read.
    """

    archive: Path
    failed: Path

    @property
    def shown(self) -> str:
        """The folder as people know it; never a secret."""

    @property
    def lock(self) -> tuple[Path, str]:
        """What keeps two nights from the same folder: where the lock lies, and its name."""

    def open(self) -> None:
        """Check that files can be taken, and make the folders that they go to."""

    def recover(self) -> None:
        """Finish or clear away what a killed pass left half done."""

    def look(self) -> dict[Path, Seen]:
        """Every file that may be meant, as it is now."""

    def links(self) -> list[str]:
        """Symbolic links, at the last look, that would be taken if they were files."""

    def is_marked(self, path: Path) -> bool:
        """Whether a marker says that the file is complete."""

    def complete(self, before: Mapping[Path, Seen], now: Mapping[Path, Seen]) -> list[Path]:
        """The files that may be taken, the oldest first."""

    def growing(self, now: Mapping[Path, Seen], found: Iterable[Path]) -> list[Path]:
        """The files that somebody is still writing: those that are meant, and not among the complete ones."""

    def begun(self) -> list[Path]:
        """What an earlier pass took and did not put away, the oldest first."""

    def take(self, path: Path) -> Path | None:
        """Have a file to ourselves; None when it is gone."""

    def at_hand(self, path: Path) -> None:
        """Have a taken file where it can be read.

        Raises:
            SourceError: it cannot be fetched, and that is its own fault.
            StillWrittenError: it is not complete after all, or was replaced; a later pass takes it.
        """

    def has(self, tag: str, name: str) -> bool:
        """Whether a file was put away under this tag and name."""

    def last_tag(self) -> str:
        """The tag of the newest file that was put away; empty when none ever was."""

    def put_away(
        self,
        path: Path,
        place: Path,
        tag: str,
        *,
        files: Iterable[Path] = (),
        texts: Mapping[str, str] | None = None,
        before: Callable[[Path], None] = lambda _: None,
    ) -> Path | str:
        """Move a file that is done with into a folder of its own, with everything about it beside it.

        Args:
            before: gets the folder when the file is about to be moved into it, where that is on this machine.
        """
