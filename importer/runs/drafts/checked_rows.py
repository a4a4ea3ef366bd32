"""The rows of the dry run that checked a draft, held in memory: any of them is found at once. Changes nothing."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from importer.core.columns import extra_columns, is_extra
from importer.core.corrections import Correction
from importer.core.issues import IssueKind, IssueLog
from importer.core.results import ResultBatch
from importer.runs import registry
from importer.runs.drafts.row_checks import Asked, RowChecks, Verdict
from importer.runs.kept_corrections import kept_corrections


class Row(NamedTuple):
    """The texts of one row."""

    cells: tuple[str, ...]
    surplus: tuple[str, ...] = ()

    def text(self, columns: Mapping[str, int], column: str) -> str | None:
        """One of its cells; None where there is no such cell."""
        if column in columns:
            return self.cells[columns[column]]
        names = extra_columns(len(self.surplus))
        return self.surplus[names.index(column)] if column in names else None

    def corrected(self, columns: Mapping[str, int], texts: Mapping[str, str]) -> Row:
        """The row with other texts; surplus cells keep their places.

        Args:
            columns: to each column its place.
            texts: column to text.
        """
        cells, surplus = list(self.cells), list(self.surplus)
        for column, text in texts.items():
            if column in columns:
                cells[columns[column]] = text
            else:
                surplus[extra_columns(len(surplus)).index(column)] = text
        return Row(tuple(cells), tuple(surplus))

    @property
    def has_surplus(self) -> bool:
        """Whether there is text beyond its columns."""
        return any(map(str.strip, self.surplus))

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it, so that no reader takes it for a row."""
        return not self.has_surplus and not any(map(str.strip, self.cells))


@dataclass(frozen=True, eq=False)
class CheckedRows:
    """The rows of one dry run.

    Args:
        columns: to each column of the source its place.
        numbers: of all rows, ascending: a row is called by its place in here.
        stretches: the rows as they were read, corrections of then included, some at a time.
        issues: of all rows; the ordinal of each is the place of its row.
        corrected: place to the corrections that were part of this check, by column.
        known: by place, what checking a row by itself has given already.
    """

    run_id: str
    columns: Mapping[str, int]
    numbers: array[int]
    stretches: Sequence[ResultBatch]
    issues: IssueLog
    corrected: Mapping[int, Mapping[str, Correction]]
    checks: RowChecks
    known: dict[int, Verdict] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Path, run_id: str) -> CheckedRows:
        """Read a dry run.

        Raises:
            UsageError: there is none, or not all of it.
            JournalError: it cannot be read.
        """
        with registry.opened_run(workspace, run_id) as run:
            run.stored.require_whole()
            run.stored.require_loaded()
            batches = list(run.journal.replay(run.stored.run).batches())
            checks = RowChecks.of(run)
            corrections = kept_corrections(run.journal, run.stored.run, workspace / run_id)
        numbers = array("q", b"".join(batch.frame.index.to_numpy("int64").tobytes() for batch in batches))
        return cls(
            run_id,
            {name: place for place, name in enumerate(checks.columns)},
            numbers,
            [replace(batch, issues=IssueLog()) for batch in batches],
            IssueLog.of(*(batch.issues for batch in batches)),
            by_place(numbers, corrections),
            checks,
        )

    def place(self, number: int) -> int | None:
        """The place of the row with this number; None where there is none."""
        return place_of(self.numbers, number)

    def rows(self, places: Sequence[int]) -> list[Row]:
        """Rows as they were checked; surplus cells that were corrected to blank ones are blank.

        Args:
            places: ascending.
        """
        found: list[Row] = []
        at = 0
        while at < len(places):
            stretch = self.stretches[bisect_right(self.stretches, places[at], key=lambda one: one.first) - 1]
            end = bisect_left(places, stretch.first + len(stretch), at)
            here = [place - stretch.first for place in places[at:end]]
            texts = [series.tolist() for _, series in stretch.frame.iloc[here].items()]
            surplus = [self._surplus(place, stretch.surplus.get(place - stretch.first, ())) for place in places[at:end]]
            found += map(Row, zip(*texts, strict=True), surplus)
            at = end
        return found

    def _surplus(self, place: int, left: tuple[str, ...]) -> tuple[str, ...]:
        """The surplus cells of a row in the places that they have in the source."""
        corrections = self.corrected.get(place, {}).items()
        gone = {column for column, one in corrections if is_extra(column) and not one.after.strip()}
        texts = iter(left)
        return tuple("" if name in gone else next(texts) for name in extra_columns(len(left) + len(gone)))

    def in_source(self, places: Sequence[int]) -> list[Row]:
        """Rows as the source has them, before any correction.

        Args:
            places: ascending.
        """
        rows = zip(places, self.rows(places), strict=True)
        then = self.corrected
        return [
            row.corrected(self.columns, {name: one.before for name, one in then.get(place, {}).items()})
            for place, row in rows
        ]

    @cached_property
    def with_surplus(self) -> Sequence[int]:
        """The places of the rows that have cells beyond the columns, ascending."""
        return [stretch.first + place for stretch in self.stretches for place in sorted(stretch.surplus)]

    def holding(self, column: str, text: str) -> Iterator[int]:
        """The places of the rows that had a text in a column, ascending."""
        for stretch in self.stretches:
            same = (stretch.frame.iloc[:, self.columns[column]] == text).to_numpy(bool)
            yield from (stretch.first + int(place) for place in np.flatnonzero(same))

    @cached_property
    def duplicates(self) -> frozenset[int]:
        """The places of the rows that have duplicates."""
        is_one = [kind.code in self.checks.duplicate_codes for kind in self.issues.kinds]
        pairs = zip(self.issues.ordinals, self.issues.which, strict=True)
        return frozenset(place for place, number in pairs if is_one[number])

    def verdicts(self, places: Sequence[int]) -> list[Verdict]:
        """What checking rows by themselves gives, as they were checked.

        Args:
            places: ascending.
        """
        new = [place for place in places if place not in self.known]
        rows = zip(new, self.rows(new), strict=True)
        asked = [Asked.of(self.numbers[place], row.cells, self.issues_of(place)) for place, row in rows]
        self.known.update(zip(new, self.checks.verdicts(asked), strict=True))
        return [self.known[place] for place in places]

    def issues_of(self, place: int) -> list[IssueKind]:
        """What the dry run found wrong with a row."""
        return [issue.kind for issue in self.issues.between(place, place + 1)]


def place_of(numbers: Sequence[int], number: int) -> int | None:
    """The place of a row's number; None where there is no such row."""
    place = bisect_left(numbers, number)
    return place if place < len(numbers) and numbers[place] == number else None


def by_place(numbers: Sequence[int], corrections: Iterable[Correction]) -> dict[int, dict[str, Correction]]:
    """Sort corrections by the place of their row and their column; those of rows that are not there are left out."""
    found: dict[int, dict[str, Correction]] = defaultdict(dict)
    for one in corrections:
        place = place_of(numbers, one.row)
        if place is not None:
            found[place][one.column] = one
    return dict(found)
