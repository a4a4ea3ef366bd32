"""What the rows of a draft are shown as after corrections is what its next check finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.runs.drafts.correcting import leave_out, undo
from importer.runs.drafts.fixing import CellView, RowView
from tests.effort import examples
from tests.unit.runs.drafts.conftest import BY, HEADER, Desk, desk_in, line

COLUMNS = HEADER.split(",")
TEXTS = {
    "ID": ["", "L-1", "L-2", "X"],
    "First Name": ["", "Ann", "Bo\u00e9", "caf\u00c3\u00a9", "A" * 300],
    "Last Name": ["", "Green", "#N/A"],
    "Email": ["", "nobody", "person1@example.com", "new@example.com", "#N/A"],
    "Phone": ["", "123", "+14155550101", "4.16E+09", "(415) 555-0177"],
    "Phone Type": ["", "Fax", "HOME", "mobile"],
}
KINDS = {
    "usual": line(0),
    "email": line(1, Email="nobody"),
    "type": line(2, Phone_Type="Fax"),
    "error": line(3, Last_Name="#N/A"),
    "short": line(4).rpartition(",")[0],
    "long": f"{line(5)},more",
}
CELLS = st.sampled_from([(column, text) for column, texts in TEXTS.items() for text in texts])
EDITS = st.lists(st.tuples(st.integers(0, 5), CELLS), min_size=1, max_size=6)
STEP = EDITS | st.just("undo") | st.integers(0, 5)
Step = list[tuple[int, tuple[str, str]]] | int | Literal["undo"]


def taken(desk: Desk, numbers: Sequence[int], step: Step) -> None:
    """Correct cells, leave a row out, or undo what was done since the last check: what was before, that has read."""
    if step == "undo":
        since = [one for one in desk.changes if one.number > desk.checked_changes and not one.undone]
        if since:
            undo(desk.service, desk.id, by=BY)
    elif isinstance(step, int):
        leave_out(desk.service, desk.id, [numbers[step % len(numbers)]], by=BY)
    else:
        desk.edits(*((numbers[at % len(numbers)], *cell) for at, cell in step))


def shown(desk: Desk) -> list[object]:
    """Every row; but who is whose duplicate is judged among some of them only, until the next check."""
    return [_facts(desk, row) for row in desk.sees().rows if row.state != "left_out"]


def _facts(desk: Desk, row: RowView) -> object:
    codes = desk.service.rows_of(desk.draft).checked.checks.duplicate_codes

    def facts(cell: CellView) -> object:
        return cell.text, cell.original, sorted(one for one in cell.problems if one.code not in codes)

    cells = list(map(facts, row.cells)), [facts(cell) for cell in row.extra if cell.text or cell.original]
    return row.row, cells, sorted(one for one in row.problems if one.code not in codes)


@pytest.mark.slow
@settings(max_examples=examples(8), deadline=None)
@given(
    st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6),
    st.lists(STEP, min_size=1, max_size=3),
    st.lists(STEP, min_size=1, max_size=3),
)
def test_a_check_finds_what_was_shown(kinds: list[str], first: list[Step], then: list[Step]) -> None:
    usual = [line(number) for number in range(10, 16)]
    with TemporaryDirectory() as folder:
        desk = desk_in(Path(folder), *usual, *map(KINDS.__getitem__, kinds))
        for steps in (first, then):
            numbers = [row.row for row in desk.sees().rows]
            for step in steps:
                taken(desk, numbers, step)
            before = shown(desk)
            desk.checks()
            assert shown(desk) == before
