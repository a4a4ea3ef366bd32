from __future__ import annotations

import datetime as dt
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.columns import ERROR_MESSAGE
from importer.core.issues import Issue, Severity
from importer.core.results import RowResult
from importer.core.sources import SUMMARY_SHEET, Detected, SourceInfo
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.results import annotated
from importer.results.annotated import write_annotated
from importer.results.clusters import clusters
from importer.results.marking import MARKED
from importer.results.report import Report
from importer.results.sheets import STATE_FILLS
from importer.results.table import Header
from tests.batches import result_batch

COLUMNS = ("Name", "Phone", "Born")
RUN = "20261129T080000Z-1a2b3c"
RED, YELLOW = "FFF8C9C4", "FFFFF0B8"


def issue(column: str, message: str = "Too short.", severity: Severity = Severity.ERROR) -> Issue:
    return Issue(0, "phone_too_short", message, "primaryPhoneNumber.number", column, severity)


def rows() -> list[RowResult]:
    return [
        RowResult(0, 2, ("Ann", "4155550100", "1980-01-31"), RowState.VALID),
        RowResult(
            1, 3, ("Bob", "02", "1980-01-31"), RowState.INVALID, errors=(issue("Phone"), issue("Born", "No date."))
        ),
        RowResult(2, 4, ("=1+1", "03", ""), RowState.VALID, warnings=(issue("Phone", "Look.", Severity.WARNING),)),
        RowResult(3, 6, ("", "05", ""), RowState.INVALID, errors=(issue("", "The same twice."),)),
    ]


def report(results: Sequence[RowResult], source: str, header_row: int = 1, read: int = 0) -> Report:
    states = Counter(one.state for one in results)
    return Report(
        command="validate",
        source=source,
        target="sandbox",
        dry_run=not states[RowState.CREATED],
        exit_code=3,
        elapsed_seconds=1,
        run_id=RUN,
        counts={"read": read or len(results), **{state.value: count for state, count in states.items()}},
        clusters=clusters(CUSTOMERS, [result_batch(results)]),
        source_info=SourceInfo(source, "excel", COLUMNS, detected=(Detected("header_row", str(header_row)),)),
    )


def annotate(
    directory: Path, source: Path | None = None, results: Sequence[RowResult] | None = None, **more: int
) -> Path:
    found = rows() if results is None else results
    name = source.name if source else "customers.csv"
    batch = result_batch(list(found))
    reported = report(found, name, **more)
    header = Header(COLUMNS, "Data", RUN, max(len(row.surplus) for row in found))
    return write_annotated(lambda: iter([batch]), header, reported, directory / "run", source=source)


def users_workbook(path: Path, change: object = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Data"
    born = dt.date(1980, 1, 31)
    lines: list[list[Any]] = [
        [*COLUMNS],
        ["Ann", 4155550100, born],
        ["Bob", "02", born],
        ["=1", "03"],
        [],
        [None, "05"],
    ]
    for line in lines:
        sheet.append(line)
    sheet["A4"].data_type = "s"
    sheet["A2"].font = Font(italic=True)
    sheet["B2"].number_format = "(000) 000-0000"
    sheet["A3"].comment = Comment("ask Bob", "someone")
    sheet["A6"].hyperlink = "https://example.com/"
    sheet.column_dimensions["A"].width = 33
    sheet.column_dimensions["C"].width = 12
    sheet.auto_filter.ref = "A1:C6"
    book.create_sheet("Notes")["A1"] = "keep me"
    if callable(change):
        change(book)
    book.save(path)
    return path


def opened(path: Path, sheet: str) -> Worksheet:
    found = openpyxl.load_workbook(path)[sheet]
    assert isinstance(found, Worksheet)
    return found


def colour(sheet: Worksheet, place: str) -> str | None:
    fill = sheet[place].fill
    return str(fill.fgColor.rgb) if fill.fill_type else None


def test_offending_cells_of_the_users_workbook_are_coloured_and_commented(tmp_path: Path) -> None:
    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx")), "Data")
    assert [colour(sheet, place) for place in ("E3", "F3", "E4", "E2")] == [RED, RED, YELLOW, None]
    assert sheet["E3"].comment.text == "Too short."
    assert sheet["E4"].comment.text == "Look."
    assert sheet["D3"].comment.text == "ask Bob"


def test_every_line_names_its_row_and_run(tmp_path: Path) -> None:
    theirs = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx")), "Data")
    ours = opened(annotate(tmp_path / "text"), "Customers")

    for sheet in (theirs, ours):
        assert [cell.value for cell in sheet[1]][:3] == ["_run", "_row", ERROR_MESSAGE]
        lines = [(sheet.cell(at, 1).value, sheet.cell(at, 2).value) for at in range(2, 7)]
        assert lines == [(RUN, 2), (RUN, 3), (RUN, 4), (None, None), (RUN, 6)]


def test_the_filter_reaches_over_our_columns_so_that_lines_are_sorted_as_wholes(tmp_path: Path) -> None:
    def no_filter(book: openpyxl.Workbook) -> None:
        book["Data"].auto_filter.ref = None

    for name, change in (("a.xlsx", None), ("b.xlsx", no_filter)):
        sheet = opened(annotate(tmp_path / name[0], users_workbook(tmp_path / name, change)), "Data")
        assert sheet.auto_filter.ref == "A1:F6"


def test_so_does_a_table_of_the_users(tmp_path: Path) -> None:
    def as_table(book: openpyxl.Workbook) -> None:
        book["Data"].auto_filter.ref = None
        table = Table(displayName="Customers", ref="A1:C6")
        book["Data"].add_table(table)

    path = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", as_table))
    table = opened(path, "Data").tables["Customers"]

    assert [cell.value for cell in opened(path, "Data")[1]] == [*COLUMNS, "_run", "_row", ERROR_MESSAGE]
    assert (table.ref, table.autoFilter.ref) == ("A1:F6", "A1:F6")
    assert [column.name for column in table.tableColumns] == [*COLUMNS, "_run", "_row", ERROR_MESSAGE]
    assert len({column.id for column in table.tableColumns}) == 6


@pytest.mark.parametrize(("remark", "first"), [("H2", 4), ("E2", 6)])
def test_our_columns_are_next_to_the_users_table_or_the_summary_explains_how_to_sort(
    tmp_path: Path, remark: str, first: int
) -> None:
    def as_table(book: openpyxl.Workbook) -> None:
        book["Data"].auto_filter.ref = None
        book["Data"].add_table(Table(displayName="Customers", ref="A1:C6"))
        book["Data"][remark] = "remark"

    path = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", as_table))
    sheet = opened(path, "Data")

    names = [sheet.cell(1, place).value for place in range(first, first + 3)]
    assert names == ["_run", "_row", ERROR_MESSAGE]
    notes = [str(cell.value) for cell in opened(path, SUMMARY_SHEET)["A"]]
    assert any("Sort whole lines" in note for note in notes) == (first == 6)


def test_our_columns_find_their_place_in_a_sheet_that_is_filled_to_its_last_column(tmp_path: Path) -> None:
    def far(book: openpyxl.Workbook) -> None:
        book["Data"]["XFD2"] = "far"

    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", far)), "Data")

    assert [sheet.cell(1, place).value for place in range(1, 7)] == [*COLUMNS, "_run", "_row", ERROR_MESSAGE]
    assert sheet.max_column == 16_384


def test_our_columns_are_behind_merged_names_of_the_users(tmp_path: Path) -> None:
    def remarks(book: openpyxl.Workbook) -> None:
        book["Data"].merge_cells("D1:E1")

    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", remarks)), "Data")

    assert [cell.value for cell in sheet[1]] == [*COLUMNS, None, None, "_run", "_row", ERROR_MESSAGE]


def test_widths_of_all_further_columns_never_reach_beyond_a_sheet(tmp_path: Path) -> None:
    def wide(book: openpyxl.Workbook) -> None:
        dimension = book["Data"].column_dimensions["D"]
        dimension.min, dimension.max, dimension.width = 4, 16_384, 9

    path = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", wide))

    assert max(one.max or 0 for one in opened(path, "Data").column_dimensions.values()) == 16_384


def surplus_rows() -> list[RowResult]:
    far = Issue(0, "cell_outside_table", "A cell beyond the header.", severity=Severity.WARNING)
    long = Issue(0, "row_too_long", "Too many cells.")
    return [
        RowResult(0, 2, ("Ann", "4155550100", "1980-01-31"), RowState.VALID, warnings=(far,), surplus=("note",)),
        RowResult(1, 3, ("Bob", "02", "x"), RowState.INVALID, errors=(long,), surplus=("=1+1", "more")),
        RowResult(2, 4, ("Cy", "03", ""), RowState.VALID),
    ]


def test_surplus_cells_of_a_text_have_marked_columns_of_their_own(tmp_path: Path) -> None:
    sheet = opened(annotate(tmp_path, results=surplus_rows()), "Customers")

    assert [cell.value for cell in sheet[1]] == ["_run", "_row", ERROR_MESSAGE, *COLUMNS, "_extra_1", "_extra_2"]
    surplus = [[cell.value for cell in sheet[at]][6:] for at in (2, 3, 4)]
    assert surplus == [["note", None], ["=1+1", "more"], [None, None]]
    assert [colour(sheet, place) for place in ("G2", "H2", "G3", "H3", "G4")] == [YELLOW, None, RED, RED, None]
    assert sheet["G3"].comment.text == "Too many cells."


@pytest.mark.parametrize("at", ["left", "right"])
def test_surplus_cells_of_the_users_workbook_are_marked_in_place(tmp_path: Path, at: str) -> None:
    def beyond(book: openpyxl.Workbook) -> None:
        book["Data"]["E2"], book["Data"]["G3"] = "note", "more"
        if at == "right":
            book["Notes"]["B1"] = "=Data!A1"

    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", beyond), surplus_rows()), "Data")

    marked = {cell.coordinate: colour(sheet, cell.coordinate) for row in sheet["A2:M4"] for cell in row}
    places = {place: found for place, found in marked.items() if found}
    assert places == ({"H2": YELLOW, "J3": RED} if at == "left" else {"E2": YELLOW, "G3": RED})


def test_a_frozen_first_column_holds_all_errors_of_a_row(tmp_path: Path) -> None:
    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx")), "Data")
    assert [sheet.cell(at, 3).value for at in range(1, 7)] == [
        ERROR_MESSAGE,
        None,
        "Phone: Too short.\nBorn: No date.",
        None,
        None,
        "The same twice.",
    ]
    assert sheet.freeze_panes == "D2"


def test_formats_widths_filter_links_and_other_sheets_stay(tmp_path: Path) -> None:
    path = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx"))
    sheet = opened(path, "Data")
    assert [cell.value for cell in sheet[1]] == ["_run", "_row", ERROR_MESSAGE, *COLUMNS]
    assert sheet["D2"].font.i
    assert (sheet["E2"].value, sheet["E2"].number_format) == (4155550100, "(000) 000-0000")
    assert sheet["F2"].is_date
    assert (sheet.column_dimensions["D"].width, sheet.column_dimensions["F"].width) == (33, 12)
    assert sheet["D6"].hyperlink.ref == "D6"
    assert opened(path, "Notes")["A1"].value == "keep me"
    assert openpyxl.load_workbook(path).sheetnames == ["Data", "Notes", SUMMARY_SHEET]


@pytest.mark.parametrize(
    "change",
    [
        lambda book: book["Data"].merge_cells("A8:C8"),
        lambda book: book["Notes"].__setitem__("B1", "=Data!A1"),
        lambda book: book["Data"].__setattr__("print_area", "A1:C6"),
    ],
    ids=["merged", "formula", "print area"],
)
def test_where_a_new_first_column_could_harm_the_errors_are_at_the_right(tmp_path: Path, change: object) -> None:
    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", change)), "Data")
    assert [cell.value for cell in sheet[1]] == [*COLUMNS, "_run", "_row", ERROR_MESSAGE]
    assert sheet["F3"].value == "Phone: Too short.\nBorn: No date."
    assert (colour(sheet, "B3"), sheet.freeze_panes) == (RED, "A2")


def test_the_summary_links_to_the_first_row_of_each_cluster(tmp_path: Path) -> None:
    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx")), SUMMARY_SHEET)
    links = [(row[2].value, row[5].hyperlink.location) for row in sheet.iter_rows() if row[5].hyperlink]
    assert links == [(None, "'Data'!A6"), ("Born", "'Data'!F3"), ("Phone", "'Data'!E3"), ("Phone", "'Data'!E4")]
    assert sheet["A1"].value == "2 of 4 rows need fixing before they can be imported. Nothing was sent."


def test_the_summary_says_how_to_fix_the_sheet_and_nothing_of_profiles(tmp_path: Path) -> None:
    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx")), SUMMARY_SHEET)
    fixes = [str(row[4].value) for row in sheet.iter_rows() if row[5].hyperlink]
    assert "Correct the cells of column 'Born'." in fixes
    assert not any("profile" in fix or "`" in fix for fix in fixes)


def test_a_second_pass_removes_the_marks_of_the_first(tmp_path: Path) -> None:
    first = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx"))
    fixed = [RowResult(r.ordinal, r.row, r.cells, RowState.VALID) for r in rows()]
    second = annotate(tmp_path / "again", first, fixed)
    assert second.name == "customers.annotated.xlsx"
    sheet = opened(second, "Data")
    assert [cell.value for cell in sheet[1]] == ["_run", "_row", *COLUMNS]  # nothing failed: no column for errors
    assert (colour(sheet, "D3"), sheet["D3"].comment, sheet["C3"].comment.text) == (None, None, "ask Bob")
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.column_dimensions["C"].width) == ("C2", "A1:E6", 33)
    assert sheet["C6"].hyperlink.ref == "C6"
    assert openpyxl.load_workbook(second).sheetnames.count(SUMMARY_SHEET) == 1


def done_rows() -> list[RowResult]:
    """The first one was created, and the second one is still wrong."""
    first, second, *_ = rows()
    return [replace(first, state=RowState.CREATED, customer_id="0193f0c2-7c1e-7d6c-9d21-0123456789ab"), second]


@pytest.mark.parametrize("users", [True, False])
def test_a_row_that_is_done_has_its_customers_id(tmp_path: Path, *, users: bool) -> None:
    source = users_workbook(tmp_path / "customers.xlsx") if users else None
    sheet = opened(annotate(tmp_path, source, done_rows()), "Data" if users else "Customers")
    assert [cell.value for cell in sheet[1]] == ["_run", "_row", "_customer_id", ERROR_MESSAGE, *COLUMNS]
    assert [sheet.cell(at, 3).value for at in (2, 3)] == ["0193f0c2-7c1e-7d6c-9d21-0123456789ab", None]
    green = STATE_FILLS[RowState.CREATED].fgColor.rgb
    assert [colour(sheet, place) for place in ("C2", "D2", "C3", "D3")] == [green, green, None, None]
    assert sheet.freeze_panes == "E2"


def test_where_nothing_failed_the_id_is_wide_enough_to_be_read(tmp_path: Path) -> None:
    sheet = opened(annotate(tmp_path, results=done_rows()[:1]), "Customers")
    assert [cell.value for cell in sheet[1]] == ["_run", "_row", "_customer_id", *COLUMNS]
    assert sheet.column_dimensions["C"].width > 36


def test_every_pass_has_the_columns_that_it_fills_whatever_an_earlier_one_had(tmp_path: Path) -> None:
    path = annotate(tmp_path / "1", users_workbook(tmp_path / "customers.xlsx"))
    for number, results, ours in (
        (2, done_rows(), ["_run", "_row", "_customer_id", ERROR_MESSAGE]),
        (3, done_rows()[:1], ["_run", "_row", "_customer_id"]),
        (4, rows(), ["_run", "_row", ERROR_MESSAGE]),
    ):
        path = annotate(tmp_path / str(number), path, results)
        sheet = opened(path, "Data")
        assert [cell.value for cell in sheet[1]] == [*ours, *COLUMNS]
        assert [sheet.cell(2, len(ours) + 1).value, sheet.cell(2, len(ours) + 1).font.i] == ["Ann", True]
        assert sheet.freeze_panes == f"{get_column_letter(len(ours) + 1)}2"
        assert [dimension.width for dimension in sheet.column_dimensions.values()][len(ours)] == 33


@pytest.mark.parametrize("kind", ["merged", "table"])
def test_at_the_right_a_later_pass_takes_the_place_of_an_earlier_one(tmp_path: Path, kind: str) -> None:
    def harm(book: openpyxl.Workbook) -> None:
        if kind == "merged":
            book["Data"].merge_cells("A8:C8")
        else:
            book["Data"].auto_filter.ref = None
            book["Data"].add_table(Table(displayName="Customers", ref="A1:C6"))

    first = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", harm))
    again = opened(annotate(tmp_path / "2", first, done_rows()), "Data")
    done = opened(annotate(tmp_path / "3", first, done_rows()[:1]), "Data")

    added = ["_run", "_row", ERROR_MESSAGE, "_customer_id"] if kind == "table" else list(MARKED)
    assert [cell.value for cell in again[1]] == [*COLUMNS, *added]
    left = added if kind == "table" else ["_run", "_row", "_customer_id"]  # the columns of a table stay
    assert [cell.value for cell in done[1]] == [*COLUMNS, *left]
    assert "Too short." not in str([cell.value for row in done.iter_rows() for cell in row])
    if kind == "table":
        assert done.tables["Customers"].ref == "A1:G6"


def test_messages_are_wrapped_and_rows_are_high_enough_for_them_and_the_users_own_texts(tmp_path: Path) -> None:
    def own(book: openpyxl.Workbook) -> None:
        book["Data"].row_dimensions[3].height = 12
        book["Data"]["A6"], book["Data"]["A6"].alignment = "word " * 60, Alignment(wrap_text=True)
        book["Data"].row_dimensions[2].height = 70

    long = replace(rows()[1], errors=(issue("Phone", "A long message. " * 10),))
    results = [replace(rows()[0], errors=(issue("Phone"),), state=RowState.INVALID), long, rows()[3]]
    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", own), results), "Data")
    heights = [sheet.row_dimensions[at].height or 0 for at in (2, 3, 6)]
    assert heights[0] == 70
    assert heights[1] >= 15 * 160 / sheet.column_dimensions["C"].width
    assert heights[2] >= 15 * 300 / 33
    assert sheet["C3"].alignment.wrap_text


def test_an_active_filter_stays_on_its_column(tmp_path: Path) -> None:
    def filtered(book: openpyxl.Workbook) -> None:
        book["Data"].auto_filter.add_filter_column(1, ["02"])

    sheet = opened(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx", filtered)), "Data")
    assert (sheet.auto_filter.ref, [one.colId for one in sheet.auto_filter.filterColumn]) == ("A1:F6", [4])


def test_hidden_columns_and_colours_of_the_user_stay(tmp_path: Path) -> None:
    def own(book: openpyxl.Workbook) -> None:
        book["Data"].column_dimensions["C"].hidden = True
        book["Data"]["A2"].fill = PatternFill("solid", fgColor="FF92D050")

    once = annotate(tmp_path / "1", users_workbook(tmp_path / "customers.xlsx", own))
    for path in (once, annotate(tmp_path / "2", once)):
        sheet = opened(path, "Data")
        assert [letter for letter, one in sheet.column_dimensions.items() if one.hidden] == ["F"]
        assert colour(sheet, "D2") == "FF92D050"


def summary_texts(path: Path) -> list[str]:
    cells = [cell.value for row in opened(path, SUMMARY_SHEET).iter_rows() for cell in row]
    return [str(value) for value in cells if value is not None]


def test_the_summary_says_how_to_return_the_workbook_and_what_its_marks_mean(tmp_path: Path) -> None:
    path = annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx"), done_rows())
    texts = summary_texts(path)
    at = texts.index("How to return this workbook")
    assert "'Data'" in texts[at + 2]
    command = next(text for text in texts if "retry" in text)
    assert command.endswith(f"retry {RUN} --fixed {path}")
    legend = texts[texts.index("Colours, and columns that were added") :]
    assert [word in legend for word in ("red", "yellow", "_customer_id", ERROR_MESSAGE, "_run, _row")] == [
        *(True, False, True, True, True)
    ]
    assert texts.index("1") < texts.index(command) < texts.index("red")


def test_where_nothing_is_to_be_fixed_the_summary_says_what_comes_next(tmp_path: Path) -> None:
    texts = summary_texts(annotate(tmp_path, users_workbook(tmp_path / "customers.xlsx"), done_rows()[:1]))
    assert "How to return this workbook" not in texts
    assert texts[1].startswith("To see this run again")
    assert "red" not in texts
    assert "unsent" not in texts  # a state without rows


def test_a_header_further_down_and_in_another_order_is_found(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Data"
    for line in [("Our customers",), (), ("_status", "Name", " Phone\n", "Born"), ("", "Bob", "02", "x")]:
        sheet.append(line)
    book.save(tmp_path / "customers.xlsx")
    bad = [RowResult(0, 4, ("Bob", "02", "x"), RowState.INVALID, errors=(issue("Phone"),))]
    marked = opened(annotate(tmp_path, tmp_path / "customers.xlsx", bad, header_row=3), "Data")
    assert [cell.value for cell in marked[3]] == ["_run", "_row", ERROR_MESSAGE, "_status", "Name", " Phone\n", "Born"]
    assert colour(marked, "F4") == RED


def test_a_text_source_gives_a_workbook_of_the_same_kind_with_text_cells(tmp_path: Path) -> None:
    path = annotate(tmp_path)
    sheet = opened(path, "Customers")
    assert path.name == "customers.annotated.xlsx"
    assert [cell.value for cell in sheet[1]] == ["_run", "_row", ERROR_MESSAGE, *COLUMNS]
    reported = "Phone: Too short.\nBorn: No date."
    assert [cell.value for cell in sheet[3]] == [RUN, 3, reported, "Bob", "02", "1980-01-31"]
    assert sheet["E3"].number_format == "@"
    assert (sheet["D4"].value, sheet["D4"].data_type, sheet["D4"].quotePrefix) == ("=1+1", "s", True)
    assert [sheet.cell(at, 2).value for at in range(2, 7)] == [2, 3, 4, None, 6]  # a blank row stays one
    assert (colour(sheet, "E3"), colour(sheet, "E4"), sheet.freeze_panes) == (RED, YELLOW, "D2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["gone", "broken", "other columns", "other sheet"])
def test_a_workbook_that_is_not_the_one_that_was_read_is_replaced_by_our_own(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "customers.xlsx"
    if kind == "broken":
        source.write_bytes(b"PK\x03\x04 no workbook")
    elif kind == "other columns":
        users_workbook(source, lambda book: book["Data"].__setitem__("B1", "Mobile"))
    elif kind == "other sheet":
        users_workbook(source, lambda book: book["Data"].__setattr__("title", "Others"))
    assert opened(annotate(tmp_path, source), "Customers")["B1"].value == "_row"


def test_a_large_source_gives_its_failing_rows_only_with_a_note(tmp_path: Path) -> None:
    source = users_workbook(tmp_path / "customers.xlsx")
    path = annotate(tmp_path, source, read=annotated.MAX_CELLS // 3 + 1)
    assert [row[1].value for row in opened(path, "Customers").iter_rows(min_row=2)] == [3, 6]
    summary = opened(path, SUMMARY_SHEET)
    assert summary["A2"].value == "The source is large: only its 2 failing rows are here."
    assert "'Customers'!F2" in {row[5].hyperlink.location for row in summary.iter_rows() if row[5].hyperlink}
