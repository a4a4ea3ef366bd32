"""Small files as people have them, and what is right for each: what was sent, what was refused, what was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.acceptance.conftest import ROOT, Ran, User, Witness, sandbox

CASES = ROOT / "tests" / "cases"


def issues(report: dict[str, Any]) -> set[tuple[str, str, tuple[int, ...]]]:
    """Code, severity and rows of every cluster."""
    return {(one["code"], one["severity"], tuple(one["rows"])) for one in report["issues"]}


def sent(
    user: User, witness: Witness, profile_for: Any, case: str, *arguments: str
) -> tuple[Ran, list[dict[str, Any]]]:
    """Import a case into an emulator; the command, and the customers that arrived, by email address."""
    ran = user.types("run", CASES / case, *sandbox(profile_for(witness)), "--json", **witness.environ)
    return ran, sorted(witness.customers(), key=lambda one: str(one["primaryEmail"]["value"]))


def test_phone_numbers_belong_to_the_country_of_their_row(user: User, witness: Witness, profile_for: Any) -> None:
    ran, customers = sent(user, witness, profile_for, "phone_region_from_country_gb.csv")

    assert ran.code == 0
    assert [one["primaryPhoneNumber"]["number"] for one in customers] == ["+442079460958", "+442079460959"]
    assert ("phone_country_assumed", "warning", (2,)) in issues(ran.json)
    (warning,) = [one for one in ran.json["issues"] if one["code"] == "phone_country_assumed"]
    assert "United Kingdom" in warning["message"]
    assert "United States" in warning["message"]


def test_which_country_was_assumed_is_shown_before_and_after(user: User) -> None:
    case = CASES / "phone_region_from_country_gb.csv"

    assert "Country: column 'country', else US (for phone" in user.types("inspect", case).out
    assert "Phone numbers without a country code: column 'country', else US" in user.types("validate", case).out
    detected = user.types("validate", case, "--json").json["source_info"]["detected"]
    assert "column 'country', else US" in [one["value"] for one in detected if one["what"] == "phone_region"]


def test_a_country_column_counts_without_an_address(user: User, witness: Witness, profile_for: Any) -> None:
    rows = ["Ann,Green,2079460958,ann@example.com,GB", "Bob,Green,(212) 555-0123,bob@example.com,United Kingdom"]
    user.has("plain.csv", "\n".join(["firstName,lastName,phone,email,country", *rows]) + "\n")
    ran = user.types("run", "plain.csv", *sandbox(profile_for(witness)), "--json", **witness.environ)

    assert [one["primaryPhoneNumber"]["number"] for one in witness.customers()] == ["+442079460958"]
    assert issues(ran.json) == {("phone_country_assumed", "warning", (2,)), ("phone_other_country", "error", (3,))}


def test_a_profile_names_the_column_of_the_region(user: User, witness: Witness, profile_for: Any) -> None:
    user.has("own.csv", "firstName,lastName,phone,email,line\nAnn,Green,2079460958,ann@example.com,Britain\n")
    mapping = [
        "[mapping]", '"firstName" = "firstName"', '"lastName" = "lastName"', '"primaryPhoneNumber.number" = "phone"',
        '"primaryPhoneNumber.type" = { value = "HOME" }', '"primaryPhoneNumber.region" = "line"',
        '"primaryEmail.value" = "email"',
    ]  # fmt: skip
    profile = profile_for(witness, more="\n".join(mapping))
    ran = user.types("run", "own.csv", *sandbox(profile), "--json", **witness.environ)

    assert ran.code == 0
    assert ran.json["issues"] == []
    (customer,) = witness.customers()
    assert customer["primaryPhoneNumber"]["number"] == "+442079460958"
    assert "region" not in customer["primaryPhoneNumber"]


def test_a_number_that_a_program_printed_as_a_decimal_is_sent_as_a_number(
    user: User, witness: Witness, profile_for: Any
) -> None:
    ran, (customer,) = sent(user, witness, profile_for, "float_phone.csv")

    assert ran.code == 0
    assert customer["primaryPhoneNumber"]["number"] == "+14155550108"
    assert ran.json["changes"]["phone_decimal_removed"] == 1


def test_email_addresses_are_read_as_mail_programs_write_them(user: User, witness: Witness, profile_for: Any) -> None:
    ran, customers = sent(user, witness, profile_for, "email_display_name.csv")

    assert ran.code == 0
    names = [one["primaryEmail"]["value"].partition("@")[0] for one in customers]
    assert names == ["ann", "bob", "fy", "ko"]
    changes = ran.json["changes"]
    assert [changes[rule] for rule in ("email_name_removed", "email_mailto_removed", "zero_width_removed")] == [2, 1, 1]


@dataclass(frozen=True)
class Checked:
    """What a dry run says about a case.

    Args:
        errors: row number to codes of its errors; there may be more.
        cells: row number to cells of its line in `results.csv`.
    """

    name: str
    valid: int
    invalid: int = 0
    errors: dict[int, set[str]] = field(default_factory=dict)
    cells: dict[int, dict[str, str]] = field(default_factory=dict)


CHECKED = [
    Checked("trailing_delimiter_header_and_rows.csv", valid=2),
    Checked(
        "surplus_cell_with_text_stays_an_error.csv",
        valid=1,
        invalid=1,
        errors={2: {"row_too_long"}},
        cells={2: {"_extra_1": "call back"}, 3: {"_status": "valid", "_extra_1": ""}},
    ),
    Checked(
        "row_wholly_beyond_the_header.csv",
        valid=1,
        invalid=1,
        errors={3: {"row_too_long"}},
        cells={3: {"_extra_1": "Cyd", "_extra_4": "cyd@example.com"}},
    ),
    Checked(
        "ragged_small_file.csv",
        valid=1,
        invalid=2,
        errors={3: {"row_too_long"}, 4: {"row_too_short"}},
        cells={3: {"_extra_1": "extra"}},
    ),
]


@pytest.mark.parametrize("case", CHECKED, ids=lambda case: case.name)
def test_rows_that_do_not_fit_their_header_are_errors_of_their_own_and_lose_nothing(user: User, case: Checked) -> None:
    ran = user.types("validate", CASES / case.name, "--json")

    assert ran.json["counts"] == {"read": case.valid + case.invalid, "valid": case.valid, "invalid": case.invalid}
    rows = {int(row["_row"]): row for row in user.reads(ran.json["files"]["results"])}
    for number, codes in case.errors.items():
        assert codes <= set(rows[number]["_error_code"].split(" | "))
    for number, cells in case.cells.items():
        assert cells.items() <= rows[number].items()


def test_cells_that_show_errors_make_no_customers(user: User, witness: Witness, profile_for: Any) -> None:
    ran, customers = sent(user, witness, profile_for, "error_cells_in_csv.csv")

    assert (ran.code, customers) == (3, [])
    assert ran.json["counts"]["invalid"] == 2
    wrong = {(one["code"], one["field"], one["severity"]) for one in ran.json["issues"]}
    assert wrong == {("cell_error", "firstName", "error"), ("cell_error", "lastName", "error")}


def test_an_error_cell_that_nobody_uses_is_worth_a_warning(user: User) -> None:
    user.has("notes.csv", "firstName,lastName,phone,email,Remarks\nAnn,Green,+14155550101,a1@example.com,#N/A\n")
    report = user.types("validate", "notes.csv", "--json").json

    assert report["counts"] == {"read": 1, "valid": 1, "invalid": 0}
    assert ("cell_error", "warning", (2,)) in issues(report)


def test_protected_texts_are_sent_bare_and_written_out_as_they_were(
    user: User, witness: Witness, profile_for: Any
) -> None:
    ran, (customer,) = sent(user, witness, profile_for, "formula_text_zip.csv")

    assert ran.code == 0
    assert customer["addresses"][0]["zipCode"] == "02138"
    assert customer["primaryPhoneNumber"]["number"] == "+14155550101"
    assert ran.json["changes"]["protection_removed"] == 2
    (line,) = user.reads(ran.json["files"]["results"])
    assert (line["zip"], line["phone"]) == ('="02138"', '="+14155550101"')


def test_a_number_that_lost_its_last_digits_is_nobodys_id(user: User, witness: Witness, profile_for: Any) -> None:
    ran, customers = sent(user, witness, profile_for, "number_id_beyond_15_digits.xlsx")

    assert (ran.code, customers) == (3, [])
    assert issues(ran.json) == {("number_shortened", "error", (2,))}


def test_a_column_named_email_whose_cells_are_all_wrong_is_the_email_column(user: User) -> None:
    rows = [f"Ann,Green,+1415555010{n},{cell}" for n, cell in enumerate(("none", "ann at example.com", "a@b", "-"))]
    user.has("wrong.csv", "\n".join(["firstName,lastName,phone,email", *rows]) + "\n")
    report = user.types("validate", "wrong.csv", "--json").json

    assert report["counts"] == {"read": 4, "valid": 0, "invalid": 4}
    codes = {one["code"] for one in report["issues"] if one["severity"] == "error"}
    assert codes == {"email_invalid", "email_at_spelled", "email_dot_missing"}


@dataclass(frozen=True)
class Sent:
    """What of a case arrives at the target.

    Args:
        customers: parts of the customers' bodies, in the order of their email addresses.
    """

    name: str
    customers: list[dict[str, Any]]


FRENCH = {"firstName": "Ann", "lastName": "Vert", "dateOfBirth": "1985-01-24"}
GERMAN = {"prefix": "Frau", "firstName": "Ann", "lastName": "Grün", "dateOfBirth": "1985-01-24"}
SENT = [
    # Day 31587 of a workbook whose day 0 is 1904-01-01 (ECMA-376, part 1, 18.17.4.1).
    Sent("epoch_1904_with_excel_extension.xlsx", [{"dateOfBirth": "1990-06-25"}]),
    Sent("inline_string_with_value.xlsx", [{"firstName": "Anna"}]),
    Sent("headers_german.csv", [GERMAN]),
    Sent("headers_french.csv", [FRENCH]),
    Sent("far_styled_cells.xlsx", [{}]),
    Sent("duplicate_header_names.csv", [{}]),
]


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
def test_what_a_case_says_is_what_arrives(user: User, witness: Witness, profile_for: Any, case: Sent) -> None:
    ran, customers = sent(user, witness, profile_for, case.name)

    assert ran.code == 0
    assert len(customers) == len(case.customers)
    for customer, right in zip(customers, case.customers, strict=True):
        assert right.items() <= customer.items()


ABROAD = {
    "headers_german.csv": ["+49301234567", "Lindenstr. 8", "10115", "Berlin", "DEU"],
    "headers_french.csv": ["+33123456789", "1 rue X", "75001", "Paris", "FRA"],
}


@pytest.mark.parametrize("name", ABROAD)
def test_columns_of_other_languages_are_all_used(user: User, witness: Witness, profile_for: Any, name: str) -> None:
    ran, (customer,) = sent(user, witness, profile_for, name)

    (address,) = customer["addresses"]
    parts = [address[part] for part in ("streetLine1", "zipCode", "cityName", "countryCode")]
    assert [customer["primaryPhoneNumber"]["number"], *parts] == ABROAD[name]
    found = [one["value"].partition(" → ")[0] for one in ran.json["source_info"]["detected"] if one["what"] == "mapped"]
    assert {*found} >= {*ran.json["source_info"]["columns"]}


def test_polish_letters_arrive_or_the_encodings_that_fit_are_named(
    user: User, witness: Witness, profile_for: Any
) -> None:
    ran, customers = sent(user, witness, profile_for, "encoding_polish_cp1250.csv")

    assert ran.code == 0
    names = {one["firstName"] for one in customers} | {one["lastName"] for one in customers}
    assert {"Paweł", "Łukasz"} <= names
    assert not any(sign in name for name in names for sign in "³£¹¿")


def test_every_case_has_a_test() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert [case.name for case in CASES.iterdir() if case.name not in tests] == []
