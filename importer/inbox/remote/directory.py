"""A directory at an address: listed, read, filled and emptied. Reports errors in sentences, and decides nothing.

SFTP renames: a file is in one place or in the other, and of two that rename it one wins. S3 and Google Storage
copy and delete: a copy is compared with the original's checksum before the original goes, and it goes only while it
is still what was copied. Between that look and the deletion is the time of one request.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importer.core.errors import SourceError, StorageError, UsageError
from importer.readers.remote.fetching import stamps
from importer.readers.remote.stores import Store
from importer.runs.wiring.remote_sources import shown, store_of

_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True)
class RemoteDirectory:
    """Where a directory is, and how to connect to it.

    Args:
        address: may hold a password.
        shown: the address for people.
        identity: of this directory alone: with the user, since two users of a server may see two roots.
        silence_s: the longest silence of the server, in seconds.
    """

    address: str
    shown: str
    identity: str
    store: Store
    silence_s: float

    @staticmethod
    def at(address: str, silence_s: float) -> RemoteDirectory:
        """Understand an address.

        Raises:
            UsageError: it names no place, or one of which files cannot be listed and moved.
        """
        store, parts = store_of(address, folder=True)
        if not store.lists:
            scheme = address.partition("://")[0].lower()
            raise UsageError(
                f"Files at an {scheme}:// address can be fetched by name, but neither listed nor moved.",
                f"Name a folder at sftp://, s3:// or gs://, or import one file, such as {store.example}.",
            )
        identity = (
            f"{parts.scheme}://{parts.username or ''}@{parts.hostname}:{parts.port or ''}{parts.path.rstrip('/')}"
        )
        return RemoteDirectory(address, shown(address).rstrip("/"), identity, store, silence_s)

    @contextmanager
    def opened(self, what: str) -> Iterator[OpenDirectory]:
        """Connect for a block.

        Args:
            what: begins the sentence when something goes wrong in the block.

        Raises:
            ImporterError: as `Store.errors_explained`.
        """
        with self.store.errors_explained(what), self.store.opened(self.address, self.silence_s) as (files, base):
            yield OpenDirectory(files, base, self.store, self.shown)


@dataclass(frozen=True, slots=True)
class OpenDirectory:
    """A directory while it is connected; every name may be a path inside it.

    Args:
        files: the library's file system, `base` in it.
    """

    files: Any
    base: str
    store: Store
    shown: str

    def path(self, name: str) -> str:
        """A name as the library wants it."""
        return posixpath.join(self.base, name) if name else self.base

    # ------------------------------------------------------------------ reading

    def entries(self, name: str = "") -> dict[str, Mapping[str, Any]]:
        """What is in a folder, by name; nothing where there is none.

        Raises:
            SourceError: the folder itself is not there.
        """
        where = self.path(name).rstrip("/")
        try:
            found = self.files.ls(where or self.path(name) or ".", detail=True)
        except FileNotFoundError:
            if not name:
                self._require_place()
            return {}
        names = ((str(info["name"]).rstrip("/"), info) for info in found)
        return {full.rpartition("/")[2]: info for full, info in names if full.strip("/") != where.strip("/")}

    def has(self, name: str) -> bool:
        """Whether anything is there; the library's own `exists` takes any error for a no."""
        try:
            self.files.info(self.path(name))
        except FileNotFoundError:
            return False
        return True

    def info(self, name: str) -> Mapping[str, Any] | None:
        """What is known of a file; None when it is not there."""
        try:
            found: Mapping[str, Any] = self.files.info(self.path(name))
        except FileNotFoundError:
            return None
        return found if found.get("type") == "file" else None

    def _require_place(self) -> None:
        """A folder of an object store is there when its bucket is: it is but the beginning of names."""
        if not self.renames:
            try:
                self.files.info(self.base.strip("/").partition("/")[0])
            except FileNotFoundError:
                pass
            else:
                return
        raise SourceError(f"There is no folder {self.shown}.", "Name the folder that the files arrive in, or make it.")

    # ------------------------------------------------------------------ changing

    def make(self, name: str) -> None:
        """Make sure that a folder exists, readable for its owner only; object stores need none."""
        if self.renames:
            self.files.makedirs(self.path(name), exist_ok=True, permissions=_OWNER_ONLY)

    @property
    def renames(self) -> bool:
        """Whether the store moves files in one step."""
        return self.store.rename is not None

    def free(self, to: str) -> str:
        """A folder's name under which nothing is."""
        found, number = to, 1
        while self.entries(found):
            number += 1
            found = f"{to}~{number}"
        return found

    def rename(self, name: str, to: str) -> bool:
        """Move a file in one step; False when it is gone. Only where the store can.

        Raises:
            what the store raises: among others when `to` is there already.
        """
        assert self.store.rename is not None  # noqa: S101  # whoever calls asked
        try:
            self.store.rename(self.files, self.path(name), self.path(to))
        except self.store.errors():
            if self.has(name):
                raise
            return False
        return True

    def fill(self, to: str, content: Iterable[Path]) -> None:
        """Have a folder with these files in it; where the store can, it appears with all of them at once."""
        if not self.renames:
            for file in content:
                self.upload(file, f"{to}/{file.name}")
        elif not self.has(to):
            place, _, own = to.rpartition("/")
            part = f"{place}/.{own}.part"
            self.make(part)
            for file in content:
                self.upload(file, f"{part}/{file.name}")
            self.rename(part, to)

    def upload(self, file: Path, to: str) -> None:
        """Send a file, and hold what is there now against it; it appears complete.

        Raises:
            StorageError: it is not what was sent.
        """
        under = f"{to}.part" if self.renames else to
        self.files.put_file(str(file), self.path(under))
        self.require_like(file, under)
        if self.renames:
            if self.has(to):
                self.files.rm_file(self.path(to))  # of an earlier try
            self.rename(under, to)

    def require_like(self, file: Path, to: str) -> None:
        """Hold a file that is there against one of this machine.

        Raises:
            StorageError: they differ.
        """
        if not self.is_like(file, to):
            raise StorageError(f"{self.shown}/{to} is not what was sent.", "Try again.")

    def is_like(self, file: Path, to: str) -> bool:
        """Whether a file that is there is like one of this machine, by size and by checksum."""
        path = self.path(to)
        info = self.files.info(path)
        given = self.store.checksum(self.files, path, info)
        return info.get("size") == file.stat().st_size and (given is None or given.fits(file))

    def copy(self, name: str, to: str, like: Path | None) -> None:
        """Have a file in a second place.

        Args:
            like: what it has to be; None: its size is all that is known.

        Raises:
            StorageError: the copy differs.
        """
        self.files.cp_file(self.path(name), self.path(to))
        if like is not None:
            self.require_like(like, to)
        elif self.files.info(self.path(to)).get("size") != self.files.info(self.path(name)).get("size"):
            raise StorageError(f"{self.shown}/{to} is not what was copied.", "Try again.")

    def remove(self, name: str, wanted: str) -> bool:
        """Delete a file while it is the one that is meant; False when it is another, or gone.

        Args:
            wanted: its stamps.
        """
        info = self.info(name)
        if info is None or stamps(info) != wanted:
            return False
        self.files.rm_file(self.path(name))
        return True
