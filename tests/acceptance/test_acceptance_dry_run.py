"""The dry run as whoever fixes the spreadsheet meets it."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font

from tests.acceptance.conftest import User, people

HEADER = (
    "Account",
    "First Name",
    "Last Name",
    "E-Mail",
    "Phone",
    "Birth Date",
    "Street",
    "City",
    "State",
    "Zip",
    "Country",
)
GOOD = (
    "Ann",
    "Example",
    "ann@example.com",
    "+12125550101",
    "1980-01-31",
    "1 Main St",
    "Springfield",
    "IL",
    "62701",
    "USA",
)
FIX = {
    "E-Mail": "fixed{row}@example.com",
    "Phone": "+1212555013{row}",
    "Last Name": "Fixed",
    "State": "IL",
    "Birth Date": "1980-01-31",
}


def messy_workbook(folder: Path) -> Path:
    """A workbook as somebody keeps it: formats, a second sheet, and some rows that cannot be imported."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Customers"
    sheet.append(HEADER)
    for row, wrong in enumerate(
        ({}, {3: "no address"}, {4: "phone?"}, {2: ""}, {8: "Illinoi"}, {5: "31/31/1980"}), start=2
    ):
        values = [f"A-{row}", *GOOD]
        values[3], values[4] = f"person{row}@example.com", f"+1212555010{row}"
        for place, value in wrong.items():
            values[place] = value
        sheet.append(values)
    sheet.column_dimensions["D"].width = 40
    sheet["B2"].font = Font(italic=True)
    book.create_sheet("Notes").append(["keep me"])
    path = folder / "messy.xlsx"
    book.save(path)
    return path


def test_a_messy_workbook_is_fixed_in_its_annotated_copy_and_imported(user: User) -> None:
    source = messy_workbook(user.home)
    checked = user.types("validate", source, "--json").json
    assert checked["counts"] == {"read": 6, "valid": 1, "invalid": 5}

    copy = user.home / checked["files"]["annotated"]
    book = openpyxl.load_workbook(copy)
    assert "Notes" in book.sheetnames
    sheet = book["Customers"]
    columns = {str(cell.value): number for number, cell in enumerate(sheet[1], start=1)}
    marked = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.comment is not None]
    assert len(marked) >= 5
    assert sheet.cell(2, columns["First Name"]).font.italic
    for cell in marked:
        name = str(sheet.cell(1, cell.column or 1).value)
        if name in FIX:
            cell.value = FIX[name].format(row=cell.row)
    book.save(copy)

    again = user.types("validate", copy, "--json").json
    assert again["counts"] == {"read": 6, "valid": 6, "invalid": 0}, again["issues"]
    assert user.types("run", copy, "--json").json["counts"]["created"] == 6


def test_the_verdict_of_a_dry_run_is_the_verdict_of_the_run(user: User) -> None:
    source = messy_workbook(user.home)
    checked, ran = (user.types(command, source, "--json").json for command in ("validate", "run"))

    assert ran["counts"]["invalid"] == checked["counts"]["invalid"]
    assert [issue for issue in ran["issues"] if issue["severity"] == "error"] == [
        issue for issue in checked["issues"] if issue["severity"] == "error"
    ]


def test_a_dry_run_opens_no_connection(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a dry run went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert user.types("validate", user.has("people.csv", people(3)), "--json").code == 0


def test_the_page_masks_values_by_default(user: User) -> None:
    source = user.has("bad.csv", "First Name,Last Name,Email,Phone\nAnn,Example,canary.at.example,+12125550101\n")
    masked = user.types("validate", source, "--json").json["files"]["html"]
    shown = user.types("validate", source, "--show-values", "--json").json["files"]["html"]

    assert "canary.at.example" not in (user.home / masked).read_text(encoding="utf-8")
    assert "canary.at.example" in (user.home / shown).read_text(encoding="utf-8")


def test_every_change_is_counted_by_its_rule_and_may_be_forbidden(user: User) -> None:
    source = user.has("people.csv", "First Name,Last Name,Email,Phone\n Ann ,Example,ann@EXAMPLE.com,(212) 555-0101\n")
    changes = user.types("validate", source, "--json").json["changes"]
    assert {"trim", "phone_e164", "email_domain_lower"} <= set(changes)

    strict = user.has("strict.toml", '[validation]\nno_change = ["primaryEmail.value"]\n')
    refused = user.types("validate", source, "--config", strict, "--json").json
    assert [issue["code"] for issue in refused["issues"] if issue["severity"] == "error"] == ["change_forbidden"]


def test_the_report_says_who_is_ready_for_identity_verification(user: User) -> None:
    idv = user.types("validate", messy_workbook(user.home), "--json").json["idv"]

    assert idv["ready"] == 0
    assert idv["missing"]


def test_the_reports_json_is_what_was_printed(user: User) -> None:
    printed = user.types("validate", user.has("people.csv", people(3)), "--json").json

    assert json.loads((user.home / printed["files"]["report"]).read_text(encoding="utf-8")) == printed
