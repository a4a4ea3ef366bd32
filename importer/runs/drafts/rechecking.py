"""Rows with other cells than at the last check are checked again, each by itself; none is checked twice.

What the check has found out by more than a row alone, such as a comparison with earlier runs, stays as it was found
unless its cell is corrected. What reading has found goes away as it does where the source is read with corrections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from importer.core.corrections import Correction
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import IssueKind
from importer.readers.table.damage import damaged_cells
from importer.results.failing import pointed_at
from importer.runs.drafts.checked_rows import CheckedRows, Row
from importer.runs.drafts.row_checks import Asked, Verdict

Corrections = Mapping[str, Correction]
"""The corrections of one row, by column."""
_NONE: Corrections = {}


class ChangedRow(NamedTuple):
    """A row that is not as it was checked.

    Args:
        texts: column to text, of its corrections: what it was made of.
        alone: what checking it by itself gives.
        others: what the check has found otherwise, and no correction has answered.
    """

    texts: Mapping[str, str]
    row: Row
    alone: Verdict
    others: tuple[IssueKind, ...]

    @property
    def issues(self) -> tuple[IssueKind, ...]:
        """Everything that is wrong with it; with a row without any text nothing is."""
        return () if self.row.is_blank else (*self.alone.issues, *self.others)


@dataclass(frozen=True, eq=False)
class Rechecking:
    """The rows of one dry run, checked again with other corrections.

    Args:
        known: by place, rows that were checked again already.
    """

    checked: CheckedRows
    known: dict[int, ChangedRow] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Path, run_id: str) -> Rechecking:
        """Read a dry run; errors as of `CheckedRows.of`."""
        return cls(CheckedRows.of(workspace, run_id))

    def changed(self, corrections: Mapping[int, Corrections]) -> dict[int, ChangedRow]:
        """Check the rows again that are not as they were checked.

        Args:
            corrections: place to the corrections of now.

        Returns:
            Place to the row, in the order of the places.
        """
        then = self.checked.corrected
        texts = {place: texts_of(corrections.get(place, _NONE)) for place in sorted({*corrections, *then})}
        changed = {place: now for place, now in texts.items() if now != texts_of(then.get(place, _NONE))}
        new = {place: now for place, now in changed.items() if not self._knows(place, now)}
        self.known.update(zip(new, self._checked(new), strict=True))
        return {place: self.known[place] for place in changed}

    def _knows(self, place: int, texts: Mapping[str, str]) -> bool:
        return place in self.known and self.known[place].texts == texts

    def _checked(self, texts: Mapping[int, Mapping[str, str]]) -> Iterator[ChangedRow]:
        places, checks = list(texts), self.checked.checks
        rows = [self._row(row, texts[place]) for place, row in zip(places, self.checked.in_source(places), strict=True)]
        left = [self._left(place, row, texts[place]) for place, row in zip(places, rows, strict=True)]
        reading = self._with_damage(rows, left)
        asked = map(Asked.of, map(self.checked.numbers.__getitem__, places), (row.cells for row in rows), reading)
        verdicts = checks.verdicts(list(asked))
        otherwise = self._found_otherwise(dict(zip(places, left, strict=True)))
        yield from map(ChangedRow, texts.values(), rows, verdicts, otherwise)

    def _row(self, row: Row, texts: Mapping[str, str]) -> Row:
        columns = self.checked.columns
        return row.corrected(
            columns, {name: text for name, text in texts.items() if row.text(columns, name) is not None}
        )

    def _left(self, place: int, row: Row, texts: Mapping[str, str]) -> list[IssueKind]:
        """What was found wrong with a row at the check, and no correction since has answered."""
        then = texts_of(self.checked.corrected.get(place, _NONE))
        corrected = {name for name in {*then, *texts} if then.get(name) != texts.get(name)}
        last = self.checked.checks.columns[-1]
        in_shape = not row.has_surplus and bool(row.surplus or last in texts)
        return [
            kind
            for kind in self.checked.issues_of(place)
            if not (in_shape if is_of_shape(kind) else self._is_about(kind, corrected))
        ]

    def _with_damage(self, rows: Sequence[Row], left: Sequence[Sequence[IssueKind]]) -> list[list[IssueKind]]:
        """Add what reading would notice about the cells of rows."""
        found = [list(kinds) for kinds in left]
        columns = list(zip(*(row.cells for row in rows), strict=True))
        for issue in damaged_cells(self.checked.checks.columns, columns) if columns else ():
            known = found[issue.ordinal]
            if not any((kind.code, kind.column) == (issue.code, issue.column) for kind in known):
                known.append(issue.kind)
        return found

    def _is_about(self, kind: IssueKind, columns: set[str]) -> bool:
        names = self.checked.checks.columns
        return any(names[at] in columns for at in pointed_at(kind.column, self.checked.columns))

    def _found_otherwise(self, left: Mapping[int, Sequence[IssueKind]]) -> Iterator[tuple[IssueKind, ...]]:
        """Those of the issues of rows that were found neither by reading nor by the row alone."""
        places = [place for place, kinds in left.items() if any(kind.code not in READING_CODES for kind in kinds)]
        alone = dict(zip(places, self.checked.verdicts(places), strict=True))
        for place, kinds in left.items():
            found = alone[place].issues if place in alone else ()
            yield tuple(kind for kind in kinds if kind not in found and kind.code not in READING_CODES)


def texts_of(corrections: Corrections) -> dict[str, str]:
    """Column to the text that is read."""
    return {column: one.after for column, one in corrections.items()}


def is_of_shape(kind: IssueKind) -> bool:
    """Whether an issue is about the shape of a row: too short, torn, with cells beyond the table."""
    return kind.code in READING_CODES and not kind.column
