"""Writes every table of a run in one pass over its rows: results, rejects, the id map, and further formats.

Never holds more than a chunk of rows, and never lets a half-written table be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

from importer.profile.settings import ResultsSettings
from importer.records import RowResult
from importer.results.aside import Aside
from importer.results.csvfile import CsvTable
from importer.results.table import DELIVERED, Header, Watcher, escaped, is_reject, table_row
from importer.results.writers import Table, writer

ID_MAP_COLUMNS = ["import_key", "external_id", "customer_id"]
_CHUNK_ROWS = 4_096

Rows = Callable[[], Iterator[RowResult]]
"""The rows of a run in source order; every call starts a new pass."""


def write_results(
    rows: Rows,
    header: Header,
    directory: Path,
    *,
    formats: Sequence[str],
    settings: ResultsSettings,
    watchers: Sequence[Watcher] = (),
) -> dict[str, Path]:
    """Write `results.csv`, `rejects.csv`, `id-map.csv` and the table in every further format, all or none.

    Args:
        rows: called once.
        header: the source's columns and sheet.
        directory: the run directory (or any other folder).
        formats: `csv` is always written, named or not.
        settings: only `escape_formulas` is looked at here.
        watchers: see every chunk of rows on the way.

    Returns:
        `results`, `rejects`, `id_map` and every further format, each to its file.

    Raises:
        StorageError: the folder cannot be written; nothing there has changed.
        UsageError: a format is unknown, or the library that it needs is not installed.
    """
    further = {name: writer(name) for name in dict.fromkeys(formats) if name != "csv"}
    names = {"results": "results.csv", "rejects": "rejects.csv", "id_map": "id-map.csv"}
    names |= {name: f"results.{name}" for name in further}
    with Aside(directory) as aside:
        csvs = _CsvTables(aside, header, escape=settings.escape_formulas)
        with ExitStack() as stack:
            tables = [stack.enter_context(closing(make(aside.path(names[n]), header))) for n, make in further.items()]
            for chunk in _chunks(rows()):
                csvs.write(chunk, tables)
                for watcher in watchers:
                    watcher(chunk)
    return {kind: directory / name for kind, name in names.items()}


class _CsvTables:
    """The three CSV files, fed with chunks of rows."""

    def __init__(self, aside: Aside, header: Header, *, escape: bool) -> None:
        self._sheet = header.sheet
        self._escape = escape
        names = escaped([*header.names]) if escape else list(header.names)
        self._results = CsvTable(aside.text("results.csv"), names)
        self._rejects = CsvTable(aside.text("rejects.csv"), names)
        self._id_map = CsvTable(aside.text("id-map.csv"), ID_MAP_COLUMNS)

    def write(self, chunk: Sequence[RowResult], tables: Sequence[Table]) -> None:
        sheet = self._sheet
        whole = [table_row(result, sheet) for result in chunk]
        for table in tables:
            table.write(whole)
        if self._escape:
            whole = [escaped(row) for row in whole]
        self._results.write(whole)
        self._rejects.write([row for row, result in zip(whole, chunk, strict=True) if is_reject(result)])
        self._id_map.write([[r.key, r.external_id, r.customer_id] for r in chunk if r.state in DELIVERED])


def _chunks(rows: Iterator[RowResult]) -> Iterator[list[RowResult]]:
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        yield chunk
