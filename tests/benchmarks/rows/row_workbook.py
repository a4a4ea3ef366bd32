"""A dry run of a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import xlsxwriter

from tests.benchmarks.bench import Figure, Settings, a_folder, take_turns
from tests.benchmarks.people import HEADER, people
from tests.benchmarks.rows.row_dry_run import validate

ROWS, TARGET = 100_000, 30_000


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the dry run of a workbook."""
    rows = settings.scaled(1_000_000, 2_000) // 10
    source = _workbook(settings.data / f"people-{rows}.xlsx", rows)
    with a_folder() as folder:
        taken = take_turns(settings.rounds, {"importer": lambda _: {"": rows / validate(source, folder).wall_s}})
    speeds = taken.all("importer")
    yield Figure.judged("workbook", f"importer, {rows:,} rows", speeds, "rows/s", at_least=TARGET, settings=settings)


def _workbook(path: Path, rows: int) -> Path:
    if not path.exists():
        aside = path.with_suffix(".part")
        book = xlsxwriter.Workbook(str(aside), {"constant_memory": True})
        sheet = book.add_worksheet("Customers")
        for at, line in enumerate([HEADER, *people(rows)]):
            sheet.write_row(at, 0, line.split(","))
        book.close()
        aside.replace(path)
    return path
