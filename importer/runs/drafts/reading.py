"""How the file of a draft is read: its first rows as they are read, and another way of reading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from importer.core.batches import RawBatch
from importer.core.ports import Reader
from importer.core.sources import SourceInfo
from importer.journal import Draft, DraftFacts, Reading
from importer.mapping import Table
from importer.readers import open_source
from importer.results import shown
from importer.runs.drafts.drafts import DraftService
from importer.runs.returns import routing


class ReadRow(NamedTuple):
    """One row as it is read.

    Args:
        row: its number in the spreadsheet.
        cells: as many as there are columns.
    """

    row: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A file as it is read.

    Args:
        info: its format, columns, sheets, what was detected and why, and warnings.
        rows: the first ones.
        came_from: runs that this file was handed out by for fixing; empty: it is a file of its own.
    """

    info: SourceInfo
    rows: Sequence[ReadRow]
    came_from: Sequence[str] = ()


def first_rows(service: DraftService, draft: str, count: int = 20, *, show_values: bool = True) -> ReadSource:
    """Read the first rows of a draft's file.

    Args:
        show_values: False masks every cell.

    Raises:
        UsageError: there is no such draft, or it has no file.
        SourceError: the file cannot be read in the way that was chosen.
    """
    found = service.find(draft)
    table = table_of(service, found)
    rows = () if table.sample is None else _rows(table.sample, count, show_values=show_values)
    return ReadSource(table.info, tuple(rows), came_from(service, found))


def came_from(service: DraftService, draft: Draft) -> Sequence[str]:
    """The runs that the file of a draft was handed out by for fixing; empty: it is a file of its own.

    Raises:
        UsageError: the draft has no file.
    """
    file = service.source(draft)
    return service.remembered(
        ("came_from", draft.id, draft.facts.kept_in), lambda: routing.runs_if_any(file, service.profile.source) or ()
    )


def choose_reading(service: DraftService, draft: str, reading: Reading, *, by: str, seen: int | None = None) -> Draft:
    """Choose how the file of a draft is read. Where that is another way, its corrections are taken back.

    Args:
        by: the person.
        seen: as of `DraftService.editable`.

    Raises:
        SourceError: the file cannot be read in this way; nothing is changed.
        UsageError, BusyError: as of `DraftService.editable`.
        ProfileError: there is no such choice.
    """
    found = service.editable(draft, seen)
    table_of(service, replace(found, facts=found.facts.merged(DraftFacts(reading=reading))))
    act = service.act(by, "reading chosen", **reading.model_dump(exclude_none=True))
    if reading == found.facts.reading:
        return service.note(found, DraftFacts(stage="map"), act)
    facts = DraftFacts(reading=reading, rules=None, checked_run="", plan="", stage="map")
    return service.note(found, facts, act, drops_corrections=True)


def table_of(service: DraftService, draft: Draft) -> Table:
    """The file of a draft as it is read, without corrections: its columns and first rows. Read once for each choice.

    Raises:
        UsageError: the draft has no file.
        SourceError: it cannot be read as was chosen.
        ProfileError: there is no such choice.
    """

    def read() -> Table:
        with opened(service, draft) as reader:
            return Table.of(service.profile.transform, reader.info, next(iter(reader.batches()), None))

    return service.remembered(("table", *read_key(draft)), read)


@contextmanager
def opened(service: DraftService, draft: Draft) -> Iterator[Reader]:
    """Open the file of a draft as was chosen, without corrections; errors as of `table_of`."""
    settings: dict[str, Any] = draft.facts.reading.model_dump(exclude_none=True)
    profile = service.profile_of(draft).with_options({f"source.{key}": value for key, value in settings.items()})
    with closing(open_source(service.source(draft), profile.source)) as reader:
        yield reader


def read_key(draft: Draft) -> tuple[str, ...]:
    """What the rows of a draft's file depend on."""
    return draft.id, draft.facts.kept_in, draft.facts.reading.model_dump_json()


def _rows(sample: RawBatch, count: int, *, show_values: bool) -> Iterator[ReadRow]:
    columns = [column[:count] for column in sample.cells]
    for row, cells in zip(sample.rows[:count], zip(*columns, strict=True), strict=True):
        yield ReadRow(row, [shown(cell, show_values=show_values) for cell in cells])
