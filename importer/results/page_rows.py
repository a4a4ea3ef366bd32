"""The failing rows and the kinds of issue as the page shows them: numbered, so that each leads to the other.

Values of cells are masked unless asked for. Makes no markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from importer.core.issues import Issue, Severity
from importer.core.results import Cluster, RowResult
from importer.results.clusters import Advice
from importer.results.failing import column_index, pointed_at, shown
from importer.results.report_data import ReportData
from importer.results.table import escape_formula

_WHOLE_ROW = "(the row as a whole)"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of issue.

    Args:
        number: from 1, in the order of the page; what links and filters name it by.
    """

    number: int
    cluster: Cluster
    advice: Advice

    @property
    def is_error(self) -> bool:
        return self.cluster.severity is Severity.ERROR

    @property
    def title(self) -> str:
        """What is wrong and where, for a list to choose from."""
        where = f" in {self.cluster.column}" if self.cluster.column else ""
        return f"{self.advice.title}{where}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One issue of a failing row.

    Args:
        kind: the number of its kind; 0: the report has none.
    """

    column: str
    cell: str
    message: str
    severity: str
    kind: int


@dataclass(frozen=True, slots=True)
class FailingRow:
    """One row of the table of failing rows."""

    row: int
    state: str
    problems: tuple[Problem, ...]


class ColumnIssues(NamedTuple):
    """The issues of one column; how long their bars are, in percent of the most errors, or warnings, of any column."""

    name: str
    errors: int
    warnings: int
    errors_share: float
    warnings_share: float


def kinds_of(report: ReportData) -> list[Kind]:
    """Number the kinds of issue of a report."""
    return [Kind(number, cluster, report.advice(cluster)) for number, cluster in enumerate(report.clusters, 1)]


def failing_rows(
    results: Sequence[RowResult], columns: Sequence[str], kinds: Sequence[Kind], *, show_values: bool
) -> list[FailingRow]:
    """Make the rows of the table.

    Args:
        columns: the source's columns, in order.
        show_values: show the offending cells as they are instead of their shape.
    """
    index = column_index(columns)
    numbers = {_key(one.cluster): one.number for one in kinds}

    def cell(result: RowResult, column: str) -> str:
        texts = [shown(result.cells[at], show_values=show_values) for at in pointed_at(column, index)]
        return escape_formula(" / ".join(texts))

    def problems(result: RowResult) -> Iterator[Problem]:
        for issue in (*result.errors, *result.warnings):
            number = numbers.get(_key(issue), 0)
            yield Problem(issue.column, cell(result, issue.column), issue.message, str(issue.severity), number)

    return [FailingRow(result.row, str(result.state), tuple(problems(result))) for result in results]


def _key(one: Cluster | Issue) -> tuple[str, str, str, Severity]:
    return one.code, one.field, one.column, one.severity


def page_data(rows: Sequence[FailingRow], kinds: Sequence[Kind]) -> Mapping[str, Any]:
    """Return what the page's script works with, in JSON types without names, since rows are many."""
    return {"rows": [_compact(row) for row in rows], "titles": [one.title for one in kinds]}


def _compact(row: FailingRow) -> list[Any]:
    problems = [[p.column, p.cell, p.message, int(p.severity == "warning"), p.kind] for p in row.problems]
    return [row.row, row.state, problems]


def by_column(clusters: Sequence[Cluster]) -> list[ColumnIssues]:
    """Count errors and warnings for each column. Each has a scale of its own, since one could hide the other."""
    errors: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    for cluster in clusters:
        counter = errors if cluster.severity is Severity.ERROR else warnings
        counter[cluster.column or _WHOLE_ROW] += cluster.count
    most = max(errors.values(), default=1), max(warnings.values(), default=1)
    names = sorted({*errors, *warnings}, key=lambda name: (-errors[name], -warnings[name], name))
    return [
        ColumnIssues(name, errors[name], warnings[name], 100 * errors[name] / most[0], 100 * warnings[name] / most[1])
        for name in names
    ]
