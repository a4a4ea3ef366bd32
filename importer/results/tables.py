"""Every table of a run: written in one pass over its rows (results, rejects, id map, further formats), or a DataFrame.

Writing holds one batch of rows at a time, and never leaves a half-written table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pandas as pd
import pyarrow as pa

from importer.core.atomic_files import AtomicFiles
from importer.core.columns import ATTEMPTS, HTTP_STATUS, ROW_COLUMN
from importer.core.issues import IssueLog
from importer.core.results import ResultBatch
from importer.profile.settings import ResultsSettings
from importer.results.balance import Recount, Stretch
from importer.results.csvfile import CsvTable, cells_of, lines
from importer.results.formats import Table, writer
from importer.results.table import (
    DELIVERED,
    Column,
    Header,
    Watcher,
    added_columns,
    escape_formula,
    escaped,
    rejected,
    rows_of,
)

ID_MAP_COLUMNS = ["import_key", "external_id", "customer_id"]
ISSUE_COLUMNS = ("row", "code", "severity", "field", "column", "message")
"""The columns of `issues_frame`."""

Batches = Callable[[], Iterator[ResultBatch]]
"""The rows of a run in source order; every call starts a new pass."""


def write_results(
    batches: Batches,
    header: Header,
    directory: Path,
    *,
    formats: Sequence[str],
    settings: ResultsSettings,
    recount: Recount,
    watchers: Sequence[Watcher] = (),
) -> dict[str, Path]:
    """Write `results.csv`, `rejects.csv`, `id-map.csv` and the table in every further format, all or none.

    Args:
        batches: called once.
        header: the source's columns and sheet.
        directory: the run directory (or any other folder).
        formats: `csv` is always written, named or not.
        settings: only `escape_formulas` is looked at here.
        recount: counts `results.csv` while it is written.
        watchers: see the batches on the way.

    Returns:
        `results`, `rejects`, `id_map` and every further format, each to its file.

    Raises:
        StorageError: the folder cannot be written; nothing there has changed.
        UsageError: a format is unknown, or the library that it needs is not installed.
    """
    further = {name: writer(name) for name in dict.fromkeys(formats) if name != "csv"}
    names = {"results": "results.csv", "rejects": "rejects.csv", "id_map": "id-map.csv"}
    names |= {name: f"results.{name}" for name in further}
    with AtomicFiles(directory) as files:
        csvs = _CsvTables(files, header, escape=settings.escape_formulas)
        with ExitStack() as stack:
            tables = [stack.enter_context(closing(make(files.path(names[n]), header))) for n, make in further.items()]
            recount.follow(_written(batches(), header, csvs, tables, watchers))
    return {kind: directory / name for kind, name in names.items()}


def _written(
    batches: Iterator[ResultBatch],
    header: Header,
    csvs: _CsvTables,
    tables: Sequence[Table],
    watchers: Sequence[Watcher],
) -> Iterator[Stretch]:
    """Write batch by batch, and yield what of `results.csv` each has added."""
    yield csvs.added()
    for batch in batches:
        added = added_columns(batch, header)
        csvs.write(batch, added)
        for table in tables:
            table.write(rows_of([*batch.cells, *added], len(batch)))
        for watcher in watchers:
            watcher(batch)
        yield csvs.added()


class _CsvTables:
    """The three CSV files, fed with batches of rows."""

    def __init__(self, files: AtomicFiles, header: Header, *, escape: bool) -> None:
        self._escape = escape
        names = [escape_formula(name) for name in header.names] if escape else list(header.names)
        self._results, self._size = CsvTable(files.binary("results.csv"), names), 0
        self._rejects = CsvTable(files.binary("rejects.csv"), names)
        self._id_map = CsvTable(files.binary("id-map.csv"), ID_MAP_COLUMNS)

    def added(self) -> Stretch:
        """What of `results.csv` can be read since the last call."""
        start, self._size = self._size, self._results.flush()
        return Stretch(self._results.path, start, self._size)

    def write(self, batch: ResultBatch, added: Sequence[Column]) -> None:
        whole = lines(escaped([*batch.cells, *added]) if self._escape else [*cells_of(batch.frame), *added])
        self._results.append(whole)
        self._rejects.append(whole.take(pa.array(rejected(batch), pa.int64())))
        if not DELIVERED.isdisjoint(batch.states):
            ids = lines([batch.keys, batch.external_ids, batch.customer_ids])
            spoken_for = batch.spoken_for
            places = [at for at, state in enumerate(batch.states) if state in DELIVERED and at not in spoken_for]
            self._id_map.append(ids.take(pa.array(places, pa.int64())))


def rows_frame(batches: Iterable[ResultBatch], header: Header) -> pd.DataFrame:
    """Return every row as `results.csv` has it: the source's columns, then the added ones.

    The index holds the row numbers that a person sees. Texts are pandas' `str`, a blank one is ""; `_row` and
    `_attempts` are integers, `_http_status` is an integer or missing.
    """
    parts = [_part(batch, header) for batch in batches]
    return pd.concat(parts) if parts else pd.DataFrame(columns=list(header.names), dtype="str")


def _part(batch: ResultBatch, header: Header) -> pd.DataFrame:
    names = header.names[len(header.columns) :]
    added = pd.DataFrame(
        dict(zip(names, added_columns(batch, header), strict=True)), index=batch.frame.index, dtype="str"
    )
    added[ROW_COLUMN] = batch.frame.index
    added[HTTP_STATUS] = pd.array(list(batch.http_statuses), dtype="Int64")
    added[ATTEMPTS] = pd.array(list(batch.attempts), dtype="int64")
    return pd.concat([batch.frame.set_axis(list(header.columns), axis="columns"), added], axis="columns")


def issues_frame(batches: Iterable[ResultBatch]) -> pd.DataFrame:
    """Return a line for every issue of every row, in the order of the rows: `ISSUE_COLUMNS`."""
    parts = [_lines(batch.issues, batch) for batch in batches if batch.issues]
    return pd.concat(parts, ignore_index=True) if parts else _lines(IssueLog())


def _lines(log: IssueLog, batch: ResultBatch | None = None) -> pd.DataFrame:
    rows = [batch.rows[ordinal - batch.first] for ordinal in log.ordinals] if batch else []
    texts = {name: [str(getattr(kind, name)) for kind in log.kinds] for name in ISSUE_COLUMNS[1:]}
    kinds = pd.DataFrame({name: pd.array(column, dtype="str") for name, column in texts.items()})
    lines = kinds.take(list(log.which)).reset_index(drop=True)
    lines.insert(0, "row", pd.Series(rows, dtype="int64"))
    return lines
