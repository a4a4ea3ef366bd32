"""Rows and runs as they are reported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING

from importer.core.issues import Issue, IssueLog, Severity
from importer.core.states import RowState

if TYPE_CHECKING:
    import pandas as pd  # half a second to import: only whoever makes a frame pays for it


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row of the source with everything known about it: what a results file is made of."""

    ordinal: int
    row: int
    cells: Sequence[str]
    state: RowState
    customer_id: str = ""
    key: str = ""
    external_id: str = ""
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    http_status: int | None = None
    trace_id: str = ""
    attempts: int = 0
    candidates: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ResultBatch:
    """Consecutive rows of the source with everything known about them, columnar; what is rare is kept by place.

    Args:
        first: ordinal of the first row.
        frame: as of `RawBatch`; every sequence here is as long. Without columns where they were purged.
        issues: of these rows, in the order they were found.
        candidates: place to the ids of the customers that could be that row.
        surplus: place to the cells that this row has beyond the source's columns.
        spoken_for: places of rows that are one customer with another row, which was sent for them.
        follow_up: each of `columns.STEP_COLUMNS` to one text a row; empty: the run has no steps after a create.
    """

    first: int
    frame: pd.DataFrame = field(repr=False)
    states: Sequence[RowState]
    customer_ids: Sequence[str]
    keys: Sequence[str]
    external_ids: Sequence[str]
    http_statuses: Sequence[int | None]
    trace_ids: Sequence[str]
    attempts: Sequence[int]
    issues: IssueLog = field(default_factory=IssueLog)
    candidates: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    spoken_for: Collection[int] = ()
    follow_up: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _numbers: list[int] = field(default_factory=list, init=False, repr=False)
    _texts: list[list[str]] = field(default_factory=list, init=False, repr=False)

    @property
    def rows(self) -> list[int]:
        """The row numbers that a person sees; made once."""
        if not self._numbers:
            self._numbers.extend(self.frame.index.tolist())
        return self._numbers

    @property
    def cells(self) -> list[list[str]]:
        """The columns as lists of texts; made once."""
        if not self._texts:
            self._texts.extend(series.tolist() for _, series in self.frame.items())
        return self._texts

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[RowResult]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, place: int) -> RowResult:
        return self._result(place, tuple([column[place] for column in self.cells]))

    def at(self, places: Sequence[int]) -> list[RowResult]:
        """The rows in some places: the cells of all others are left as they are."""
        columns = [series.tolist() for _, series in self.frame.iloc[list(places)].items()] if places else []
        cells = zip(*columns, strict=True) if columns else repeat(())
        return [self._result(place, tuple(texts)) for place, texts in zip(places, cells, strict=False)]

    def _result(self, place: int, cells: tuple[str, ...]) -> RowResult:
        ordinal = self.first + place
        issues = self.issues.between(ordinal, ordinal + 1)
        return RowResult(
            ordinal=ordinal,
            row=self.rows[place],
            cells=cells,
            state=self.states[place],
            customer_id=self.customer_ids[place],
            key=self.keys[place],
            external_id=self.external_ids[place],
            errors=tuple([issue for issue in issues if issue.severity is Severity.ERROR]),
            warnings=tuple([issue for issue in issues if issue.severity is Severity.WARNING]),
            http_status=self.http_statuses[place],
            trace_id=self.trace_ids[place],
            attempts=self.attempts[place],
            candidates=self.candidates.get(place, ()),
            surplus=self.surplus.get(place, ()),
        )


@dataclass(frozen=True, slots=True)
class Cluster:
    """All issues of one code, field and column: the full count, and the first rows as examples (at most 20)."""

    code: str
    field: str
    column: str
    severity: Severity
    message: str
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a line: what `runs` lists and every report begins with.

    Args:
        run_id: `YYYYMMDDTHHMMSSZ-xxxxxx`.
        state: `running`, `finished`, `stopped` or `crashed`.
        counts: `read`, then the count of every final state (or `valid` and `invalid`).
        exit_code: None while the run has not ended.
        purged_at: when its personal data was removed; None: it is all there.
        extra: how many surplus cells its widest row has (see `surplus_of`).
        path: where the source lay: absolute, or an address.
    """

    run_id: str
    source: str
    target: str
    dry_run: bool
    state: str
    started_at: float
    ended_at: float | None
    counts: Mapping[str, int]
    exit_code: int | None
    columns: tuple[str, ...] = ()
    sheet: str = ""
    purged_at: float | None = None
    extra: int = 0
    path: str = ""
