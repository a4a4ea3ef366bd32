"""A remote folder that files arrive in: `DropFolder` at an address.

    sftp    customers.csv ─► processing/<owner>/customers.csv ─► archive/<tag>_customers.csv/{…, customers.csv}
    s3, gs  customers.csv ─────────────────────────────────────► archive/<tag>_customers.csv/{…, customers.csv}

What is read is a proved copy in the workspace, under `inboxes/`; it goes when its file has been put away. Results
are uploaded first and the source is moved last, so that a kill at any step leaves something to repeat and nothing
half: the journal knows the content, and is asked before anything is sent. What the tickets of the workspace do not
name is nobody's business here.

Two machines on one folder: over SFTP one of them gets the file. S3 and Google Storage have no rename, so both
may import it, each as its own journal knows it: let one machine, and one workspace, have such a folder. A file
that is replaced while its content is at work is not deleted: the copy that was imported goes into the archive,
and the new file is for the next pass. What is written again by hand later on (`retry`, `export`) stays in the
workspace.

Web servers are refused: HTTP has no standard way to list or move files, and a tool that reads index pages takes
what a page says, not what is there.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
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
from importer.inbox.folder import Seen
from importer.inbox.local_folder import Inbox
from importer.inbox.remote.claimed_file import ByClaim, ByCopy, Custody
from importer.inbox.remote.claims import Ticket, Tickets, seen, ticket_of
from importer.inbox.remote.folder import OpenFolder, RemoteFolder
from importer.profile import Profile
from importer.readers.remote import checksums
from importer.readers.remote.fetching import SUM_FILE, Fetch, fetch, stamps
from importer.runs.archive import beside, folder_name, readable, tag_of, unlike
from importer.runs.leftovers import INBOXES_NAME

_PROCESSING = "processing"
_PART = ".part"


class RemoteInbox:
    """One folder at an address.

    Args:
        stop: ends a transfer under way.

    Raises:
        UsageError: at once: the address names no such place, or the settings do not fit one.
        AccessError, TryLaterError, SourceError: at any operation, as `Store.faults_named`.
        StorageError: at any operation, when something is not there as it was sent.
    """

    def __init__(self, address: str, profile: Profile, stop: Stop | None = None) -> None:
        self._place = RemoteFolder.at(address, profile.remote.silence_s)
        self._settings = profile.nightly
        self._max_bytes, self._stop = profile.source.limits.max_file_bytes, stop
        self.archive, self.failed = _inside(profile.nightly.archive), _inside(profile.nightly.failed)
        self._workspace = profile.workspace
        self._home = profile.workspace / INBOXES_NAME / hashlib.sha256(self._place.identity.encode()).hexdigest()[:16]
        self._meant = Inbox(self._home, profile.nightly).is_meant
        self._tickets = Tickets(self._home / "tickets")
        self._processing = self._home / _PROCESSING
        self._looked: dict[Path, Seen] = {}
        self._markers: dict[Path, Seen] = {}
        self._links: list[str] = []

    @property
    def shown(self) -> str:
        return self._place.shown

    @property
    def lock(self) -> tuple[Path, str]:
        return self._workspace, f"nightly-{self._home.name}"

    def open(self) -> None:
        with self._reading() as there:
            there.entries()
        self._make_home()
        with self._place.opened(f"Files cannot be moved in {self.shown}") as there:
            self._custody.prepare(there)
            for place in (self.archive, self.failed):
                there.make(str(place))

    def _make_home(self) -> None:
        try:
            for folder in (self._processing, self._tickets.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._home / "address").write_text(f"{self.shown}\n", "utf-8")
            if not (self._home / "owner").exists():
                (self._home / "owner").write_text(secrets.token_hex(4), "ascii")
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise StorageError(
                f"Copies of the files cannot be kept in {self._home}: {reason}.", "Check --workspace."
            ) from error

    @property
    def _custody(self) -> Custody:
        """How files are kept from others: what another workspace claimed is left to it."""
        if self._place.store.rename is None:
            return ByCopy(self._settings.marker)
        return ByClaim(self._settings.marker, f"{_PROCESSING}/{(self._home / 'owner').read_text('ascii')}")

    def _reading(self) -> AbstractContextManager[OpenFolder]:
        return self._place.opened(f"The folder {self.shown} cannot be read")

    # ------------------------------------------------------------------ arriving

    def look(self) -> dict[Path, Seen]:
        with self._reading() as there:
            found = there.entries()
        taken = {ticket.name for ticket in self._tickets.all()}
        meant = (name for name in found if self._meant(name) and not name.endswith(SUM_FILE) and name not in taken)
        self._looked = {Path(name): seen(found[name]) for name in meant if found[name].get("type") == "file"}
        markers = {path: found.get(path.name + self._settings.marker) for path in self._looked}
        self._markers = {path: seen(marker) for path, marker in markers.items() if marker is not None}
        self._links = sorted(name for name in found if self._meant(name) and found[name].get("type") == "link")
        return self._looked

    def links(self) -> list[str]:
        return self._links

    def is_marked(self, path: Path) -> bool:
        """Whether a marker says that the file is complete; an older one spoke of another file of that name."""
        return path in self._markers and self._markers[path].changed_ns >= self._looked[path].changed_ns

    def complete(self, before: Mapping[Path, Seen], now: Mapping[Path, Seen]) -> list[Path]:
        stable = self._settings.ready == "stable"
        found = [path for path, seen in now.items() if self.is_marked(path) or (stable and before.get(path) == seen)]
        return sorted(found, key=lambda path: (now[path].changed_ns, path.name))

    def growing(self, now: Mapping[Path, Seen], found: Iterable[Path]) -> list[Path]:
        left = now.keys() - set(found)
        return sorted(path for path in left if self._settings.ready == "stable" or path in self._markers)

    def begun(self) -> list[Path]:
        return [self._path(ticket) for ticket in self._tickets.all()]

    def take(self, path: Path) -> Path | None:
        with self._place.opened(f"{self.shown}/{readable(path.name)} cannot be taken") as there:
            info = there.info(path.name)
            if info is None or seen(info) != self._looked.get(path):
                return None
            ticket = self._tickets.write(ticket_of(path.name, info, there.info(path.name + SUM_FILE)))
            if not self._custody.take(there, ticket):
                self._tickets.drop(ticket)
                return None
        return self._path(ticket)

    def _path(self, ticket: Ticket) -> Path:
        """Where the copy of a taken file lies: the path says nothing about another file of that name."""
        state = f"{ticket.name}|{ticket.stamps}".encode("utf-8", "surrogateescape")
        return self._processing / hashlib.sha256(state).hexdigest()[:16] / ticket.name

    # ------------------------------------------------------------------ fetching

    def at_hand(self, path: Path) -> None:
        ticket, shown = self._known(path), f"{self.shown}/{readable(path.name)}"
        if ticket.sha256 and path.exists():
            return
        what = Fetch(self._place.store, shown, self._max_bytes, stop=self._stop, may_be_empty=True)
        with self._place.opened(f"{shown} cannot be fetched") as there:
            try:
                self._fetch(what, there, ticket, path)
            except StillWrittenError:
                self._give_back(there, ticket)
                raise
            except AccessError as error:
                self._give_back(there, ticket)  # not put aside: a wrong policy must not empty the folder
                raise UnreadableSourceError(error.message, error.hint) from None

    def _give_back(self, there: OpenFolder, ticket: Ticket) -> None:
        if self._custody.give_back(there, ticket):
            self._forget(ticket)

    def _fetch(self, what: Fetch, there: OpenFolder, ticket: Ticket, path: Path) -> None:
        where = self._custody.where(there, ticket)
        info = there.info(where)
        if info is None or stamps(info) != ticket.stamps:
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
        self._tickets.write(replace(ticket, sha256=checksums.sha256(path)))

    # ------------------------------------------------------------------ leaving

    def has(self, tag: str, name: str) -> bool:
        with self._reading() as there:
            return any(there.has(f"{place}/{folder_name(tag, name)}/{name}") for place in (self.archive, self.failed))

    def last_tag(self) -> str:
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
        before: Callable[[Path], None] = lambda _: None,  # noqa: ARG002  # speaks of folders of this machine
    ) -> str:
        ticket = self._known(path)
        try:
            with (
                self._place.opened(f"{readable(ticket.name)} cannot be put into {self.shown}/{place}") as there,
                self._content(ticket.name, files, texts or {}) as content,
            ):
                if not ticket.to.startswith(f"{place}/"):
                    ticket = replace(ticket, to=there.free(f"{place}/{folder_name(tag, ticket.name)}"))
                    self._tickets.write(ticket)
                there.fill(ticket.to, content)
                self._leave(there, ticket)
        except SourceError as error:
            raise StorageError(error.message, error.hint) from None  # nothing is wrong with the file that was imported
        self._forget(ticket)
        return f"{self.shown}/{ticket.to}"

    @contextmanager
    def _content(self, source: str, files: Iterable[Path], texts: Mapping[str, str]) -> Iterator[list[Path]]:
        """Everything that goes beside a source, under the names that it has there."""
        with tempfile.TemporaryDirectory(prefix="results-", dir=self._home) as name:
            folder = Path(name)
            for file in files:
                beside(file, folder / unlike(source, file.name))
            for wanted, text in texts.items():
                (folder / unlike(source, wanted)).write_text(text, "utf-8")
            yield sorted(folder.iterdir())

    def _leave(self, there: OpenFolder, ticket: Ticket) -> None:
        """Move the source, which comes last; where it is gone, what was imported takes its place."""
        to, copy = f"{ticket.to}/{ticket.name}", self._path(ticket)
        moved = self._custody.leave(there, ticket, to, copy if ticket.sha256 else None)
        if not moved and ticket.sha256 and not there.has(to):
            there.upload(copy, to)

    def _forget(self, ticket: Ticket) -> None:
        shutil.rmtree(self._path(ticket).parent, ignore_errors=True)
        self._tickets.drop(ticket)

    # ------------------------------------------------------------------ after a kill

    def recover(self) -> None:
        """Finish what only lacked its last step: the source is in its place, and something is left behind."""
        tickets = self._tickets.all()
        held = {self._path(ticket).parent for ticket in tickets}
        for folder in (*self._processing.iterdir(), *self._home.glob("results-*")):
            if folder not in held:
                shutil.rmtree(folder)
        if not tickets:
            return
        with self._place.opened(f"The folder {self.shown} cannot be read") as there:
            for ticket in tickets:
                if ticket.to and self._is_in_place(there, ticket):
                    self._custody.clear(there, ticket)
                    self._forget(ticket)

    def _is_in_place(self, there: OpenFolder, ticket: Ticket) -> bool:
        to, copy = f"{ticket.to}/{ticket.name}", self._path(ticket)
        info = there.info(to)
        if info is None or info.get("size") != ticket.size:
            return False
        return not copy.exists() or there.is_like(copy, to)

    def _known(self, path: Path) -> Ticket:
        ticket = self._tickets.of(path.name)
        if ticket is None:
            raise StorageError(
                f"Nothing is known of {self.shown}/{readable(path.name)}.", "It may have been moved by hand."
            )
        return ticket


def _inside(place: Path) -> Path:
    if place.is_absolute() or ".." in place.parts:
        raise UsageError(
            f"'{place}' in [nightly] is outside the folder, which is at an address.",
            "Give archive and failed names inside it, such as 'archive'.",
        )
    return place
