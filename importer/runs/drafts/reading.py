"""How the file of a draft is read: its first rows as they are read, and another way of reading them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from importer.core.sources import SourceInfo
from importer.journal import Draft, DraftFacts, Reading
from importer.profile import Profile
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
    path, profile = service.source(found), read_as(service.profile, found.facts.reading)
    info, rows = _read(path, profile, count, show_values=show_values)
    return ReadSource(info, rows, routing.runs_if_any(path, profile.source) or ())


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
    _read(service.source(found), read_as(service.profile, reading), 1)
    act = service.act(by, "reading chosen", **reading.model_dump(exclude_none=True))
    if reading == found.facts.reading:
        return service.note(found, DraftFacts(stage="map"), act)
    facts = DraftFacts(reading=reading, rules=None, checked_run="", plan="", stage="map")
    return service.note(found, facts, act, drops_corrections=True)


def read_as(profile: Profile, reading: Reading) -> Profile:
    """The same profile with what was chosen for reading."""
    chosen: dict[str, Any] = {f"source.{key}": value for key, value in reading.model_dump(exclude_none=True).items()}
    return profile.with_options(chosen) if chosen else profile


def _read(path: Path, profile: Profile, count: int, *, show_values: bool = True) -> tuple[SourceInfo, list[ReadRow]]:
    with closing(open_source(path, profile.source)) as reader:
        sample = next(iter(reader.batches()), None)
        cells = [] if sample is None else [column[:count] for column in sample.cells]
        texts = ([shown(text, show_values=show_values) for text in row] for row in zip(*cells, strict=True))
        return reader.info, [ReadRow(*one) for one in zip(sample.rows if sample else (), texts, strict=False)]
