"""What is said of the focused cell of the grid, for whoever uses keys or a reader of screens."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("nicegui", reason="the console is not installed")

from importer.console.pages.new_import.rows_grid import FocusedCell
from importer.core.issues import Severity
from importer.runs.drafts.fixing import ClusterView
from importer.runs.drafts.row_filter import ClusterKey

_COLUMNS = ("Name", "Phone")
_SHORT = ClusterView(
    ClusterKey("phone_short", "number", "Phone"), Severity.ERROR, "Too short", "Too few digits.", "Add them.", "", 1
)
_WRONG = [{"at": 1, "s": "error", "c": "phone_short", "m": "Too few digits."}]
_ROW = [{"at": -1, "s": "error", "c": "row_shape", "m": "The row has 2 extra cells."}]


@pytest.mark.parametrize(
    ("at", "problems", "sentence"),
    [
        (1, _WRONG, "Row 4, Phone: Too few digits. Add them."),
        (0, _WRONG, "Row 4, Name: nothing is wrong in this cell, but in this row. Phone: Too few digits."),
        (0, [], "Row 4, Name: nothing is wrong."),
        (-1, _ROW, "Row 4: The row has 2 extra cells."),
        (0, _ROW, "Row 4, Name: nothing is wrong in this cell, but in this row. The row has 2 extra cells."),
    ],
)
def test_the_focused_cell_is_said_with_its_problem_and_how_to_fix_it(
    at: int, problems: list[dict[str, Any]], sentence: str
) -> None:
    focused = FocusedCell.of({"row": 4, "at": at, "problems": problems}, _COLUMNS)

    assert focused.sentence([_SHORT]) == sentence
