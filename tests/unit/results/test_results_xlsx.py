"""`results.xlsx` for people: what became of a row is seen at once, numbers are numbers, and it prints well."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.columns import ADDED_COLUMNS, ADDED_WITH_STEPS
from importer.core.states import RowState
from importer.results.sheets import STATE_FILLS
from importer.results.table import Header
from importer.results.xlsx import XlsxTable

COLUMNS = ("Name", "Phone", "Daily limit")
HEADER = Header(COLUMNS, "Customers", "20261129T080000Z-1a2b3c", numeric=frozenset({"Daily limit"}))
IN_SHEET = (
    *("_row", "_status", "_customer_id", *COLUMNS, "_error_message", "_warnings"),
    *("_sheet", "_error_code", "_error_field", "_error_column", "_http_status", "_trace_id", "_attempts", "_run"),
)


def row(number: int, cells: Sequence[str] = ("Ann", "4155550100", "10"), **added: str) -> list[str]:
    values = {"_row": str(number), "_run": HEADER.run_id, **added}
    return [*cells, *[values.get(name, "") for name in ADDED_COLUMNS]]


def written(path: Path, *rows: Sequence[str], header: Header = HEADER, **more: int) -> list[Worksheet]:
    with closing(XlsxTable(path / "results.xlsx", header, **more)) as table:
        table.write(rows)
    return list(openpyxl.load_workbook(path / "results.xlsx"))


def cells(sheet: Worksheet, name: str) -> list[Cell]:
    """The cells below a column's name."""
    return next([*column[1:]] for column in sheet.columns if column[0].value == name)  # type: ignore[list-item]


def values(sheet: Worksheet, name: str) -> list[Any]:
    return [cell.value for cell in cells(sheet, name)]


def test_what_became_of_a_row_is_beside_its_number_and_what_is_for_programs_is_last(tmp_path: Path) -> None:
    (sheet,) = written(tmp_path, row(2))
    assert tuple(cell.value for cell in sheet[1]) == IN_SHEET
    assert sheet.freeze_panes == "D2"
    assert sheet["A1"].font.b
    assert sheet["A1"].fill.fgColor.rgb != sheet["D1"].fill.fgColor.rgb


def test_steps_after_a_create_are_with_what_people_read(tmp_path: Path) -> None:
    (sheet,) = written(tmp_path, header=Header(COLUMNS, has_steps=True))
    names = [str(cell.value) for cell in sheet[1]]
    assert sorted(names) == sorted([*COLUMNS, *ADDED_WITH_STEPS])
    assert names.index("_warnings") < names.index("_verified") < names.index("_sheet") < names.index("_idv_id")


def test_a_row_has_the_colour_of_its_state_at_its_beginning(tmp_path: Path) -> None:
    states = [state for state in RowState if state in STATE_FILLS]
    (sheet,) = written(tmp_path, *[row(at, _status=state) for at, state in enumerate(states, 2)])
    for line, state in zip(sheet.iter_rows(2), states, strict=True):
        colours = [cell.fill.fgColor.rgb if cell.fill.fill_type else None for cell in line]
        assert colours == [STATE_FILLS[state].fgColor.rgb] * 3 + [None] * (len(IN_SHEET) - 3)
    assert len({fill.fgColor.rgb for fill in STATE_FILLS.values()}) == 5


def test_numbers_of_ours_are_numbers_and_a_blank_one_is_blank(tmp_path: Path) -> None:
    (sheet,) = written(tmp_path, row(2, _http_status="201", _attempts="1"), row(3, _attempts="0"))
    assert [values(sheet, name) for name in ("_row", "_http_status", "_attempts")] == [[2, 3], [201, None], [1, 0]]
    assert {cell.data_type for cell in [*cells(sheet, "_row"), *cells(sheet, "_attempts")]} == {"n"}


@pytest.mark.parametrize(
    ("text", "number", "shown_by"),
    [
        ("0", 0, "0"),
        ("10", 10, "0"),
        ("1500.5", 1500.5, "0.0"),
        ("0.10", 0.1, "0.00"),
        ("123456789012345", 123456789012345, "0"),
        ("1,000", 1000, "#,##0"),
        ("1,234,567.80", 1234567.8, "#,##0.00"),
    ],
)
def test_an_amount_is_a_number_that_shows_as_the_source_has_it(
    tmp_path: Path, text: str, number: float, shown_by: str
) -> None:
    (sheet,) = written(tmp_path, row(2, ("Ann", text, text)))
    (cell,) = cells(sheet, "Daily limit")
    assert (cell.data_type, cell.value, cell.number_format) == ("n", number, shown_by)
    assert values(sheet, "Phone") == [text]


@pytest.mark.parametrize(
    "text",
    ["007", "1,00", "1.000,50", "0,100", "$5", "5 ", "+5", "-5", "1e3", "1234567890123456", "1.", ".5", "٣", "=1"],
)
def test_what_excel_would_show_otherwise_stays_a_text(tmp_path: Path, text: str) -> None:
    (sheet,) = written(tmp_path, row(2, ("Ann", "1", text)))
    (cell,) = cells(sheet, "Daily limit")
    assert (cell.data_type, cell.value, cell.number_format) == ("s", text, "@")


def test_a_customers_id_of_digits_stays_a_text(tmp_path: Path) -> None:
    (sheet,) = written(tmp_path, row(2, _customer_id="4711"))
    assert values(sheet, "_customer_id") == ["4711"]


def test_a_cell_of_the_source_is_never_run(tmp_path: Path) -> None:
    texts = ("#N/A", "=1+1", "+1 415 555 0100")
    (sheet,) = written(tmp_path, row(2, texts), row(3, ("bell\x07", "lone\rreturn", "Zoë")))
    found = [sheet.cell(2, at) for at in (4, 5, 6)]
    assert [(cell.value, cell.data_type, cell.quotePrefix) for cell in found] == [
        ("#N/A", "s", True),
        ("=1+1", "s", True),
        ("+1 415 555 0100", "s", False),
    ]
    assert [sheet.cell(3, at).value for at in (4, 5, 6)] == ["bell_x0007_", "lone_x000D_return", "Zoë"]


def test_a_long_message_is_seen_as_a_whole(tmp_path: Path) -> None:
    message = "The phone number has no digits; write it with its country code, like +14155550123. " * 2
    (sheet,) = written(tmp_path, row(2, _error_message=message), row(3, _error_message="Short."))
    long, short = cells(sheet, "_error_message")
    width = sheet.column_dimensions[long.column_letter].width
    assert long.alignment.wrap_text
    assert (sheet.row_dimensions[2].height or 0) >= 15 * len(message) / width
    assert sheet.row_dimensions[short.row].height is None


def test_everything_is_filtered_and_what_people_read_is_printed(tmp_path: Path) -> None:
    (sheet,) = written(tmp_path, row(2), row(3, _warnings="Look."))
    assert sheet.auto_filter.ref == "A1:P3"
    assert sheet.print_area == "'Results'!$A$1:$H$3"
    assert (sheet.print_title_rows, sheet.page_setup.orientation) == ("$1:$1", "landscape")
    fits = sheet.sheet_properties.pageSetUpPr
    assert (fits and fits.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)


def test_blank_columns_of_ours_are_not_printed(tmp_path: Path) -> None:
    (sheet,) = written(tmp_path, row(2))
    assert sheet.print_area == "'Results'!$A$1:$F$2"


def test_a_wide_table_is_printed_on_pages_that_each_say_which_row_it_is(tmp_path: Path) -> None:
    columns = tuple(f"Column {number}" for number in range(60))
    (sheet,) = written(tmp_path, row(2, ["x" * 20] * 60), header=Header(columns))
    assert (sheet.page_setup.fitToWidth or 1) > 3
    assert sheet.print_title_cols == "$A:$C"


def test_a_full_sheet_is_followed_by_another(tmp_path: Path) -> None:
    sheets = written(tmp_path, *[row(number) for number in range(5)], sheet_rows=2)
    assert [sheet.title for sheet in sheets] == ["Results", "Results 2", "Results 3"]
    assert [values(sheet, "_row") for sheet in sheets] == [[0, 1], [2, 3], [4]]
    assert [sheet.auto_filter.ref for sheet in sheets] == ["A1:P3", "A1:P3", "A1:P2"]


def test_columns_are_wide_enough_for_most_of_what_is_in_them(tmp_path: Path) -> None:
    cells = [("Ann", "4155550100", "")] * 9 + [("Ann", "4155550100", "9" * 20)]
    (sheet,) = written(tmp_path, *[row(at, one) for at, one in enumerate(cells)])
    assert sheet.column_dimensions["F"].width > 20
