"""Rows of a run found by a text: a customer's id, key or row number, and what is in its cells. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from importer.core.results import ResultBatch
from importer.runs import registry

MOST = 50


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One row that was looked for.

    Args:
        row: as a person sees it in the spreadsheet.
        cells: empty where values are not shown.
    """

    row: int
    state: str
    customer_id: str
    external_id: str
    cells: tuple[str, ...] = ()


def search(workspace: Path, name: str, text: str, *, show_values: bool = False) -> list[FoundRow]:
    """Find rows of a run, at most `MOST`.

    Args:
        name: as of `registry.find`.
        text: a row number, a customer id or an import key; of whoever sees values also a part of any cell.
        show_values: whether cells are searched and shown.

    Raises:
        UsageError: there is no such run, or it has lost its personal data.
    """
    with registry.opened_run(workspace, name) as opened:
        opened.stored.require_whole()
        opened.stored.require_loaded()
        batches = opened.journal.replay(opened.stored.run).batches()
        found = (row for batch in batches for row in _in_batch(batch, text.strip(), show_values=show_values))
        return list(islice(found, MOST))


def _in_batch(batch: ResultBatch, text: str, *, show_values: bool) -> Iterator[FoundRow]:
    for one in batch.at(_places(batch, text, in_cells=show_values)):
        external_id, cells = (one.external_id, tuple(one.cells)) if show_values else ("", ())
        yield FoundRow(one.row, one.state.value, one.customer_id, external_id, cells)


def _places(batch: ResultBatch, text: str, *, in_cells: bool) -> list[int]:
    """The places of rows that a text fits."""
    fitting = {at for at, ids in enumerate(zip(batch.customer_ids, batch.keys, strict=True)) if text in ids}
    if text.isdecimal():
        fitting |= {at for at, row in enumerate(batch.rows) if row == int(text)}
    if in_cells:
        wanted = text.casefold()
        for column in batch.cells:
            fitting |= {at for at, cell in enumerate(column) if cell and wanted in cell.casefold()}
    return sorted(fitting) if text else []
