"""The workbooks that are handed out, as people use them: opened, fixed in a spreadsheet program, given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from tests.acceptance.conftest import User, Witness, sandbox

LIMITS = """
[mapping]
"type" = { value = "INDIVIDUAL" }
"externalId" = "ID"
"firstName" = "First"
"lastName" = "Last"
"primaryEmail.value" = "Email"
"primaryPhoneNumber.number" = "Phone"
"primaryPhoneNumber.type" = { value = "MOBILE" }
"limits.currency" = { value = "USD" }
"limits.daily" = "Daily"
"limits.monthly" = "Monthly"
[after_create]
limits = true
"""
PEOPLE = """ID;First;Last;Email;Phone;Daily;Monthly
001;Ann;Green;ann@example.com;+12125550101;1,000.00;10000,00
002;Bob;Grey;no address;+12125550102;0.50;1.500,00
003;Cy;Blue;cy@example.com;+12125550103;250;2.000,50
"""


def fix(path: Path, to: Path, *, backwards: bool) -> Path:
    """Fix the address, and save the cells as a spreadsheet program does; their columns may be put in another order."""
    book = Workbook()
    for line in load_workbook(path).worksheets[0].iter_rows(values_only=True):
        cells = ["bob@example.com" if cell == "no address" else cell for cell in line]
        book.worksheets[0].append(cells[::-1] if backwards else cells)
    book.save(to)
    return to


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "backwards"), [("retry", False), ("retry", True), ("run", True)])
def test_a_fixed_results_workbook_is_taken_back_whatever_the_order_of_its_columns(
    user: User, witness: Witness, profile_for: Callable[..., Path], typed: str, *, backwards: bool
) -> None:
    source, options = user.has("people.csv", PEOPLE), sandbox(profile_for(witness, more=LIMITS))
    first = user.types_for_real("run", source, *options, "--format", "xlsx", "--json", **witness.environ).json
    sheet = load_workbook(user.home / first["files"]["xlsx"]).worksheets[0]
    columns = {str(cells[0]): list(cells[1:]) for cells in sheet.iter_cols(values_only=True)}
    assert [columns[name] for name in ("_row", "_status")] == [[2, 3, 4], ["created", "invalid", "created"]]
    assert (columns["Daily"], columns["ID"]) == ([1000, 0.5, 250], ["001", "002", "003"])
    assert columns["Monthly"] == ["10000,00", "1.500,00", "2.000,50"]  # a number would show it otherwise

    back = fix(user.home / first["files"]["xlsx"], user.home / "back.xlsx", backwards=backwards)
    command = ("retry", first["run_id"], "--fixed", back) if typed == "retry" else ("run", back)
    again = user.types_for_real(*command, "--json", **witness.environ).json

    assert (again["run_id"], again["counts"]["created"]) == (first["run_id"], 3)
    assert (again["returned"]["changed"], again["returned"]["refused"]) == (1, [])
    rows = user.reads(again["files"]["results"])
    assert [row["Daily"] for row in rows] == ["1,000.00", "0.50", "250"]
    assert {row["_limits"] for row in rows} == {"set"}
    assert witness.ledger()["counts"]["create"] == {"201": 3}
