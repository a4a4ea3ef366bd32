"""Issues grouped so that a person mends a kind of error once instead of row by row.

Streams: memory grows with the number of different clusters, never with the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from importer.customers.rules import ISSUE_CODES, field_spec, message
from importer.records import Cluster, Issue, RowResult, Severity

EXAMPLE_ROWS = 20

_Key = tuple[str, str, str, Severity]


@dataclass(slots=True)
class _Growing:
    message: str
    varies: bool = False
    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int, message: str) -> None:
        self.count += 1
        self.varies = self.varies or message != self.message
        if len(self.rows) < EXAMPLE_ROWS and (not self.rows or self.rows[-1] != row):
            self.rows.append(row)


class ClusterCounter:
    """Gathers clusters from rows as they pass; usable as a watcher of `write_results`."""

    def __init__(self) -> None:
        self._clusters: dict[_Key, _Growing] = {}

    def __call__(self, rows: Sequence[RowResult]) -> None:
        """Take a chunk of rows, in source order."""
        for result in rows:
            for issue in result.errors:
                self._add(issue, result.row)
            for issue in result.warnings:
                self._add(issue, result.row)

    def clusters(self) -> list[Cluster]:
        """Return all clusters: errors before warnings, the most frequent first."""
        found = [
            Cluster(code, name, column, severity, _sentence(code, name, grown), grown.count, tuple(grown.rows))
            for (code, name, column, severity), grown in self._clusters.items()
        ]
        return sorted(found, key=_rank)

    def _add(self, issue: Issue, row: int) -> None:
        key = (issue.code, issue.field, issue.column, issue.severity)
        if key not in self._clusters:
            self._clusters[key] = _Growing(issue.message)
        self._clusters[key].add(row, issue.message)


def _sentence(code: str, name: str, grown: _Growing) -> str:
    """The sentence for all rows: where each has its own (naming another row, or a country), the documented one."""
    entry = ISSUE_CODES.get(code)
    if not grown.varies or entry is None:
        return grown.message
    if "{country}" in entry.message:
        return message(code, field_spec(name))
    return grown.message if "{" in entry.message else entry.message


def _rank(cluster: Cluster) -> tuple[bool, int, str, str, str]:
    return (
        cluster.severity is Severity.WARNING,
        -cluster.count,
        cluster.code,
        cluster.field,
        cluster.column,
    )


def clusters(rows: Iterable[RowResult]) -> list[Cluster]:
    """Group all issues of `rows` by code, field and column (see `ClusterCounter.clusters` for the order)."""
    counter = ClusterCounter()
    for result in rows:
        counter((result,))
    return counter.clusters()
