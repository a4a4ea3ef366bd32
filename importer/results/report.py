"""The report for Python programs and notebooks: rows and issues as DataFrames, a summary in HTML, JSON types.

Reads the journal of a run once more when it is asked for rows; keeps none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from importer.core.errors import UsageError
from importer.core.results import ResultBatch
from importer.results.report_data import ReportData
from importer.results.report_json import report_json
from importer.results.table import Header

if TYPE_CHECKING:
    from pandas import DataFrame

Recorded = Callable[[], AbstractContextManager[tuple[Header, Iterator[ResultBatch]]]]
"""Opens the journal of a run once more: its table's header, and its rows in source order."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(ReportData):
    """The report of one run or dry run; for its values see `ReportData`.

    Args:
        recorded: opens what the DataFrames are made of; None: no row was read.
    """

    recorded: Recorded | None = field(default=None, compare=False)

    def rows(self) -> DataFrame:
        """Return every row of the source with its outcome, read from the journal.

        Columns: those of the source, then those that `results.csv` adds (`_status`, `_customer_id`, `_error_code`, …).
        The index holds the row numbers that a person sees. A run that was resumed or retried has its present rows.

        Raises:
            ImporterError: the run has no rows, was purged, or its workspace is gone or cannot be read.
        """
        from importer.results.tables import rows_frame  # noqa: PLC0415  # pandas, half a second

        with self._reopened() as (header, batches):
            return rows_frame(batches, header)

    def issues(self) -> DataFrame:
        """Return a line for every issue of every row, read from the journal.

        Columns: `row`, `code`, `severity` (`error` or `warning`), `field` (the API's name), `column` (the source's),
        `message`.

        Raises:
            ImporterError: as for `rows`.
        """
        from importer.results.tables import issues_frame  # noqa: PLC0415  # pandas, half a second

        with self._reopened() as (_, batches):
            return issues_frame(batches)

    def _reopened(self) -> AbstractContextManager[tuple[Header, Iterator[ResultBatch]]]:
        if self.recorded is None:
            raise UsageError("This report has no rows: nothing was read.")
        return self.recorded()

    def as_json(self) -> dict[str, Any]:
        """Return the report in plain JSON types, the interface's keys first and in its order."""
        return report_json(self)

    def _repr_html_(self) -> str:
        """Return the report in short, as notebooks show it; values of cells are not in it."""
        from importer.results.html import notebook_html  # noqa: PLC0415  # jinja2, and only needed here

        return notebook_html(self, has_rows=self.recorded is not None)
