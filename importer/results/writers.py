"""Which table formats there are, and how each is opened. A new format is one module and one entry here.

Third parties add theirs through the entry point group `importer.writers`: the entry's name is the
format (and the file's suffix), its value an `OpenTable`. Nothing heavy is imported before it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from importer.core.errors import UsageError
from importer.results.table import Header, Row


class Table(Protocol):
    """An open table file of one format. Writes to the path it was given and nowhere else."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows, each as long as the header."""
        ...

    def close(self) -> None:
        """Finish the file; it is complete when this returns. Harmless when called twice."""
        ...


OpenTable = Callable[[Path, Header], Table]

WRITERS: Mapping[str, str] = MappingProxyType(
    {
        "xlsx": "importer.results.xlsx:XlsxTable",
        "jsonl": "importer.results.jsonl:JsonlTable",
        "parquet": "importer.results.parquet:ParquetTable",
    }
)
"""Format to `module:name`. `csv` is not among them: it is always written."""


def writer(format_name: str) -> OpenTable:
    """Find the writer of a format.

    Raises:
        UsageError: no such format.
    """
    where = WRITERS.get(format_name)
    if where is not None:
        module, _, name = where.partition(":")
        return cast("OpenTable", getattr(import_module(module), name))
    for entry in entry_points(group="importer.writers", name=format_name):
        return cast("OpenTable", entry.load())
    known = ", ".join(["csv", *WRITERS])
    msg = f"There is no results format '{format_name}'."
    raise UsageError(msg, f"Known formats: {known}.")
