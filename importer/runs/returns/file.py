"""A file that was handed out for fixing and came back: its lines, compared with the rows that they are from.

A line is known by its run and row alone. What a spreadsheet program did to a cell is not a change; only cells that a
person changed are taken, and the others stay as the run has them. Writes nothing, and judges no customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from importer.core.columns import ROW_COLUMN, RUN_COLUMN, is_added, is_extra
from importer.core.errors import SourceError
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issue_codes.returning import RETURN_CODES
from importer.core.issues import Issue, Severity
from importer.core.ports import Reader
from importer.core.results import RowResult
from importer.core.states import RowState
from importer.journal import RunRows
from importer.profile import SourceSettings
from importer.readers import open_handed_out
from importer.results.failing import column_index, pointed_at
from importer.results.round_trip import as_typed, is_unchanged
from importer.runs.registry import RUN_ID

_DONE = frozenset({RowState.CREATED, RowState.EXISTING})
_TOO_LONG = "row_too_long"
_SURPLUS = "The row still has surplus cells in its columns '_extra_…': put them where they belong, or clear them."
_SURPLUS_MISSING = (
    "The row still has surplus cells, but their columns '_extra_…' are missing from the file that came back:"
    " clear those cells in the new rejects.csv of the run, and return that."
)
_WHOLE_NUMBER = re.compile(r"(\d+)(?:[.,]0+)?")
NAMED = 20
"""Lines of one kind that are named by number."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a returned file.

    Args:
        number: its row number in that file.
        row: the number of the run's row that it is from; None where there is none.
        cells: place of the source's column to the text, for the columns that came back.
        surplus: its cells beyond the source's columns.
        room: how many of those the file has columns for.
        issues: what reading found wrong with it; the ordinal means nothing.
    """

    number: int
    run_id: str
    row: int | None
    cells: Mapping[int, str]
    surplus: tuple[str, ...]
    room: int
    issues: Sequence[tuple[int, Issue]] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that came back changed.

    Args:
        was: the row as the run has it.
        cells: all of the row's, the unchanged ones as the run has them.
        surplus: its cells beyond the source's columns.
        reading: what reading the row, or the line, found wrong and no change has answered.
    """

    was: RowResult
    cells: tuple[str, ...]
    surplus: tuple[str, ...]
    reading: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that is not taken.

    Args:
        line: its row number in the returned file.
        ordinal: the run's row; None where there is none.
    """

    code: str
    message: str
    line: int
    ordinal: int | None = None


@dataclass(slots=True)
class Sorted:
    """What a returned file brings.

    Args:
        changed: ordinal to the row.
        refused: lines that are not taken.
        unchanged: how many lines came back as they were handed out.
    """

    changed: dict[int, Changed] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    unchanged: int = 0
    lines: int = 0


@contextmanager
def opened_return(path: Path, settings: SourceSettings) -> Iterator[ReturnedFile | None]:
    """Open a file that came back; None for any other file.

    Args:
        settings: `[source]` of the profile, for its limits alone.

    Raises:
        SourceError: it cannot be read.
    """
    reader = open_handed_out(path, settings)
    if reader is None:
        yield None
        return
    try:
        yield ReturnedFile(reader)
    finally:
        reader.close()


def runs_of(path: Path, settings: SourceSettings) -> list[str] | None:
    """The runs that a file came back from, the first one first; None for any other file. Errors as above."""
    with opened_return(path, settings) as file:
        return None if file is None else file.run_ids()


class ReturnedFile:
    """An open file that came back.

    Args:
        reader: with the added columns among the others.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names = reader.info.columns
        self._run, self._row = self._names.index(RUN_COLUMN), self._names.index(ROW_COLUMN)
        self._room = sum(map(is_extra, self._names))

    @property
    def name(self) -> str:
        """The file's name."""
        return self._reader.info.name

    def run_ids(self) -> list[str]:
        """The runs that its lines are from, the first one first."""
        found: dict[str, None] = {}
        for batch in self._reader.batches():
            found.update(dict.fromkeys(map(str.strip, batch.cells[self._run])))
        return [run_id for run_id in found if run_id]

    def lines(self, columns: Sequence[str]) -> Iterator[Line]:
        """Every line.

        Args:
            columns: those of the run's source.

        Raises:
            SourceError: the file has none of them.
        """
        places = self._places(columns)
        at = {place: column for column, place in places.items()}
        names = {name: place for place, name in enumerate(self._names)}
        for batch in self._reader.batches():
            issues: dict[int, list[tuple[int, Issue]]] = {}
            for issue in batch.issues:
                column = at.get(names.get(issue.column, -1), -1)
                issues.setdefault(issue.ordinal - batch.first, []).append((column, issue))
            for place, (number, *row) in enumerate(batch.frame.itertuples(name=None)):
                yield Line(
                    number,
                    row[self._run].strip(),
                    _number(row[self._row]),
                    {column: row[where] for column, where in places.items()},
                    batch.surplus.get(place, ()),
                    self._room,
                    issues.get(place, ()),
                )

    def _places(self, columns: Sequence[str]) -> dict[int, int]:
        """The place in the file of every source column that came back: by name; by order only where all names agree."""
        own = [place for place, name in enumerate(self._names) if not is_added(name)]
        texts = {as_typed(self._names[place]): place for place in own}
        found = {column: texts[name] for column, name in enumerate(columns) if name in texts}
        if len(own) == len(columns) and len(found) >= len(columns) / 2:
            return dict(enumerate(own)) if all(own[column] == place for column, place in found.items()) else found
        if not found:
            raise SourceError(
                f"'{self.name}' came back without any column of its source.",
                "Keep the header as it was handed out; only the cells under it are to be fixed.",
            )
        return found


def _number(text: str) -> int | None:
    found = _WHOLE_NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else None


def sort_out(file: ReturnedFile, run_ids: frozenset[str], columns: Sequence[str], rows: RunRows) -> Sorted:
    """Hold every line of a returned file against the run that it is from.

    Args:
        run_ids: the names of that run: its own, and that of the dry run that it goes on with.
        columns: those of the run's source.
    """
    found, seen, repeated = Sorted(), dict[int, int](), dict[int, int]()
    index = column_index(columns)
    for line in file.lines(columns):
        found.lines += 1
        was = rows.find(line.row) if line.run_id in run_ids and line.row is not None else None
        if was is None:
            found.refused.append(_not_of_this_run(line, run_ids))
        elif was.ordinal in seen:
            repeated.setdefault(was.ordinal, seen[was.ordinal])
            found.refused.append(_repeated(line.number, was))
        else:
            seen[was.ordinal] = line.number
            _compare(line, was, columns, index, found)
    for ordinal, number in repeated.items():  # none of them is taken: which one is meant is unknown
        others = [one for one in found.refused if (one.line, one.ordinal) != (number, ordinal)]
        if found.changed.pop(ordinal, None) is None and len(others) == len(found.refused):
            found.unchanged -= 1
        found.refused = [*others, _repeated(number, rows.at(ordinal))]
    found.refused.sort(key=lambda one: one.line)
    return found


def _not_of_this_run(line: Line, run_ids: frozenset[str]) -> Refusal:
    # A text in these columns may have been moved there from another one, so it is repeated only where it is ours.
    if line.run_id in run_ids:
        reason = "its column '_row' names no row of its run" if line.row else "its column '_row' is blank or no number"
        return _refusal("returned_row_unknown", f"This line cannot be taken back: {reason}.", line.number)
    named = f"it is from the run {line.run_id}" if RUN_ID.fullmatch(line.run_id) else "its column '_run' names no run"
    reason = named if line.run_id else "its column '_run' is blank"
    return _refusal("returned_run_other", f"This line is not taken into the run: {reason}.", line.number)


def _repeated(line: int, was: RowResult) -> Refusal:
    text = f"Row {was.row} came back in several lines; none of them is taken."
    return _refusal("returned_row_repeated", text, line, was.ordinal)


def _refusal(code: str, message: str, line: int, ordinal: int | None = None) -> Refusal:
    assert code in RETURN_CODES  # noqa: S101  # every code is documented
    return Refusal(code, message, line, ordinal)


def _compare(line: Line, was: RowResult, columns: Sequence[str], index: Mapping[str, int], found: Sorted) -> None:
    faulty = {place for issue in was.errors for place in pointed_at(issue.column, index)}
    cells = list(was.cells)
    changed: set[int] = set()
    for place, text in line.cells.items():
        if not is_unchanged(was.cells[place], text, faulty=place in faulty):
            cells[place] = as_typed(text)
            changed.add(place)
    surplus, missing = _surplus_now(was, line)
    if not changed and surplus == was.surplus and (was.state in _DONE or not missing):
        found.unchanged += 1
    elif was.state in _DONE:
        text = f"Row {was.row} was changed, but its customer exists already; the change is not sent."
        found.refused.append(_refusal("returned_row_done", text, line.number, was.ordinal))
    else:
        said = _SURPLUS_MISSING if missing else _SURPLUS
        reading = _still_wrong(line, was, columns, changed, surplus, said)
        found.changed[was.ordinal] = Changed(was, tuple(cells), surplus, tuple(reading))


def _surplus_now(was: RowResult, line: Line) -> tuple[tuple[str, ...], bool]:
    """The surplus cells that a row has now, and whether some that are an error had no column to come back in."""
    room = max(line.room, len(line.surplus))
    back = (*line.surplus, *[""] * (room - len(line.surplus)), *was.surplus[room:])
    missing = any(was.surplus[room:]) and any(issue.code == _TOO_LONG for issue in was.errors)
    surplus = back[: max((at for at, cell in enumerate(back, 1) if cell), default=0)]
    return (was.surplus if _same_surplus(was.surplus, surplus) else surplus), missing


def _same_surplus(before: Sequence[str], after: Sequence[str]) -> bool:
    return len(before) == len(after) and all(map(is_unchanged, before, after))


def _still_wrong(  # noqa: PLR0917  # one caller
    line: Line, was: RowResult, columns: Sequence[str], changed: set[int], surplus: tuple[str, ...], said: str
) -> Iterator[Issue]:
    """What reading found wrong: of the row where nothing was changed, of the line where something was.

    Args:
        said: of surplus cells that are still there.
    """
    for issue in (*was.errors, *was.warnings):
        if issue.code in READING_CODES and issue.column in columns and columns.index(issue.column) not in changed:
            yield issue
    if surplus and (surplus != was.surplus or any(issue.code == _TOO_LONG for issue in was.errors)):
        yield Issue(was.ordinal, _TOO_LONG, said)
    for column, issue in line.issues:
        if column in changed:
            yield replace(issue, ordinal=was.ordinal, column=columns[column])
        elif column < 0 and issue.severity is Severity.ERROR and issue.code != _TOO_LONG:
            yield replace(issue, ordinal=was.ordinal, column="")
