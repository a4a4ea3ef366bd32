"""A source becomes an open reader whose columns are understood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from importer.errors import SourceError
from importer.leftovers import SPOOL_NAME, private_folder
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.nightly.filing import readable
from importer.ports import Reader
from importer.profile import Profile
from importer.readers import STDIN, keep_stdin, open_source
from importer.records import Grouping
from importer.wiring.clock import today
from importer.wiring.workspace import make_directory


@dataclass(frozen=True, slots=True)
class Opened:
    """A source whose columns are understood.

    Args:
        path: where it lies on this machine; a fetched one only as long as it is open.
        grouping: which rows are one business; None: every row is a customer of its own.
    """

    reader: Reader
    mapper: ColumnMapper
    path: Path
    grouping: Grouping | None = None


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
    """Refuse a name that the journal, reports and notices could not hold."""
    if readable(str(path.absolute())) != str(path.absolute()):
        raise SourceError(f"The name of the file '{readable(str(path))}' is not UTF-8 text.", "Rename it.")


@contextmanager
def opened(source: Path, profile: Profile, *, origin: str = "") -> Iterator[Opened]:
    """Open a source and match its columns, before anything else of a run exists.

    Args:
        origin: the path or address that a person can name it by; empty: nobody can, and hints name no command.

    Raises:
        ProfileError: the mapping does not fit the source.
        SourceError: it cannot be read, or without a mapping its columns cannot make a customer.
    """
    with closing(open_source(source, profile.source)) as reader:
        table = Table.of(profile.transform, reader.info, next(iter(reader.batches()), None))
        mapper = build_mapper(
            profile.mapping,
            table,
            today=today(),
            source=profile.source,
            validation=profile.validation,
            looks=profile.commands.looks(origin) if origin else "",
        )
        grouping = grouping_of(profile.grouping, mapper.rules, table.info.columns)
        yield Opened(reader, mapper, Path(source).absolute(), grouping)
