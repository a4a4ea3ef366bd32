"""The rows of a draft as a person sees them while fixing: what is wrong with which cell, and what is after a change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from importer.core.corrections import Correction
from importer.core.errors import BusyError, UsageError
from importer.core.issues import Severity
from importer.runs.drafts.correcting import leave_out, put_back, undo
from importer.runs.drafts.fixing import clusters, counts, rows
from importer.runs.drafts.row_filter import ClusterKey, RowFilter
from tests.unit.runs.drafts.conftest import BY, HEADER, Desk, line


def test_a_page_shows_cells_with_what_is_wrong_with_them(desk: Desk) -> None:
    page = desk.sees("failing", first=1, count=2)

    assert (page.first, page.total, page.is_checked, [row.row for row in page.rows]) == (1, 4, True, [4, 5])
    assert page.columns[:3] == ("ID", "First Name", "Last Name")
    row = page.rows[1]
    assert (row.state, row.cells[3].text, row.cells[3].original) == ("invalid", "nobody", None)
    [problem] = row.cells[3].problems
    assert (problem.severity, problem.code) == (Severity.ERROR, "email_invalid")
    assert "nobody" not in problem.message
    assert [cell.problems for cell in row.cells if cell is not row.cells[3]] == [()] * 5


def test_values_are_masked_for_who_may_not_see_them(desk: Desk) -> None:
    desk.edits((3, "Email", "ann@example.com"))
    page = rows(desk.service, desk.id, 0, 100, RowFilter("all"), show_values=False)

    assert page.rows[1].cells[3] == ("xxx@xxxxxxx.xxx", "xxxxxx", ())
    assert "nobody" not in str(page)


def test_a_corrected_row_is_checked_again_at_once(desk: Desk) -> None:
    desk.edits((3, "Email", "ann@example.com"), (5, "Email", "still wrong"))
    page = desk.sees("corrected")

    assert desk.numbers() == [4, 5, 6]
    assert [(row.row, row.state, row.cells[3].original) for row in page.rows] == [
        (3, "valid", "nobody"),
        (5, "invalid", "nobody"),
    ]
    assert not page.is_checked
    found = counts(desk.service, desk.id)
    assert (found.rows, found.failing, found.corrected, found.cells) == (6, 3, 2, 2)


def test_a_check_with_the_corrections_finds_what_was_shown(desk: Desk) -> None:
    desk.edits((3, "Email", "ann@example.com"), (4, "Phone Type", "HOME"), (2, "Email", "wrong now"))
    before = desk.sees()
    desk.checks()
    after = desk.sees()

    assert after.is_checked
    assert after.rows == before.rows
    assert desk.numbers("corrected") == [2, 3, 4]
    desk.edits((2, "Email", "person0@example.com"))
    assert (desk.numbers(), desk.numbers("corrected")) == ([5, 6], [3, 4])


def test_undo_takes_the_newest_change_back(desk: Desk) -> None:
    desk.edits((3, "Email", "ann@example.com"), (5, "Email", "bo@example.com"))
    desk.edits((3, "Email", "cy@example.com"))
    undo(desk.service, desk.id, by=BY)

    assert [one.after for one in desk.corrections] == ["ann@example.com", "bo@example.com"]
    desk.checks()
    undo(desk.service, desk.id, by=BY)
    assert desk.corrections == []
    assert desk.numbers() == [3, 4, 5, 6]
    assert [(one.number, one.cells, one.undone) for one in desk.changes] == [
        (2, 1, True),
        (1, 2, True),
    ]
    with pytest.raises(UsageError, match="no correction to undo"):
        undo(desk.service, desk.id, by=BY)


def test_clusters_count_what_is_wrong_now(desk: Desk) -> None:
    before = clusters(desk.service, desk.id)
    desk.edits((3, "Email", "ann@example.com"))
    after = clusters(desk.service, desk.id)

    assert [(one.key.column, one.count) for one in before if one.severity is Severity.ERROR] == [
        ("Email", 2),
        ("Phone Type", 2),
    ]
    email = next(one for one in after if one.key.code == "email_invalid")
    assert (email.count, email.severity) == (1, Severity.ERROR)
    assert email.title
    assert email.fix
    assert desk.numbers("all", cluster=email.key) == [5]
    assert desk.numbers("all", cluster=ClusterKey("email_invalid", email.key.field, "Phone")) == []


def test_a_text_is_looked_for_in_all_cells_as_they_are_now(desk: Desk) -> None:
    desk.edits((3, "Email", "Ann@Example.com"))

    assert desk.numbers("all", text="PERSON5@") == [7]
    assert desk.numbers("all", text="nobody") == [5]
    assert desk.numbers("all", text="ann@ex") == [3]
    assert desk.numbers("failing", text="fax") == [4, 6]
    assert desk.numbers("all", text="a.*b") == []


def test_a_row_that_was_just_corrected_stays_in_sight_where_it_was(desk: Desk) -> None:
    desk.edits((3, "Email", "ann@example.com"))

    assert desk.numbers() == [4, 5, 6]
    assert desk.numbers(kept=(3,)) == [3, 4, 5, 6]
    assert desk.numbers(kept=(3, 5, 99)) == [3, 4, 5, 6]


@pytest.mark.slow
def test_a_large_draft_is_searched_as_a_small_one(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(
        *(line(n, ID=f"L-{n}", Email="nobody" if n % 1000 == 7 else f"p{n}@example.com") for n in range(11_000))
    )
    desk.edits((9, "Email", "sought@example.com"), (1009, "Email", "p@example.com"))

    assert desk.sees("failing").total == 9
    assert desk.numbers("all", text="NOBODY") == [n + 2 for n in range(2007, 11_000, 1000)]
    assert desk.numbers("all", text="sought") == [9]
    assert desk.numbers("all", first=10_999) == [11_001]
    assert desk.numbers("all", first=4_095, count=2) == [4_097, 4_098]


# --------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ((99, "Email", "a"), "There is no row 99."),
        ((1, "Email", "a"), "There is no row 1."),
        ((3, "E-Mail", "a"), "Row 3 has no column 'E-Mail'; did you mean 'Email'?"),
        ((3, "_extra_1", "a"), "Row 3 has no column '_extra_1'"),
        ((3, "Email", "a\0"), "holds a character that no file can hold"),
        ((3, "Email", "\ud800"), "holds a character that no file can hold"),
        ((3, "Email", "a" * 1_000_001), "at most 1,000,000 characters"),
    ],
)
def test_what_cannot_be_a_cell_is_refused(desk: Desk, edit: tuple[int, str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        desk.edits((2, "Email", "x"), edit)

    assert desk.corrections == []


def test_who_saw_another_version_corrects_nothing(desk: Desk) -> None:
    seen = desk.draft.version
    desk.edits((3, "Email", "ann@example.com"), seen=seen)

    with pytest.raises(BusyError):
        desk.edits((3, "Email", "bo@example.com"), seen=seen)
    assert [one.after for one in desk.corrections] == ["ann@example.com"]


def test_a_draft_that_was_not_checked_has_no_rows(desk: Desk) -> None:
    other = Desk(desk.service, desk.service.begin(BY).id)

    with pytest.raises(UsageError, match="not checked yet"):
        other.sees()


def test_an_edit_that_changes_nothing_is_no_change(desk: Desk) -> None:
    before = desk.draft
    assert desk.edits((3, "Email", "nobody")) == before


def test_the_log_says_who_corrected_how_much_and_no_cell(desk: Desk) -> None:
    desk.edits((3, "Email", "ann@example.com"))
    act = desk.service.acts(desk.id)[-1]

    assert (act.by, act.what, act.details) == (BY, "corrected", {"cells": 1, "columns": "'Email'"})


# --------------------------------------------------------------------------- the shape of rows, and rows left out


def test_a_row_with_surplus_cells_is_fixed_cell_by_cell(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(*map(line, range(5)), "L-5,Ann,Green,Main Street,ann@example.com,+14155550199,MOBILE", line(6))
    assert desk.numbers() == [7]
    assert [cell.text for cell in desk.sees("failing").rows[0].extra] == ["MOBILE"]
    fixed = [("Email", "ann@example.com"), ("Phone", "+14155550199"), ("Phone Type", "MOBILE")]
    desk.edits(*((7, column, text) for column, text in fixed))
    assert desk.codes(7) == ["row_too_long"]

    desk.edits((7, "_extra_1", ""))

    assert desk.numbers() == []
    desk.checks()
    assert (desk.numbers(), desk.sees("corrected").rows[0].extra[0]) == ([], ("", "MOBILE", ()))
    undo(desk.service, desk.id, by=BY)
    assert desk.sees("corrected").rows[0].extra[0] == ("MOBILE", None, ())


def test_whoever_corrects_a_short_row_has_seen_its_shape(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(*map(line, range(5)), "L-5,Ann,ann@example.com,+14155550199,MOBILE", line(6))
    assert "row_too_short" in desk.codes(7)

    desk.edits((7, "Last Name", "Green"), (7, "Email", "ann@example.com"), (7, "Phone", "+14155550199"))

    assert "row_too_short" not in desk.codes(7)
    assert Correction(7, "Phone Type", "", "") in desk.corrections
    desk.edits((7, "Phone Type", "MOBILE"))
    assert desk.numbers() == []
    desk.checks()
    assert desk.numbers() == []


def test_rows_are_left_out_and_come_back(desk: Desk) -> None:
    leave_out(desk.service, desk.id, [3, 4], by=BY)

    assert desk.numbers() == [5, 6]
    assert [(row.row, row.state) for row in desk.sees("left_out").rows] == [(3, "left_out"), (4, "left_out")]
    desk.checks()
    assert [row.row for row in desk.sees().rows] == [2, 5, 6, 7]
    undo(desk.service, desk.id, by=BY)
    assert [row.row for row in desk.sees().rows] == [2, 5, 6, 7]
    desk.checks()
    assert desk.numbers() == [3, 4, 5, 6]


def test_rows_are_put_back_as_the_source_has_them(desk: Desk) -> None:
    desk.edits((4, "Phone Type", "HOME"), (4, "Email", "other@example.com"), (5, "Email", "bo@example.com"))
    leave_out(desk.service, desk.id, [3], by=BY)
    desk.checks()
    leave_out(desk.service, desk.id, [6], by=BY)
    assert (desk.numbers("left_out"), counts(desk.service, desk.id).left_out) == ([3, 6], 2)
    assert [row.cells[3][:2] for row in desk.sees("left_out").rows] == [("", "nobody"), ("", "person4@example.com")]

    put_back(desk.service, desk.id, [3, 4, 6, 99], by=BY)

    assert (desk.numbers("left_out"), desk.numbers(), desk.numbers("corrected")) == ([], [4, 6], [5])
    desk.checks()
    assert desk.numbers() == [3, 4, 6]
    assert [one.column for one in desk.corrections] == ["Email"]


def test_a_cell_that_shows_an_error_is_fixed(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(line(0), line(1, Email="#N/A"))
    assert "cell_error" in desk.codes(3)
    desk.edits((3, "Email", "ann@example.com"))

    assert desk.codes(3) == []
    desk.checks()
    assert desk.codes(3) == []


def test_a_workbook_is_fixed_as_a_text_is(desk_of: Callable[..., Desk], tmp_path: Path) -> None:
    book = Workbook()
    for one in (HEADER, line(0, Email="nobody"), line(1)):
        book.worksheets[0].append(one.split(","))
    book.save(tmp_path / "people.xlsx")
    desk = desk_of(content=(tmp_path / "people.xlsx").read_bytes(), name="people.xlsx")
    assert desk.numbers(text="nobody") == [2]

    desk.edits((2, "Email", "ann@example.com"))
    desk.checks()

    assert desk.numbers(text="ann@") == []
    assert desk.numbers("all", text="ann@") == [2]
