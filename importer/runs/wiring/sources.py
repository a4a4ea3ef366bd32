"""A source becomes an open reader whose columns are understood."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.columns import Keeps
from importer.core.commands import FRAME
from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.core.sources import Grouping
from importer.core.steps import AFTER_CREATE
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.profile import Profile
from importer.readers import STDIN, content_hash, is_frame, keep_stdin, open_frame, open_source
from importer.runs.archive import readable
from importer.runs.leftovers import SPOOL_NAME, private_folder
from importer.runs.wiring.clock import today
from importer.runs.wiring.workspace import make_directory

if TYPE_CHECKING:
    import pandas as pd

    Source = Path | str | pd.DataFrame
    """A path, an address, `-` for standard input, or a DataFrame."""


_OF_CREATES = tuple(step.value for step in AFTER_CREATE)
"""Steps that no change of a customer has."""


def typed(source: Source) -> Path | str:
    """A source as a person types it."""
    if is_frame(source):
        return FRAME
    return STDIN if Path(source).name == STDIN else source


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A source that can be opened: a file of this machine, or a DataFrame.

    Args:
        origin: where it came from, for people and the journal; never a secret.
        corrections: a file that says which of its cells are read as another text; None: there is none.
    """

    source: Path | pd.DataFrame
    origin: str = FRAME
    corrections: Path | None = None

    @property
    def path(self) -> Path:
        """The file; of a DataFrame a path at which there is none."""
        return Path(FRAME) if is_frame(self.source) else self.source

    @property
    def name(self) -> str:
        """What a person can type to name it; empty for a DataFrame."""
        if is_frame(self.source):
            return ""
        return STDIN if self.path.name == STDIN else self.origin

    @property
    def file_name(self) -> str:
        """Its name alone, without a folder."""
        return Path(self.origin).name

    def content_hash(self) -> str:
        """Return a hash of its content, its corrections included, as hex: the same content is recognised again.

        Raises:
            SourceError: it cannot be read.
        """
        found = self._content_hash()
        if self.corrections is None:
            return found
        return hashlib.sha256(f"{found} {content_hash(self.corrections)}".encode()).hexdigest()

    def _content_hash(self) -> str:
        if is_frame(self.source):
            from importer.readers.dataframe.origin import frame_hash  # noqa: PLC0415  # pandas, half a second

            return frame_hash(self.source)
        return content_hash(self.path)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source whose columns are understood.

    Args:
        path: where it is on this machine; a fetched one only as long as it is open.
        origin: where it came from, as the header of its run says.
        grouping: which rows are one business; None: every row is a customer of its own.
        corrections: hash of the file that corrects its cells; empty: there is none.
    """

    reader: Reader
    mapper: ColumnMapper
    path: Path
    origin: str
    grouping: Grouping | None = None
    corrections: str = ""


@contextmanager
def on_disk(source: Path | str, profile: Profile) -> Iterator[Path]:
    """Have a source as a file: standard input (`-`) is kept in one while the block lasts.

    Raises:
        SourceError: nothing came through standard input, or too much; or its name is not text.
    """
    if str(source) != STDIN:
        _check_name(Path(source))
        yield Path(source)
        return
    make_directory(profile.workspace)
    with private_folder(profile.workspace / SPOOL_NAME) as folder:
        yield keep_stdin(folder / STDIN, profile.source)


def _check_name(path: Path) -> None:
    """Refuse a name that the journal, reports and notifications could not hold."""
    if readable(str(path.absolute())) != str(path.absolute()):
        raise SourceError(f"The name of the file '{readable(str(path))}' is not UTF-8 text.", "Rename it.")


@contextmanager
def opened(at_hand: LocalSource, profile: Profile, *, name: str = "") -> Iterator[Opened]:
    """Open a source and match its columns, before anything else of a run exists.

    Args:
        name: the path or address that a person can name it by; empty: nobody can, and hints name no command.

    Raises:
        ProfileError: the mapping does not fit the source.
        SourceError: it cannot be read, or without a mapping its columns cannot make a customer.
    """
    source = at_hand.source
    changes = profile.validation.partial
    keeps: Keeps = "id" if changes else "none"
    if is_frame(source):
        reading = open_frame(source, profile.source, keeps=keeps)
    else:
        reading = open_source(at_hand.path, profile.source, keeps=keeps)
    with closing(reading) as reader:
        table = Table.of(profile.transform, reader.info, next(iter(reader.batches()), None))
        mapper = build_mapper(
            profile.contract,
            profile.mapping,
            table,
            today=today(),
            source=profile.source,
            validation=profile.validation,
            looks=profile.commands.looks(name) if name else "",
        ).without_steps(_OF_CREATES if changes else profile.after_create.steps_off, updates=changes)
        grouping = None  # a change is of one customer by one row
        if not changes:
            grouping = grouping_of(profile.contract, profile.grouping, mapper.rules, table.info.columns)
        path = at_hand.path.absolute() if at_hand.name else at_hand.path
        corrections = "" if at_hand.corrections is None else content_hash(at_hand.corrections)
        yield Opened(reader, mapper, path, at_hand.origin, grouping, corrections)
