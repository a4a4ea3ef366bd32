"""Cells that are alike are corrected at once; rows that are one customer are shown side by side."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from importer.core.errors import UsageError
from importer.runs.drafts.alike import Alike, AlikeCell, Replace, SetTo, alike, correct_alike
from importer.runs.drafts.correcting import leave_out, undo
from importer.runs.drafts.duplicates import duplicates
from tests.unit.runs.drafts.conftest import BY, Desk, line

FAX = Alike(4, "Phone Type")


def test_cells_with_the_same_text_are_looked_at_and_then_corrected_as_one_change(desk: Desk) -> None:
    found = alike(desk.service, desk.id, FAX, SetTo("HOME"))

    assert (found.count, found.alike) == (2, 2)
    assert found.cells == [AlikeCell(4, "Fax", "HOME"), AlikeCell(6, "Fax", "HOME")]
    assert desk.corrections == []
    correct_alike(desk.service, desk.id, FAX, SetTo("HOME"), by=BY)
    assert desk.numbers() == [3, 5]
    assert [one.cells for one in desk.changes] == [2]
    undo(desk.service, desk.id, by=BY)
    assert desk.numbers() == [3, 4, 5, 6]


def test_cells_count_as_they_are_now(desk: Desk) -> None:
    desk.edits((4, "Phone Type", "HOME"), (2, "Phone Type", "Fax"))

    assert [one.row for one in alike(desk.service, desk.id, Alike(6, "Phone Type"), SetTo("WORK")).cells] == [2, 6]
    assert [one.row for one in alike(desk.service, desk.id, FAX, SetTo("WORK")).cells] == [4]


def test_cells_with_the_same_issue_are_alike(desk: Desk) -> None:
    desk.edits((5, "Email", "somebody"))
    cells = Alike(3, "Email", "email_invalid")

    assert alike(desk.service, desk.id, cells, Replace("body", "body@example.com")).cells == [
        AlikeCell(3, "nobody", "nobody@example.com"),
        AlikeCell(5, "somebody", "somebody@example.com"),
    ]
    correct_alike(desk.service, desk.id, cells, Replace("body", "body@example.com"), by=BY)
    assert desk.numbers() == [4, 6]


def test_a_text_that_is_not_there_replaces_nothing(desk: Desk) -> None:
    before = desk.draft
    found = alike(desk.service, desk.id, FAX, Replace("x.x", "y"))

    assert (found.count, found.alike) == (0, 2)
    assert alike(desk.service, desk.id, FAX, Replace("", "y")).count == 0
    assert correct_alike(desk.service, desk.id, FAX, Replace("Z", "y"), by=BY) == before


def test_what_is_shown_is_masked_for_who_may_not_see_values(desk: Desk) -> None:
    found = alike(desk.service, desk.id, FAX, SetTo("HOME"), show_values=False)

    assert found.cells[0] == AlikeCell(4, "Xxx", "XXXX")


def test_a_cell_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(UsageError, match="did you mean 'Phone Type'"):
        alike(desk.service, desk.id, Alike(4, "PhoneType"), SetTo("HOME"))
    with pytest.raises(UsageError, match="There is no row 99"):
        alike(desk.service, desk.id, Alike(99, "Phone Type"), SetTo("HOME"))


# --------------------------------------------------------------------------- duplicates


@pytest.fixture
def twins(desk_of: Callable[..., Desk]) -> Desk:
    """Two rows that are one customer, and two that share an address."""
    return desk_of(
        line(0),
        line(1),
        line(1, ID="L-1"),
        line(3, Email="same@example.com"),
        line(4, Email="same@example.com"),
        line(5),
    )


def test_rows_that_are_one_customer_are_side_by_side(twins: Desk) -> None:
    found = duplicates(twins.service, twins.id)

    assert found.total == 2
    same, like = found.groups
    assert (same.code, same.severity, [row.row for row in same.rows]) == ("duplicate_in_file", "error", [3, 4])
    assert same.differing == ()
    assert (like.severity, [row.row for row in like.rows]) == ("warning", [5, 6])
    assert [found.columns[at] for at in like.differing] == ["ID", "First Name", "Phone"]
    assert twins.numbers("duplicates") == [3, 4, 5, 6]


def test_a_duplicate_that_is_left_out_or_corrected_leaves_its_group(twins: Desk) -> None:
    leave_out(twins.service, twins.id, [4], by=BY)
    twins.edits((6, "Email", "own@example.com"))

    assert duplicates(twins.service, twins.id).total == 0
    assert (twins.numbers(), twins.numbers("duplicates")) == ([], [])
    twins.checks()
    assert (twins.numbers(), twins.numbers("duplicates")) == ([], [])


def test_a_correction_that_makes_a_duplicate_is_shown_as_one(twins: Desk) -> None:
    twins.edits((6, "ID", "L-3"))
    [_, like] = duplicates(twins.service, twins.id).groups[:2]
    shown = twins.numbers("duplicates")
    twins.checks()

    assert twins.numbers("duplicates") == shown
    assert [row.row for row in like.rows] == [5, 6]


def test_a_checked_draft_is_at_hand_and_its_first_correction_asks_no_journal(twins: Desk) -> None:
    shutil.rmtree(twins.service.workspace / twins.draft.facts.checked_run)
    twins.edits((6, "Email", "own@example.com"))

    assert twins.numbers("duplicates") == [3, 4]


def test_groups_come_page_by_page(twins: Desk) -> None:
    page = duplicates(twins.service, twins.id, first=1, count=1, show_values=False)

    assert (page.first, page.total, [group.severity for group in page.groups]) == (1, 2, ["warning"])
    assert "same@example.com" not in str(page)


def test_rows_that_may_all_be_imported_are_no_group(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(line(0), line(1), line(1), validation__duplicates="allow")

    assert (duplicates(desk.service, desk.id).total, desk.numbers()) == (0, [])
