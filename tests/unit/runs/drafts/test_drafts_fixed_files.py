"""A draft is fixed in a spreadsheet: what a person changed there becomes corrections, and nothing else does."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from importer.core.corrections import Correction
from importer.core.errors import ReturnRefusedError
from importer.runs.drafts.correcting import undo
from importer.runs.drafts.fixed_files import annotated, take_fixed
from tests.unit.runs.drafts.conftest import BY, HEADER, Desk, line


def fixed(path: Path, to: Path, **texts: str) -> Path:
    """Change cells of a workbook as a person does: name of a cell to its text."""
    book = openpyxl.load_workbook(path)
    for cell, text in texts.items():
        book.worksheets[0][cell] = text
    book.save(to)
    return to


def cell_of(path: Path, text: str) -> str:
    """The name of the first cell with a text."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return str(next(cell for row in sheet.iter_rows() for cell in row if cell.value == text).coordinate)


def test_the_annotated_workbook_of_a_text_comes_back_as_corrections(desk: Desk, tmp_path: Path) -> None:
    path = annotated(desk.service, desk.id)
    assert (path.name, annotated(desk.service, desk.id)) == ("people.annotated.xlsx", path)
    back = fixed(path, tmp_path / "back.xlsx", **{cell_of(path, "nobody"): "ann@example.com"})

    taken = take_fixed(desk.service, desk.id, back, by=BY)

    assert (taken.rows, taken.cells, taken.unchanged, list(taken.refused)) == (1, 1, 5, [])
    assert desk.corrections == [Correction(3, "Email", "nobody", "ann@example.com")]
    assert desk.numbers() == [4, 5, 6]
    undo(desk.service, desk.id, by=BY)
    assert desk.corrections == []
    again = take_fixed(desk.service, desk.id, path, by=BY)
    assert (again.rows, again.cells, again.draft) == (0, 0, desk.draft)


def test_the_annotated_workbook_of_a_workbook_is_the_users_own(desk_of: Callable[..., Desk], tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for one in (HEADER, line(0), line(1, Email="nobody")):
        book.worksheets[0].append(one.split(","))
    book.save(tmp_path / "people.xlsx")
    desk = desk_of(content=(tmp_path / "people.xlsx").read_bytes(), name="people.xlsx")
    path = annotated(desk.service, desk.id)
    assert path.parent.name == desk.draft.facts.checked_run

    take_fixed(
        desk.service, desk.id, fixed(path, tmp_path / "b.xlsx", **{cell_of(path, "nobody"): "a@example.com"}), by=BY
    )

    assert desk.numbers() == []


def test_rejects_come_back_after_corrections_in_the_grid(desk: Desk, tmp_path: Path) -> None:
    desk.edits((3, "Email", "ann@example.com"), (4, "Phone Type", "HOME"))
    desk.checks()
    desk.edits((5, "First Name", "Bo"))
    rejects = desk.service.workspace / desk.draft.facts.checked_run / "rejects.csv"
    rows = list(csv.reader(rejects.read_text().splitlines()))
    assert [row[rows[0].index("_row")] for row in rows[1:]] == ["5", "6"]
    text = rejects.read_text().replace("nobody", "bo@example.com")
    (tmp_path / "rejects.csv").write_text(text)

    taken = take_fixed(desk.service, desk.id, tmp_path / "rejects.csv", by=BY)

    assert (taken.rows, taken.unchanged) == (1, 1)
    assert Correction(5, "Email", "nobody", "bo@example.com") in desk.corrections
    assert (5, "First Name", "Bo") in [(one.row, one.column, one.after) for one in desk.corrections]
    assert desk.numbers() == [6]


def test_surplus_cells_come_back_in_their_places(desk_of: Callable[..., Desk], tmp_path: Path) -> None:
    desk = desk_of(*map(line, range(5)), "L-5,Ann,Green,Main Street,ann@example.com,+14155550199,MOBILE,x", line(6))
    desk.edits((7, "_extra_1", ""))
    desk.checks()
    rejects = desk.service.workspace / desk.draft.facts.checked_run / "rejects.csv"
    rows = list(csv.DictReader(rejects.read_text().splitlines()))
    assert rows[0]["_extra_1"] == "x"
    rows[0] |= {"_extra_1": "", "Email": "ann@example.com", "Phone": "+14155550199", "Phone Type": "MOBILE"}
    with (tmp_path / "rejects.csv").open("w") as file:
        lines = csv.DictWriter(file, list(rows[0]))
        lines.writeheader()
        lines.writerows(rows)

    take_fixed(desk.service, desk.id, tmp_path / "rejects.csv", by=BY)

    assert desk.numbers() == []
    assert Correction(7, "_extra_2", "x", "") in desk.corrections
    desk.checks()
    assert desk.numbers() == []


def test_a_file_of_another_check_and_any_other_file_are_refused(desk: Desk, tmp_path: Path) -> None:
    path = annotated(desk.service, desk.id)
    desk.checks()
    (tmp_path / "other.csv").write_text(f"{HEADER}\n{line(1)}\n")

    for other in (path, tmp_path / "other.csv"):
        with pytest.raises(ReturnRefusedError, match="is not a file of the last check of this draft"):
            take_fixed(desk.service, desk.id, other, by=BY)
    assert desk.corrections == []
