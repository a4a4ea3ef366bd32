"""The grid of a draft's rows: its cells, where its rows come from, and what is said of the cell that is focused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import GenericEventArguments

from importer.console.texts import t
from importer.runs.drafts.fixing import ClusterView
from importer.runs.drafts.row_filter import RowFilter

_BLOCK = 100
"""Rows that the grid asks for at once."""
_MOST_FITTED = 12
"""Up to so many columns are all as wide as their cells: those out of sight have to be drawn to be measured, and
scrolling takes longer with each."""
_FOCUSED = "() => importerFocused(getElement(GRID).api, emit)"


class _FoundProblem(NamedTuple):
    """What is wrong somewhere in a row.

    Args:
        column: empty: with the row as a whole.
    """

    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FocusedCell:
    """The cell that was clicked or reached by key last.

    Args:
        row: its number in the spreadsheet; 0: no cell was focused yet.
        column: empty: the number of the row.
        problems: of the whole row.
    """

    row: int = 0
    column: str = ""
    problems: Sequence[_FoundProblem] = ()

    @classmethod
    def of(cls, said: Mapping[str, Any], columns: Sequence[str]) -> Self:
        """Take what the grid says: places of columns, -1 for the number of the row."""
        names = dict(enumerate(columns))
        found = [_FoundProblem(names.get(int(one["at"]), ""), str(one["c"]), str(one["m"])) for one in said["problems"]]
        return cls(int(said["row"]), names.get(int(said["at"]), ""), found)

    def sentence(self, clusters: Iterable[ClusterView]) -> str:
        """Say what is wrong with it and how that is fixed; where nothing is, what else is wrong in its row.

        Args:
            clusters: know how each kind of problem is fixed.
        """
        fixes = {(one.key.code, one.key.column): one.fix for one in clusters}
        here = [one for one in self.problems if one.column == self.column]
        if here:
            said = [part for one in here for part in (one.message, fixes.get((one.code, one.column)))]
            return t("fix.wrong_here", place=self._place, problem=" ".join(filter(None, said)))
        if self.problems:
            others = " ".join(
                t("fix.in_column", column=one.column, problem=one.message) if one.column else one.message
                for one in self.problems
            )
            return t("fix.wrong_elsewhere", place=self._place, problem=others)
        return t("fix.nothing_wrong", place=self._place)

    @property
    def _place(self) -> str:
        return t("fix.at_cell", row=self.row, column=self.column) if self.column else t("fix.at_row", row=self.row)


def rows_grid(columns: Sequence[str], rows: str, *, editable: bool) -> ui.aggrid:
    """Draw the grid.

    Args:
        rows: as of `rows_source`.
        editable: whether its cells can be corrected.
    """
    options: dict[str, Any] = {
        "rowModelType": "infinite",
        ":datasource": rows,
        "cacheBlockSize": _BLOCK,
        "maxBlocksInCache": 10,
        "infiniteInitialRowCount": 1,
        "columnDefs": [_row_number(), *(_column(at, name, editable=editable) for at, name in enumerate(columns))],
        "defaultColDef": {"sortable": False, "resizable": True, "minWidth": 110, "width": 160, "maxWidth": 480},
        "autoSizeStrategy": {"type": "fitCellContents"},
        "suppressColumnVirtualisation": len(columns) <= _MOST_FITTED,
        "tooltipShowDelay": 200,
        "stopEditingWhenCellsLoseFocus": True,
        "enableCellTextSelection": False,
        "suppressHeaderFocus": False,
    }
    grid = ui.aggrid(options, auto_size_columns=False).classes("grid")
    return grid.props(f'aria-label="{t("fix.grid")}"')


def on_focus(grid: ui.aggrid, handler: Callable[[GenericEventArguments], None]) -> None:
    """Have a handler be given the cell that is focused, also when what is wrong with it has changed."""
    for event in ("cellFocused", "modelUpdated"):
        grid.on(event, handler, js_handler=_FOCUSED.replace("GRID", str(grid.id)))


def rows_source(draft: str, wanted: RowFilter) -> str:
    """The expression that asks for the rows of a draft, block by block."""
    query: dict[str, str] = {"show": wanted.show}
    if (cluster := wanted.cluster) is not None:
        query |= {"code": cluster.code, "field": cluster.field, "column": cluster.column}
    address = f"/drafts/{draft}/rows.json?{urlencode(query)}"
    return f"importerRows({json.dumps(address)}, {json.dumps(wanted.text)})"


def _row_number() -> dict[str, Any]:
    return {
        "colId": "row", "headerName": t("fix.row"), "pinned": "left", "width": 90, "minWidth": 70,
        ":valueGetter": "importerRowNumber", ":cellClass": "importerRowClass",
        ":tooltipValueGetter": "importerRowTooltip",
    }  # fmt: skip


def _column(at: int, name: str, *, editable: bool) -> dict[str, Any]:
    return {
        "colId": f"c{at}", "headerName": name, "editable": editable,
        ":valueGetter": f"importerCell({at})", ":valueSetter": f"importerSetCell({at})",
        ":cellClass": f"importerCellClass({at})", ":tooltipValueGetter": f"importerTooltip({at})",
    }  # fmt: skip
