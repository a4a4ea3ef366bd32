"""The mapper as the pipeline uses it: observe, decide, map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from importer.core.batches import MappedBatch, RawBatch
from importer.core.commands import Commands
from importer.core.errors import ExitCode, ProfileError, SourceError
from importer.core.frames import raw_batch
from importer.core.issue_codes.mapping import MAPPING_CODES
from importer.core.issues import Issue, IssueLog, Severity
from importer.core.ports import Mapper
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import ColumnMapper, Table, build_mapper
from importer.profile import Profile

TODAY = date(2026, 11, 22)
REQUIRED = {
    "firstName": {"value": "Ann"},
    "lastName": {"value": "Green"},
    "primaryPhoneNumber.number": {"value": "+12025550101"},
    "primaryPhoneNumber.type": {"value": "MOBILE"},
    "primaryEmail.value": {"value": "ann@example.com"},
}


def batch(*rows: tuple[str, ...], first: int = 0, names: Sequence[str] = ("A", "B", "C", "D")) -> RawBatch:
    cells = [list(column) for column in zip(*rows, strict=True)]
    return raw_batch(first, range(first + 2, first + 2 + len(rows)), cells, names=names[: len(cells)])


def mapper(mapping: dict[str, Any], columns: tuple[str, ...], **options: Any) -> ColumnMapper:
    profile = Profile.model_validate({"mapping": {**REQUIRED, **mapping} if mapping else {}, **options})
    return build_mapper(
        CUSTOMERS,
        profile.mapping,
        Table(SourceInfo("x.csv", "csv", columns)),
        today=TODAY,
        source=profile.source,
        validation=profile.validation,
    )


def mapped(mapping: dict[str, Any], columns: tuple[str, ...], *rows: tuple[str, ...], **options: Any) -> MappedBatch:
    made = mapper(mapping, columns, **options)
    raw = batch(*rows, names=columns)
    made.observe(raw)
    made.decide()
    return made.map(raw)


def test_it_is_a_mapper() -> None:
    made: Mapper = mapper({"firstName": "A"}, ("A",))

    assert made.decide()


def test_a_column_that_needs_nothing_passes_through_without_a_copy() -> None:
    made = mapper({"firstName": "A", "primaryPhoneNumber.number": "B"}, ("A", "B"))
    made.decide()
    raw = batch(("Ann", "202 555 0101 ext 5"), ("Bob", "1"))

    mapped = made.map(raw)

    assert address(mapped.frame["firstName"]) == address(raw.frame.iloc[:, 0])
    assert address(mapped.frame["primaryPhoneNumber.number"]) == address(raw.frame.iloc[:, 1])


def address(column: pd.Series[str]) -> int:
    """Where the letters of a column lie in memory."""
    return int(pa.chunked_array([pa.array(column)]).chunk(0).buffers()[2].address)


def test_columns_are_found_by_name_with_case_and_spaces_aside() -> None:
    result = mapped({"firstName": "first name"}, ("Last", "First_Name"), ("x", "Ann"))

    assert result.texts("firstName") == ["Ann"]
    assert result.columns["firstName"] == "First_Name"
    assert result.columns["lastName"] == ""


def test_columns_are_joined_without_their_blanks() -> None:
    rule = {"columns": ["No", "Street", "Unit"], "join": ", "}
    result = mapped(
        {"addresses.mailing.streetLine1": rule}, ("No", "Street", "Unit"), ("12", " Elm St ", " "), ("", "", "")
    )

    assert result.texts("addresses.mailing.streetLine1") == ["12, Elm St", ""]
    assert result.columns["addresses.mailing.streetLine1"] == "No, Street, Unit"


def test_flaws_become_issues_that_never_hold_the_cell() -> None:
    made = mapper(
        {
            "primaryPhoneNumber.type": {"column": "Kind", "map": {"cell": "MOBILE"}},
            "addresses.mailing.zipCode": {"column": "Zip", "regex": r"\d{5}"},
            "dateOfBirth": {"column": "Born", "format": "%m/%d/%Y"},
        },
        ("Kind", "Zip", "Born"),
    )
    made.decide()

    rows = ("cell", "10001", "06/26/1990"), ("secret-word", "zip?", "26/06/1990")
    result = made.map(batch(*rows, first=7, names=("Kind", "Zip", "Born")))

    assert [(issue.ordinal, issue.code, issue.field, issue.column) for issue in result.issues] == [
        (8, "value_unmapped", "primaryPhoneNumber.type", "Kind"),
        (8, "pattern_mismatch", "addresses.mailing.zipCode", "Zip"),
        (8, "date_unreadable", "dateOfBirth", "Born"),
    ]
    assert result.texts("primaryPhoneNumber.type") == ["MOBILE", ""]
    assert result.texts("dateOfBirth") == ["1990-06-26", ""]
    assert not any("secret-word" in issue.message or "{" in issue.message for issue in result.issues)


def test_every_code_says_what_to_do_about_it() -> None:
    for code, entry in MAPPING_CODES.items():
        assert entry.code == code
        assert entry.message.format(label="X").endswith(".")
        assert entry.fix


def test_a_phone_that_a_spreadsheet_shortened_is_warned_about_and_kept() -> None:
    columns = ("Phone",)
    result = mapped({"primaryPhoneNumber.number": "Phone"}, columns, ("4.15555E+09",), ("202 555 0101",), ("1,5e10",))

    assert [(issue.ordinal, issue.code, issue.severity) for issue in result.issues] == [
        (0, "phone_digits_lost", Severity.WARNING),
        (2, "phone_digits_lost", Severity.WARNING),
    ]
    assert result.texts("primaryPhoneNumber.number")[0] == "4.15555E+09"


def test_an_issue_that_every_row_has_is_held_once() -> None:
    rows = [(f"4.{number}E+09",) for number in range(100)]
    result = mapped({"primaryPhoneNumber.number": "Phone"}, ("Phone",), *rows)

    assert isinstance(result.issues, IssueLog)
    assert [kind.code for kind in result.issues.kinds] == ["phone_digits_lost"]
    assert list(result.issues.ordinals) == list(range(100))


def test_the_words_that_a_map_does_not_know_are_listed() -> None:
    made = mapper({"primaryPhoneNumber.type": {"column": "Kind", "map": {"cell": "MOBILE"}}}, ("Kind",))
    made.observe(batch(("cell",), (" fax ",), ("",), ("pager",), names=("Kind",)))
    made.observe(batch(("fax",), *((f"word {number}",) for number in range(50)), names=("Kind",)))

    assert made.unmapped_words["primaryPhoneNumber.type"][:3] == ["fax", "pager", "word 0"]
    assert len(made.unmapped_words["primaryPhoneNumber.type"]) == 20
    assert not any("fax" in str(note) for note in made.decide())


@pytest.mark.parametrize(
    ("codes", "damaged"),
    [
        (["10001", "94105", "2134", "60601", "501"], True),
        (["10001", "94105", "02134", "2134"], False),
        (["10001", "94105", "60601"], False),
        (["1010", "8001", "9490"], False),
        (["10001", "SW1A 1AA", ""], False),
        ([], False),
    ],
)
def test_postal_codes_that_lost_their_zeros_are_found_by_the_columns_lengths(codes: list[str], damaged: bool) -> None:
    made = mapper({"addresses.mailing.zipCode": "Zip"}, ("Zip",))
    if codes:
        made.observe(batch(*((code,) for code in codes), names=("Zip",)))

    assert [note.value for note in made.decide() if note.what == "damage"] == (["Zip"] if damaged else [])


# --------------------------------------------------------------------------- dates


BORN: dict[str, Any] = {"dateOfBirth": "DOB"}


def test_the_order_of_dates_is_decided_over_the_whole_column() -> None:
    made = mapper(BORN, ("DOB",))
    early, late = batch(("01/02/1990",), names=("DOB",)), batch(("26/06/1990",), first=911, names=("DOB",))
    made.observe(early)
    made.observe(late)

    decided = [note for note in made.decide() if note.what == "date_order"]

    assert [note.value for note in decided] == ["DOB: day first"]
    assert decided[0].note == "row 913 has the day first (its first number is above 12)"
    assert made.map(early).texts("dateOfBirth") == ["1990-02-01"]


def test_undecidable_dates_are_refused_and_the_option_is_named() -> None:
    with pytest.raises(SourceError, match=r"can be read with the day or the month first.*in row 3") as caught:
        mapped(BORN, ("DOB",), ("05/05/1990",), ("01/02/1990",))

    assert "validation.date_order" in caught.value.hint
    assert caught.value.exit_code == ExitCode.SOURCE


def test_contradicting_dates_are_refused_with_both_rows() -> None:
    with pytest.raises(
        SourceError, match=r"contradict each other: row 2 has the day first .* row 3 has the month first"
    ):
        mapped(BORN, ("DOB",), ("26/06/1990",), ("06/26/1990",))


def test_an_option_decides_and_the_rest_becomes_issues() -> None:
    result = mapped(BORN, ("DOB",), ("01/02/1990",), ("26/06/1990",), validation={"date_order": "mdy"})

    assert result.texts("dateOfBirth") == ["1990-01-02", ""]
    assert [issue.code for issue in result.issues] == ["date_unreadable"]


def test_dates_that_nobody_observed_are_not_guessed() -> None:
    made = mapper(BORN, ("DOB",))
    made.decide()

    assert [issue.code for issue in made.map(batch(("01/02/1990",), names=("DOB",))).issues] == ["date_unreadable"]


def test_two_digit_years_are_reported() -> None:
    made = mapper(BORN, ("DOB",))
    made.observe(batch(("26/06/90",), names=("DOB",)))

    assert any("two-digit years" in note.note for note in made.decide())


def test_dates_are_judged_after_the_steps_before_them() -> None:
    rule = {"columns": ["D", "M", "Y"], "join": "/"}

    result = mapped({"dateOfBirth": rule}, ("D", "M", "Y"), ("26", "6", "1990"), ("1", "2", "1990"))

    assert result.texts("dateOfBirth") == ["1990-06-26", "1990-02-01"]


# --------------------------------------------------------------------------- constants and types


def test_a_constant_of_an_address_is_given_only_where_there_is_an_address() -> None:
    result = mapped(
        {"addresses.mailing.streetLine1": "Street", "addresses.mailing.countryCode": {"value": "USA"}},
        ("Street",),
        ("1 Elm St",),
        (" ",),
    )

    assert result.texts("addresses.mailing.countryCode") == ["USA", ""]


def test_a_constant_address_as_a_whole_is_given_to_every_row() -> None:
    address = {"streetLine1": "1 Elm St", "zipCode": "10001"}
    mapping = {f"addresses.mailing.{name}": {"value": value} for name, value in address.items()}

    assert mapped(mapping, ("A",), ("x",)).texts("addresses.mailing.zipCode") == ["10001"]


def test_the_country_of_a_national_id_is_only_beside_one() -> None:
    mapping = {"socialId": "SSN", "socialIdCountryCode": {"value": "USA"}}

    assert mapped(mapping, ("SSN",), ("900-00-0000",), ("",)).texts("socialIdCountryCode") == ["USA", ""]


MIXED = ("Type", "Company Name", "First Name", "Last Name", "Email", "Phone")


def test_rows_of_both_types_take_their_own_fields_from_shared_columns() -> None:
    result = mapped(
        {},
        MIXED,
        ("Person", "", "Ann", "Green", "ann@example.com", "202 555 0101"),
        ("company", "Blue Bakery", "Bob", "Brown", "bob@example.com", "202 555 0102"),
        ("robot", "", "Cy", "Black", "cy@example.com", "202 555 0103"),
    )

    assert result.texts("firstName") == ["Ann", "", "Cy"]
    assert result.texts("contacts.primary.firstName") == ["", "Bob", "Cy"]
    assert result.texts("primaryPhoneNumber.type") == ["MOBILE", "", "MOBILE"]
    assert result.texts("contacts.primary.primaryPhoneNumber.type") == ["", "WORK", "WORK"]


def test_the_type_follows_from_the_fields_when_the_profile_leaves_it_out() -> None:
    business = {f"contacts.primary.{name}": rule for name, rule in REQUIRED.items()} | {"businessName": {"column": "A"}}
    made = build_mapper(
        CUSTOMERS,
        Profile.model_validate({"mapping": business}).mapping,
        Table(SourceInfo("x", "csv", ("A",))),
        today=TODAY,
    )
    made.decide()

    assert made.map(batch(("Blue Bakery",))).texts("type") == ["BUSINESS"]
    assert mapped({"firstName": "A"}, ("A",), ("Ann",)).texts("type") == ["INDIVIDUAL"]


# --------------------------------------------------------------------------- refusals


def test_a_column_that_is_not_there_names_the_nearest_one() -> None:
    with pytest.raises(ProfileError, match=r"firstName from a column 'Frist Name', .* did you mean 'First Name'"):
        mapper({"firstName": "Frist Name"}, ("First Name", "Last Name"))


def test_a_mapping_without_a_required_field_is_refused() -> None:
    profile = Profile.model_validate({"mapping": {"firstName": "A", "lastName": "A", "primaryEmail.value": "A"}})

    with pytest.raises(ProfileError, match="every customer needs: phone number, phone type") as caught:
        build_mapper(CUSTOMERS, profile.mapping, Table(SourceInfo("x", "csv", ("A",))), today=TODAY)
    assert '"primaryPhoneNumber.number" = ' in caught.value.hint


@pytest.mark.parametrize("columns", [("A", "B"), ("First Name", "Last Name", "Shoe Size")])
def test_columns_that_cannot_make_a_customer_are_refused_with_what_to_do(columns: tuple[str, ...]) -> None:
    with pytest.raises(SourceError) as caught:
        build_mapper(
            CUSTOMERS, {}, Table(SourceInfo("x.csv", "csv", columns)), today=TODAY, looks=Commands().looks("my x.csv")
        )

    assert "`importer inspect 'my x.csv'`" in caught.value.hint
    assert "`importer init 'my x.csv'`" in caught.value.hint


def test_a_file_without_a_header_is_recognised_and_its_cells_are_not_repeated() -> None:
    with pytest.raises(SourceError, match="looks like a customer, not like column names") as caught:
        mapper({}, ("Ann", "Green", "ann@example.com", "202-555-0101"))

    assert "ann@" not in str(caught.value)


def test_what_was_matched_assumed_and_left_out_is_reported() -> None:
    made = mapper({}, ("First Name", "Last Name", "Email", "Phone", "Shoe Size"))

    reported = {(note.what, note.value) for note in made.decide()}

    assert ("mapped", "First Name → firstName") in reported
    assert ("unmapped", "Shoe Size") in reported
    assert ("assumed", "type = INDIVIDUAL") in reported


def test_columns_that_a_profile_does_not_use_are_reported() -> None:
    made = mapper({"firstName": "A"}, ("A", "B"))

    assert [note.value for note in made.decide() if note.what == "unmapped"] == ["B"]


# --------------------------------------------------------------------------- flaws of cells, by their use


def flawed(code: str, column: str, severity: Severity = Severity.ERROR, ordinal: int = 0) -> Issue:
    return Issue(ordinal, code, "what is wrong", column=column, severity=severity)


def with_issues(raw: RawBatch, *issues: Issue) -> RawBatch:
    return replace(raw, issues=issues)


def by_use(mapping: dict[str, Any], columns: tuple[str, ...], row: tuple[str, ...], *issues: Issue) -> MappedBatch:
    made = mapper(mapping, columns)
    raw = with_issues(batch(row, names=columns), *issues)
    made.observe(raw)
    made.decide()
    return made.map(raw)


def test_an_error_cell_is_an_error_of_the_field_that_it_fills_and_holds_no_text() -> None:
    found = by_use({"firstName": "A"}, ("A",), ("#N/A",), flawed("cell_error", "A"))

    (issue,) = found.raw.issues
    assert (issue.field, issue.severity) == ("firstName", Severity.ERROR)
    assert found.texts("firstName") == [""]
    assert found.raw.cells[0] == ["#N/A"]  # what is written out again stays as it was


@pytest.mark.parametrize("code", ["cell_error", "formula_without_value"])
def test_an_error_cell_of_a_column_that_nobody_uses_is_a_warning(code: str) -> None:
    found = by_use({"firstName": "A"}, ("A", "B"), ("Ann", "#N/A"), flawed(code, "B"))

    assert [(issue.field, issue.severity) for issue in found.raw.issues] == [("", Severity.WARNING)]


def test_an_error_cell_is_said_once_for_each_field_and_not_again_as_an_unreadable_date() -> None:
    name = {"column": "A", "part": "given"}, {"column": "A", "part": "family"}
    rules = {"firstName": name[0], "lastName": name[1], "dateOfBirth": "B"}
    found = by_use(rules, ("A", "B"), ("#N/A", "#REF!"), flawed("cell_error", "A"), flawed("cell_error", "B"))

    assert [issue.field for issue in found.raw.issues] == ["firstName", "lastName", "dateOfBirth"]
    assert found.issues == ()


def test_where_both_types_share_a_column_the_field_of_the_rows_own_type_is_named() -> None:
    person = {name.removeprefix("contacts.primary."): rule for name, rule in REQUIRED.items()}
    contact = {f"contacts.primary.{name}": rule for name, rule in person.items()}
    rules = {**contact, "type": "T", "businessName": "N", "firstName": "A", "contacts.primary.firstName": "A"}
    found = by_use(rules, ("T", "N", "A"), ("Business", "Example Bakery", "#N/A"), flawed("cell_error", "A"))

    assert [issue.field for issue in found.raw.issues] == ["contacts.primary.firstName"]


@pytest.mark.parametrize(
    ("field", "severity"),
    [
        ("externalId", Severity.ERROR),
        ("socialId", Severity.ERROR),
        ("primaryPhoneNumber.number", Severity.ERROR),
        ("addresses.mailing.streetLine1", Severity.WARNING),
        ("metadata.a", Severity.WARNING),
    ],
)
def test_a_shortened_number_is_an_error_where_every_digit_counts(field: str, severity: Severity) -> None:
    issue = flawed("number_shortened", "A", Severity.WARNING)
    found = by_use({field: "A"}, ("A",), ("1234567890123450",), issue)

    assert [issue.severity for issue in found.raw.issues] == [severity]


def test_a_shortened_phone_number_is_said_once() -> None:
    issue = flawed("number_shortened", "A", Severity.WARNING)
    found = by_use({"primaryPhoneNumber.number": "A"}, ("A",), ("4.16E+09",), issue)

    assert found.issues == ()


# --------------------------------------------------------------------------- what protects texts from spreadsheets


def test_protected_texts_are_bare_before_a_step_reads_them_and_the_change_is_counted() -> None:
    rules = {
        "dateOfBirth": "A",
        "primaryPhoneNumber.type": {"column": "B", "map": {"cell": "MOBILE"}},
        "addresses.mailing.streetLine1": {"columns": ["C", "D"]},
    }
    found = mapped(rules, ("A", "B", "C", "D"), ('="01/24/1985"', '="cell"', "'12", "Main St"))

    assert found.texts("dateOfBirth") == ["1985-01-24"]
    assert found.texts("primaryPhoneNumber.type") == ["MOBILE"]
    assert found.texts("addresses.mailing.streetLine1") == ["12 Main St"]
    assert found.issues == ()
    changed = {(one.rule, one.field, tuple(one.ordinals)) for one in found.changes}
    assert changed == {("protection_removed", name, (0,)) for name in rules}


def test_a_protected_date_is_evidence_of_its_order() -> None:
    made = mapper({"dateOfBirth": "A"}, ("A",))
    made.observe(batch(('="24/01/1985"',), ("'03/02/1985",)))

    assert any("day first" in note.value for note in made.decide())


def test_a_text_that_no_step_reads_is_left_to_validation() -> None:
    found = mapped({"firstName": "A"}, ("A",), ("'-Bob",))

    assert (found.texts("firstName"), found.changes) == (["'-Bob"], ())
