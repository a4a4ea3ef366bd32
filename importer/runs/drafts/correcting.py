"""Cells of a draft are corrected, each set of them as one change that can be undone. Judges no customer.

What the source holds in a cell is looked up here, so that a correction can only be of a cell as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from importer.core.columns import extra_columns
from importer.core.corrections import Correction
from importer.core.errors import UsageError
from importer.core.labels import did_you_mean, named, quotable
from importer.journal import Change, Draft
from importer.runs.drafts.checked_rows import Row
from importer.runs.drafts.corrected_rows import CorrectedRows
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.rechecking import is_of_shape


class Edit(NamedTuple):
    """A cell as it is to be read.

    Args:
        row: its number in the spreadsheet.
        column: of the source, or `_extra_1`, `_extra_2`, … for a cell beyond the columns.
    """

    row: int
    column: str
    after: str


def correct(service: DraftService, draft: str, edits: Iterable[Edit], *, by: str, seen: int | None = None) -> Draft:
    """Have cells of a draft read as other texts, as one change.

    Whoever corrects a row whose shape is in doubt (too short, torn) has seen it: it is in shape then.

    Args:
        by: the person.
        seen: as of `DraftService.editable`.

    Raises:
        UsageError: there is no such cell, or a text cannot be one; or as of `DraftService.editable` and `rows_of`.
        BusyError: somebody else has changed the draft.
    """
    found = service.editable(draft, seen)
    now = service.rows_of(found)
    texts = texts_of(now, edits, service.profile.source.limits.max_cell_chars)
    return keep(service, found, corrections_of(now, texts, confirms=True), by, "corrected")


def leave_out(service: DraftService, draft: str, numbers: Iterable[int], *, by: str, seen: int | None = None) -> Draft:
    """Leave rows out: all their cells are read as blank ones, and no reader takes that for a row.

    Args:
        numbers: of the rows in the spreadsheet.
        by, seen: as of `correct`, and so are the errors.
    """
    found = service.editable(draft, seen)
    now = service.rows_of(found)
    places = sorted({place_of(now, number) for number in numbers})
    rows = zip(places, now.rows(places), strict=True)
    texts = {place: {name: "" for name, text in _named(now, row) if text} for place, row in rows}
    return keep(service, found, corrections_of(now, texts), by, "left out")


def put_back(service: DraftService, draft: str, numbers: Iterable[int], *, by: str, seen: int | None = None) -> Draft:
    """Have rows read as the source has them, also such that were left out; arguments and errors as of `leave_out`."""
    found, wanted = service.editable(draft, seen), set(numbers)
    with service.opened() as drafts:
        made = [replace(one, after=one.before) for one in drafts.corrections(found.id, wanted)]
    return keep(service, found, made, by, "put back")


def _named(now: CorrectedRows, row: Row) -> Iterator[tuple[str, str]]:
    """The cells of a row, each with the name of its column."""
    names = (*now.checked.columns, *extra_columns(len(row.surplus)))
    return zip(names, (*row.cells, *row.surplus), strict=True)


def undo(service: DraftService, draft: str, *, by: str, seen: int | None = None) -> Draft:
    """Take the newest change of cells back; arguments as of `correct`.

    Raises:
        UsageError: there is none; or as of `DraftService.editable`.
        BusyError: somebody else has changed the draft.
    """
    found = service.editable(draft, seen)
    with service.opened() as drafts:
        return drafts.undo(found.id, service.act(by, "undone"), seen=found.version)


def changes(service: DraftService, draft: str) -> list[Change]:
    """Every change of a draft's cells, the newest first, those that were undone too."""
    with service.opened() as drafts:
        return drafts.changes(draft)


# --------------------------------------------------------------------------- edits become corrections


def texts_of(now: CorrectedRows, edits: Iterable[Edit], most_chars: int) -> dict[int, dict[str, str]]:
    """Sort edits by the place of their row; of two of one cell the later one counts.

    Args:
        most_chars: a cell holds no more.

    Raises:
        UsageError: there is no such row, or a text cannot be one of a cell.
    """
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row, column, after in edits:
        require_text(after, most_chars)
        found[place_of(now, row)][column] = after
    return found


def place_of(now: CorrectedRows, number: int) -> int:
    """The place of a row.

    Raises:
        UsageError: there is no such row.
    """
    place = now.checked.place(number)
    if place is None:
        raise UsageError(f"There is no row {number:,}.", "Rows are numbered as in the spreadsheet.")
    return place


def require_text(text: str, most_chars: int) -> None:
    """Refuse a text that no cell can hold.

    Raises:
        UsageError: it is one.
    """
    if len(text) > most_chars:
        raise UsageError(f"A cell holds at most {most_chars:,} characters.", "Shorten the text.")
    if "\x00" in text or (not text.isprintable() and text.encode(errors="replace").decode() != text):
        raise UsageError("The text holds a character that no file can hold.", "Type it again.")


def corrections_of(
    now: CorrectedRows, texts: Mapping[int, Mapping[str, str]], *, confirms: bool = False
) -> list[Correction]:
    """Turn texts of cells into corrections; those that change nothing are left out.

    Args:
        texts: place of a row to the texts by column.
        confirms: confirm the last cell of rows whose shape is in doubt.

    Raises:
        UsageError: there is no such cell.
    """
    places = sorted(texts)
    rows = zip(places, now.checked.in_source(places), now.rows(places), strict=True)
    return [one for place, was, row in rows for one in _of_row(now, place, (was, row), texts[place], confirms=confirms)]


def _of_row(
    now: CorrectedRows, place: int, row: tuple[Row, Row], texts: Mapping[str, str], *, confirms: bool
) -> Iterator[Correction]:
    """The corrections of one row.

    Args:
        row: as the source has it, and as it is now.
    """
    (was, there), number, columns = row, now.checked.numbers[place], now.checked.columns
    changed = {column: text for column, text in texts.items() if text != _text(now, place, there, column)}
    for column, text in changed.items():
        yield Correction(number, column, _text(now, place, was, column), text)
    last = now.checked.checks.columns[-1]
    in_doubt = confirms and any(is_of_shape(issue.kind) for issue in now.issues.between(place, place + 1))
    if changed and in_doubt and last not in changed and not there.corrected(columns, changed).has_surplus:
        yield Correction(number, last, was.cells[columns[last]], there.cells[columns[last]])


def _text(now: CorrectedRows, place: int, row: Row, column: str) -> str:
    text = row.text(now.checked.columns, column)
    if text is None:
        number, near = now.checked.numbers[place], did_you_mean(column, quotable(now.checked.columns))
        raise UsageError(f"Row {number:,} has no column {named(column)}{near}")
    return text


def keep(service: DraftService, draft: Draft, made: Sequence[Correction], by: str, what: str) -> Draft:
    """Keep corrections as one change; where there is none, the draft stays as it is.

    Raises:
        BusyError: somebody else has changed the draft.
    """
    if not made:
        return draft
    columns = sorted({one.column for one in made})
    act = service.act(by, what, cells=len(made), columns=", ".join(map(named, columns)))
    with service.opened() as drafts:
        return drafts.correct(draft.id, made, act, seen=draft.version)
