"""Workbooks of several sheets, files that cannot be mapped, and the options that say how a file is read."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from tests.acceptance.conftest import ROOT, User

CASES = ROOT / "tests" / "cases"
HEADER = ["First Name", "Last Name", "Phone", "Email"]


def rows(count: int) -> list[list[str]]:
    return [["Ann", f"Green{n}", f"+1 415 555 01{n:02}", f"ann{n}@example.com"] for n in range(count)]


def workbook(path: Path, **sheets: list[list[str]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, lines in sheets.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


def test_customers_on_two_sheets_are_refused_until_one_is_chosen(user: User) -> None:
    case = CASES / "two_sheets_of_customers.xlsx"
    refused = user.types("validate", case)

    assert refused.code == 6
    assert "on several sheets: 'North', 'South'" in refused.err
    assert "--sheet North, then --sheet South" in refused.err
    chosen = user.types("validate", case, "--sheet", "South", "--json")
    assert chosen.code == 0
    assert chosen.json["counts"]["read"] == 3
    assert "The sheet 'North' holds a table, too; it is not read." in chosen.json["source_info"]["warnings"]


def test_the_sheets_of_a_workbook_are_imported_one_after_another_as_is_advised(user: User) -> None:
    case = CASES / "two_sheets_of_customers.xlsx"

    for sheet in ("North", "South"):
        ran = user.types("run", case, "--sheet", sheet, "--json")
        assert (ran.code, ran.json["counts"]["created"]) == (0, 3)
    assert user.types("run", case, "--sheet", "South").code == 7


def test_the_first_sheet_that_holds_a_table_is_read_and_the_reason_said(user: User) -> None:
    for title, cover in {"Blank": [], "Cover": [["Customers of 2019"], [], ["made by Ann"]]}.items():
        path = workbook(user.home / f"{title}.xlsx", **{title: cover, "Data": [HEADER, *rows(3)]})
        ran = user.types("validate", path, "--json")

        assert (ran.code, ran.json["counts"]["read"]) == (0, 3)
        assert (
            f"The sheet 'Data' is read: '{title}', the first one, holds no table."
            in ran.json["source_info"]["warnings"]
        )


def test_a_first_sheet_whose_table_is_of_something_else_names_the_sheet_with_customers(user: User) -> None:
    settings = [["Setting", "Value"], ["colour", "red"], ["size", "large"]]
    path = workbook(user.home / "book.xlsx", Settings=settings, People=[HEADER, *rows(2)])
    refused = user.types("validate", path)

    assert refused.code == 6
    assert "This is the sheet 'Settings'." in refused.err
    assert "The sheet 'People' holds customers: choose it with --sheet People" in refused.err


def test_another_table_that_holds_no_customers_is_named_and_does_no_harm(user: User) -> None:
    path = workbook(
        user.home / "book.xlsx", People=[HEADER, *rows(2)], Orders=[["Order", "Amount"], ["7", "9.50"], ["8", "3.00"]]
    )
    ran = user.types("validate", path, "--json")

    assert (ran.code, ran.json["counts"]["read"]) == (0, 2)
    assert "The sheet 'Orders' holds a table, too; it is not read." in ran.json["source_info"]["warnings"]


def test_with_a_profile_the_sheet_that_has_its_columns_is_named(user: User) -> None:
    other = [["Vorname", "Zuname", "Tel", "Post"], *rows(1)]
    path = workbook(user.home / "book.xlsx", Alt=other, Neu=[HEADER, *rows(2)])
    user.has(
        "p.toml",
        '[mapping]\n"firstName" = "First Name"\n"lastName" = "Last Name"\n'
        '"primaryPhoneNumber.number" = "Phone"\n"primaryPhoneNumber.type" = { value = "HOME" }\n'
        '"primaryEmail.value" = "Email"\n',
    )
    refused = user.types("validate", path, "--config", "p.toml")

    assert refused.code == 6
    assert "--sheet Neu" in refused.err
    assert user.types("validate", path, "--config", "p.toml", "--sheet", "Neu").code == 0


def test_a_file_that_cannot_be_mapped_gets_a_profile_to_complete_and_exit_code_6(user: User) -> None:
    user.has("odd.csv", "Given,Reach,Post\nAnn,+14155550101,ann@example.com\nBob,+14155550102,bob@example.com\n")
    ran = user.types("init", "odd.csv", "--json")

    assert ran.code == 6
    assert "last name" in ran.json["error"]
    profile = (user.home / "odd.toml").read_text(encoding="utf-8")
    assert '# "lastName" = "..."  # required' in profile


def test_a_file_without_a_header_gets_no_profile(user: User) -> None:
    user.has("bare.csv", "Ann,Green,+14155550101,ann@example.com\nBob,Gray,+14155550102,bob@example.com\n")
    ran = user.types("init", "bare.csv")

    assert ran.code == 6
    assert not (user.home / "bare.toml").exists()
    assert "ann@example.com" not in ran.err + ran.out


def test_the_command_line_says_how_a_file_is_read(user: User) -> None:
    text = "exported today;;;\nfirstName;lastName;phone;email\nPaweł;Green;+14155550101;ann@example.com\n"
    (user.home / "odd.txt").write_bytes(text.encode("cp1250"))
    ran = user.types("validate", "odd.txt", "--encoding", "cp1250", "--delimiter", ";", "--header-row", "2", "--json")

    assert ran.code == 0
    (row,) = user.reads(Path(ran.json["files"]["results"]))
    assert (row["firstName"], row["_row"]) == ("Paweł", "3")
    user.has("tabs.txt", "firstName\tlastName\tphone\temail\nAnn\tGreen\t+14155550101\tann@example.com\n")
    assert user.types("validate", "tabs.txt", "--delimiter", "tab").code == 0


def test_a_sheet_of_a_text_file_is_an_error(user: User) -> None:
    user.has("plain.csv", "firstName,lastName,phone,email\nAnn,Green,+14155550101,ann@example.com\n")
    ran = user.types("validate", "plain.csv", "--sheet", "North")

    assert ran.code == 0
    assert "The sheet 'North' was asked for: a text file has no sheets." in ran.out


def test_explain_says_how_to_see_values(user: User) -> None:
    user.has("plain.csv", "firstName,lastName,phone,email\nAnn,Green,+14155550101,ann@example.com\n")
    user.types("validate", "plain.csv")

    assert "--show-values shows them" in user.types("explain", "last", "2").out
    assert "--show-values shows them" not in user.types("explain", "last", "2", "--show-values").out


def test_of_two_columns_of_one_name_the_one_that_is_not_used_is_named(user: User) -> None:
    ran = user.types("validate", CASES / "duplicate_header_names.csv")

    assert ran.code == 0
    assert "Not used: 'Phone (2)', 'Email (2)'" in ran.out + ran.err
