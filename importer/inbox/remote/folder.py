"""A folder at an address that files arrive in.

    sftp    customers.csv ─► processing/<owner>/customers.csv ─► archive/<tag>_customers.csv/{…, customers.csv}
    s3, gs  customers.csv ─────────────────────────────────────► archive/<tag>_customers.csv/{…, customers.csv}

What is read is a verified copy in the workspace, under `inboxes/`; it goes when its file has been put away. Results
are uploaded first and the source is moved last, so that a kill at any step leaves something to repeat and nothing
half: the journal knows the content, and is asked before anything is sent. Files that no claim of the workspace names
are never touched.

Two machines on one folder: over SFTP one of them gets the file. S3 and Google Storage have no rename, so both
may import it, each as its own journal knows it: let one machine, and one workspace, have such a folder. A file
that is replaced while its content is imported is not deleted: the copy that was imported goes into the archive,
and the new file is for the next pass. What is written again by hand later on (`retry`, `export`) stays in the
workspace.

Web servers are refused: HTTP has no standard way to list or move files, and a tool that reads index pages takes
what a page says, not what is there.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from importer.core.atomic_files import put_in_place
from importer.core.errors import (
    AccessError,
    SourceError,
    StillWrittenError,
    StorageError,
    UnreadableSourceError,
    UsageError,
)
from importer.core.ports import Stop
from importer.inbox.folder import FileState, Selection
from importer.inbox.remote.claiming import ClaimByCopy, ClaimByRename, Claiming
from importer.inbox.remote.claims import RESULTS, FileClaim, FileClaims, state_of
from importer.inbox.remote.directory import OpenDirectory, RemoteDirectory
from importer.profile import Profile
from importer.readers.remote import checksums
from importer.readers.remote.fetching import SUM_FILE, Fetch, fetch, stamps
from importer.runs.archive import beside, folder_name, readable, tag_of, unlike
from importer.runs.leftovers import INBOXES_NAME

_PROCESSING = "processing"
_PART = ".part"


class RemoteFolder:
    """`InboxFolder` at an address.

    Args:
        stop: ends a transfer under way.
        team: what hosts that share a journal claim files as; empty: this workspace shares none.

    Raises:
        UsageError: at once: the address names no such place, or the settings do not fit one.
        AccessError, TryLaterError, SourceError: at any operation, as `Store.errors_explained`.
        StorageError: at any operation, when something is not there as it was sent.
    """

    def __init__(self, address: str, profile: Profile, stop: Stop | None = None, team: str = "") -> None:
        self._directory = RemoteDirectory.at(address, profile.remote.silence_s)
        self.archive, self.failed = _inside(profile.nightly.archive), _inside(profile.nightly.failed)
        self._selection = Selection(profile.nightly)
        self._max_bytes, self._stop = profile.source.limits.max_file_bytes, stop
        self._workspace, self._team = profile.workspace, team
        identity = hashlib.sha256(self._directory.identity.encode()).hexdigest()
        self._claims = FileClaims(profile.workspace / INBOXES_NAME / identity[:16])
        self._scanned: dict[Path, FileState] = {}
        self._markers: dict[Path, FileState] = {}
        self._links: list[str] = []

    @property
    def shown(self) -> str:
        return self._directory.shown

    @property
    def lock(self) -> tuple[Path, str]:
        return self._workspace, f"nightly-{self.identity}"

    @property
    def identity(self) -> str:
        return self._claims.home.name

    def open(self) -> None:
        with self._reading() as there:
            there.entries()
        self._claims.open(self.shown, self._team)
        with self._directory.opened(f"Files cannot be moved in {self.shown}") as there:
            self._claiming.prepare(there)
            for place in (self.archive, self.failed):
                there.make(str(place))

    @property
    def _claiming(self) -> Claiming:
        """How files are claimed: what another workspace claimed is left to it."""
        marker = self._selection.settings.marker
        if self._directory.store.rename is None:
            return ClaimByCopy(marker)
        return ClaimByRename(marker, f"{_PROCESSING}/{self._claims.owner}")

    def _reading(self) -> AbstractContextManager[OpenDirectory]:
        return self._directory.opened(f"The folder {self.shown} cannot be read")

    # ------------------------------------------------------------------ arriving

    def scan(self) -> dict[Path, FileState]:
        with self._reading() as there:
            found = there.entries()
        claimed = {claim.name for claim in self._claims.all()}
        meant = [name for name in found if self._selection.is_meant(name)]
        files = (name for name in meant if not name.endswith(SUM_FILE) and name not in claimed)
        self._scanned = {Path(name): state_of(found[name]) for name in files if found[name].get("type") == "file"}
        markers = {path: found.get(self._selection.marker(path.name)) for path in self._scanned}
        self._markers = {path: state_of(marker) for path, marker in markers.items() if marker is not None}
        self._links = sorted(name for name in meant if found[name].get("type") == "link")
        return self._scanned

    def links(self) -> list[str]:
        return self._links

    def is_marked(self, path: Path) -> bool:
        return path in self._markers and self._markers[path].changed_ns >= self._scanned[path].changed_ns

    def complete(self, before: Mapping[Path, FileState], now: Mapping[Path, FileState]) -> list[Path]:
        return self._selection.complete(before, now, is_marked=self.is_marked)

    def growing(self, now: Mapping[Path, FileState], complete: Iterable[Path]) -> list[Path]:
        return self._selection.growing(now, complete, has_marker=self._markers.__contains__)

    def claimed(self) -> list[Path]:
        return [self._claims.copy(claim) for claim in self._claims.all()]

    def claim(self, path: Path) -> Path | None:
        with self._directory.opened(f"{self.shown}/{readable(path.name)} cannot be taken") as there:
            info = there.info(path.name)
            if info is None or state_of(info) != self._scanned.get(path):
                return None
            claim = self._claims.write(FileClaim.of(path.name, info, there.info(path.name + SUM_FILE)))
            if not self._claiming.claim(there, claim):
                self._claims.drop(claim)
                return None
        return self._claims.copy(claim)

    # ------------------------------------------------------------------ fetching

    def fetch(self, path: Path) -> None:
        claim, shown = self._claim_of(path), f"{self.shown}/{readable(path.name)}"
        if claim.sha256 and path.exists():
            return
        what = Fetch(self._directory.store, shown, self._max_bytes, stop=self._stop, may_be_empty=True)
        with self._directory.opened(f"{shown} cannot be fetched") as there:
            try:
                self._download(what, there, claim, path)
            except StillWrittenError:
                self._give_back(there, claim)
                raise
            except AccessError as error:
                self._give_back(there, claim)  # not among the failed: a wrong policy must not empty the folder
                raise UnreadableSourceError(error.message, error.hint) from None

    def _give_back(self, there: OpenDirectory, claim: FileClaim) -> None:
        if self._claiming.give_back(there, claim):
            self._claims.drop(claim)

    def _download(self, what: Fetch, there: OpenDirectory, claim: FileClaim, path: Path) -> None:
        where = self._claiming.where(there, claim)
        info = there.info(where)
        if info is None or stamps(info) != claim.stamps:
            raise StillWrittenError(
                f"{what.shown} is not the file that was taken any more.", "The next pass takes what is there then."
            )
        path.parent.mkdir(mode=0o700, exist_ok=True)
        part = path.with_name(_PART)
        try:
            fetch(what, there.files, there.path(where), part, lambda: None)
            put_in_place(part, path)
        finally:
            part.unlink(missing_ok=True)
        self._claims.write(replace(claim, sha256=checksums.sha256(path)))

    # ------------------------------------------------------------------ leaving

    def has_archived(self, tag: str, name: str) -> bool:
        with self._reading() as there:
            return any(there.has(f"{place}/{folder_name(tag, name)}/{name}") for place in (self.archive, self.failed))

    def newest_tag(self) -> str:
        with self._reading() as there:
            names = [name for place in (self.archive, self.failed) for name in there.entries(str(place))]
        return max(map(tag_of, names), default="")

    def put_away(
        self,
        path: Path,
        place: Path,
        tag: str,
        *,
        files: Iterable[Path] = (),
        texts: Mapping[str, str] | None = None,
        before: Callable[[Path], None] = lambda _: None,  # noqa: ARG002  # is about folders of this machine
    ) -> str:
        claim = self._claim_of(path)
        try:
            with (
                self._directory.opened(f"{readable(claim.name)} cannot be put into {self.shown}/{place}") as there,
                self._content(claim.name, files, texts or {}) as content,
            ):
                if not claim.to.startswith(f"{place}/"):
                    claim = replace(claim, to=there.free(f"{place}/{folder_name(tag, claim.name)}"))
                    self._claims.write(claim)
                there.fill(claim.to, content)
                self._move_source(there, claim)
        except SourceError as error:
            raise StorageError(error.message, error.hint) from None  # nothing is wrong with the file that was imported
        self._claims.drop(claim)
        return f"{self.shown}/{claim.to}"

    @contextmanager
    def _content(self, source: str, files: Iterable[Path], texts: Mapping[str, str]) -> Iterator[list[Path]]:
        """Everything that goes beside a source, under the names that it has there."""
        with tempfile.TemporaryDirectory(prefix=RESULTS, dir=self._claims.home) as name:
            folder = Path(name)
            for file in files:
                beside(file, folder / unlike(source, file.name))
            for wanted, text in texts.items():
                (folder / unlike(source, wanted)).write_text(text, "utf-8")
            yield sorted(folder.iterdir())

    def _move_source(self, there: OpenDirectory, claim: FileClaim) -> None:
        """Move the source, which comes last; where it is gone, the copy that was imported takes its place."""
        to, copy = f"{claim.to}/{claim.name}", self._claims.copy(claim)
        moved = self._claiming.leave(there, claim, to, copy if claim.sha256 else None)
        if not moved and claim.sha256 and not there.has(to):
            there.upload(copy, to)

    # ------------------------------------------------------------------ after a kill

    def recover(self) -> None:
        """Finish what only lacked its last step: the source is in its place, and something is left behind."""
        self._claims.tidy()
        if not (self._team or self._claims.all()):
            return
        with self._reading() as there:
            self._take_over(there)
            for claim in self._claims.all():
                if claim.to and self._is_in_place(there, claim):
                    self._claiming.clear(there, claim)
                    self._claims.drop(claim)

    def _take_over(self, there: OpenDirectory) -> None:
        """Go on with what another host of the team has claimed: no pass of it is under way."""
        for claim in self._claiming.all(there):
            if self._claims.of(claim.name) is None:
                self._claims.write(claim)

    def _is_in_place(self, there: OpenDirectory, claim: FileClaim) -> bool:
        to, copy = f"{claim.to}/{claim.name}", self._claims.copy(claim)
        info = there.info(to)
        if info is None or info.get("size") != claim.size:
            return False
        return not copy.exists() or there.is_like(copy, to)

    def _claim_of(self, path: Path) -> FileClaim:
        claim = self._claims.of(path.name)
        if claim is None:
            raise StorageError(
                f"Nothing is known of {self.shown}/{readable(path.name)}.", "It may have been moved by hand."
            )
        return claim


def _inside(place: Path) -> Path:
    if place.is_absolute() or ".." in place.parts:
        raise UsageError(
            f"'{place}' in [nightly] is outside the folder, which is at an address.",
            "Give archive and failed names inside it, such as 'archive'.",
        )
    return place
