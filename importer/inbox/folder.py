"""The seam to a folder that files arrive in, wherever it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from importer.profile.nightly import NightlySettings

_PLAN = ".plan.json"
_LONGEST_NAME_BYTES = 255


def plan_of(path: Path) -> Path:
    """Where the plan of a claimed file is, which waits for its approval."""
    name = os.fsencode(path.name)
    if len(name) + len(_PLAN) <= _LONGEST_NAME_BYTES:
        return path.with_name(path.name + _PLAN)
    return path.with_name(hashlib.sha256(name).hexdigest() + _PLAN)


def is_planned(path: Path) -> bool:
    """Whether a claimed file waits for the approval of its plan."""
    return os.access(plan_of(path), os.F_OK)


def is_plan(path: Path) -> bool:
    """Whether a file is the plan of another one."""
    return path.name.endswith(_PLAN)


@dataclass(frozen=True, slots=True)
class FileState:
    """A file at the moment of a scan: when two states are equal, nobody wrote to it in between."""

    size: int
    changed_ns: int
    file_id: int


class InboxFolder(Protocol):
    """`LocalFolder` on this machine, `importer.inbox.remote.folder.RemoteFolder` at an address.

    Every operation may block for as long as its server takes to answer. A file's path is its name until it is
    claimed, and afterwards where it can be read.
    """

    archive: Path
    failed: Path

    @property
    def shown(self) -> str:
        """The folder for people; never a secret."""

    @property
    def lock(self) -> tuple[Path, str]:
        """What keeps two passes from the same folder: the folder of the lock's file, and its name."""

    @property
    def identity(self) -> str:
        """Names the folder, the same on every host that it is shared with."""

    def open(self) -> None:
        """Check that files can be claimed, and make the folders that they go to."""

    def recover(self) -> None:
        """Finish or clear away what a killed pass left half done."""

    def scan(self) -> dict[Path, FileState]:
        """Every file that may be meant, as it is now."""

    def links(self) -> list[str]:
        """Symbolic links, at the last scan, that would be taken if they were files."""

    def is_marked(self, path: Path) -> bool:
        """Whether a marker says that the file is complete; an older one belonged to another file of that name."""

    def complete(self, before: Mapping[Path, FileState], now: Mapping[Path, FileState]) -> list[Path]:
        """The files that may be claimed, the oldest first.

        Args:
            before: an earlier scan, at least `settle_s` ago; {} where every file is marked.
        """

    def growing(self, now: Mapping[Path, FileState], complete: Iterable[Path]) -> list[Path]:
        """The files that somebody is still writing: those that are meant, and not among the complete ones."""

    def claimed(self) -> list[Path]:
        """What an earlier pass claimed and did not archive, the oldest first."""

    def claim(self, path: Path) -> Path | None:
        """Have a file to ourselves; None when it is gone.

        Raises:
            StillWrittenError: somebody began to write it again; a later pass claims it.
        """

    def fetch(self, path: Path) -> None:
        """Have a claimed file where it can be read.

        Raises:
            SourceError: it cannot be fetched, and that is its own fault.
            StillWrittenError: it is not complete after all, or was replaced; a later pass claims it.
        """

    def has_archived(self, tag: str, name: str) -> bool:
        """Whether a file is in the archive, or among the failed, under this tag and name."""

    def newest_tag(self) -> str:
        """The tag of the newest file in the archive or among the failed; empty when there is none."""

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
            place: `archive` or `failed`.
            tag: what the folder's name begins with: the run's id, or the moment.
            files: results; linked or copied under their own names.
            texts: name to content of further files.
            before: gets the folder when the file is about to be moved into it, where that is on this machine.

        Returns:
            The folder; a text where that is an address.
        """


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a folder are taken, and when: by name, by marker, and by two scans that agree."""

    settings: NightlySettings

    def is_meant(self, name: str) -> bool:
        """Whether files of this name are taken."""
        if name.startswith((".", "~$")) or name.endswith(self.settings.marker):
            return False
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.settings.patterns)

    def marker(self, name: str) -> str:
        """The name of the marker of a file."""
        return name + self.settings.marker

    def complete(
        self,
        before: Mapping[Path, FileState],
        now: Mapping[Path, FileState],
        *,
        is_marked: Callable[[Path], bool],
        is_open: Callable[[Path], bool] = lambda _: False,
    ) -> list[Path]:
        """The files of a scan that may be claimed, the oldest first.

        Args:
            is_open: whether somebody is known to write a file, although it did not change.
        """
        waits = self.settings.ready == "stable"

        def is_complete(path: Path) -> bool:
            return is_marked(path) or (waits and before.get(path) == now[path] and not is_open(path))

        return sorted(filter(is_complete, now), key=lambda path: (now[path].changed_ns, path.name))

    def growing(
        self, now: Mapping[Path, FileState], complete: Iterable[Path], *, has_marker: Callable[[Path], bool]
    ) -> list[Path]:
        """The files of a scan that somebody is still writing.

        Args:
            has_marker: whether there is a marker, be it an old one: where markers are the rule, a file without is not
                meant yet.
        """
        left = now.keys() - set(complete)
        return sorted(path for path in left if self.settings.ready == "stable" or has_marker(path))
