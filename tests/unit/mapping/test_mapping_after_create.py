"""Columns of limits, beneficial owners and documents are found by their names, and left out where they make nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import ColumnMapper, Table, build_mapper, init_profile
from importer.mapping.proposal import Proposal, proposal
from importer.profile.mapping_rules import FieldRule

PERSON = ("First Name", "Last Name", "Phone", "Email")
BUSINESS = ("Business Name", "Contact First Name", "Contact Last Name", "Contact Phone", "Contact Email")


def found(columns: Sequence[str], cells: Mapping[str, str] | None = None) -> Proposal:
    info = SourceInfo("customers.csv", "csv", tuple(columns))
    texts = [[(cells or {}).get(column, "")] for column in columns]
    return proposal(CUSTOMERS, info, raw_batch(0, [2], texts, names=columns) if cells else None)


def fields_of(columns: Sequence[str], own: Sequence[str] = PERSON) -> dict[str, str]:
    """To each column the field that it got, those of the customer itself aside."""
    matches = found((*own, *columns)).matches
    return {match.column: match.field for match in matches if match.column in columns}


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("Daily limit", "limits.daily"),
        ("Max per day", "limits.daily"),
        ("DAILY_TRANSACTION_LIMIT", "limits.daily"),
        ("dailyLimit", "limits.daily"),
        ("Monthly limit USD", "limits.monthly"),
        ("Monthly Limit (USD)", "limits.monthly"),
        ("Transaction limit", "limits.single"),
        ("Limit per transaction", "limits.single"),
        ("Weekly max", "limits.weekly"),
        ("Tageslimit", "limits.daily"),
        ("limits.daily", "limits.daily"),
        ("Customer daily limit", "limits.daily"),
        ("Credit limit", ""),
        ("Daily ATM limit", ""),
        ("Overdraft limit", ""),
        ("Limit", ""),
        ("Monthly fee", ""),
    ],
)
def test_limits_are_found_and_other_limits_are_not(column: str, field: str) -> None:
    assert fields_of([column])[column] == field


def test_the_currency_in_a_name_is_that_of_the_limits() -> None:
    rules = found((*PERSON, "Monthly limit CAD")).rules
    assert rules["limits.currency"].value == "CAD"
    assert found((*PERSON, "Monthly limit", "Limit currency")).rules["limits.currency"].column == "Limit currency"


def test_a_currency_that_nothing_says_is_assumed_with_a_note_and_not_as_a_constant() -> None:
    proposed = found((*PERSON, "Monthly limit"))
    assert "limits.currency" not in proposed.rules
    assert "limits.currency = USD" in [one.value for one in proposed.assumed]


def test_limits_of_two_currencies_are_not_mixed() -> None:
    assert fields_of(["Daily limit USD", "Monthly limit CAD"]) == {
        "Daily limit USD": "limits.daily",
        "Monthly limit CAD": "",
    }


@pytest.mark.parametrize(
    "columns",
    [
        ("UBO 1 First Name", "UBO 1 Last Name", "UBO 1 DOB"),
        ("Beneficial owner first name", "Beneficial owner last name", "Beneficial owner date of birth"),
        ("Owner 1 first name", "Owner 1 last name", "Owner 1 DOB"),
        ("ubo1_first_name", "ubo1_last_name", "ubo1_dob"),
        ("Beneficial Owner #1 First Name", "Beneficial Owner #1 Surname", "Beneficial Owner #1 Birth Date"),
    ],
)
def test_owners_are_found_by_their_number(columns: Sequence[str]) -> None:
    assert list(fields_of(columns, BUSINESS).values()) == [
        "beneficiaries.1.firstName",
        "beneficiaries.1.lastName",
        "beneficiaries.1.dateOfBirth",
    ]


def test_further_owners_have_their_own_columns_and_whole_names_are_split() -> None:
    columns = (
        "UBO 1 name",
        "Beneficial owner 2 name",
        "Beneficial owner 2 last name",
        "UBO 2 ownership %",
        "UBO 1 SSN",
    )
    rules = found((*BUSINESS, *columns)).rules
    assert rules["beneficiaries.1.firstName"].part == "given"
    assert rules["beneficiaries.1.lastName"].part == "family"
    assert rules["beneficiaries.2.lastName"].column == "Beneficial owner 2 last name"
    assert rules["beneficiaries.2.ownershipPercentage"].column == "UBO 2 ownership %"
    assert rules["beneficiaries.1.socialIdCountryCode"].value == "USA"


def test_what_makes_no_whole_owner_is_left_out_with_the_reason() -> None:
    assert set(fields_of(["UBO 1 First Name", "UBO 1 DOB"], BUSINESS).values()) == {""}
    assert fields_of(["UBO 1 First Name", "UBO 1 Last Name", "UBO 1 City"], BUSINESS)["UBO 1 City"] == ""
    whole = fields_of(["UBO 1 name", "UBO 1 address", "UBO 1 zip", "UBO 1 city"], BUSINESS)
    assert whole["UBO 1 zip"] == "beneficiaries.1.addresses.physical.zipCode"


def test_persons_have_no_owners_and_an_owner_without_a_number_is_somebody_else() -> None:
    assert fields_of(["UBO 1 First Name", "UBO 1 Last Name"])["UBO 1 First Name"] == ""
    assert fields_of(["Owner", "Owner Email", "Owner Name"], BUSINESS) == {
        "Owner": "",
        "Owner Email": "",
        "Owner Name": "",
    }


def test_a_phone_of_an_owner_has_a_type_only_where_there_is_a_phone() -> None:
    rules = found((*BUSINESS, "UBO 1 name", "UBO 1 phone")).rules
    assert rules["beneficiaries.1.primaryPhoneNumber.type"].value == "MOBILE"


def test_a_passport_needs_its_number_and_country() -> None:
    assert fields_of(["Passport scan", "Passport number", "Passport country", "Passport expiry"]) == {
        "Passport scan": "documents.passport.file",
        "Passport number": "documents.passport.number",
        "Passport country": "documents.passport.issuingCountryCode",
        "Passport expiry": "documents.passport.expiryDate",
    }
    assert set(fields_of(["Passport scan", "Passport expiry"]).values()) == {""}
    assert set(fields_of(["Passport number", "Passport country"]).values()) == {""}
    licence = fields_of(["Driver's license file", "Driver's license number", "Driver's license issuing country"])
    assert "" not in licence.values()


def test_another_document_is_described_by_the_name_of_its_column() -> None:
    rules = found((*PERSON, "ID document")).rules
    assert rules["documents.other.file"].column == "ID document"
    assert rules["documents.other.description"].value == "ID document"
    assert fields_of(["Certificate of formation"], BUSINESS) == {"Certificate of formation": "documents.formation.file"}


@pytest.mark.parametrize(
    ("column", "cell", "field"),
    [
        ("Proof of address", "bill.pdf", "documents.other.file"),
        ("Proof of address", "https://files.example.com/1", "documents.other.file"),
        ("Proof of address", "yes", ""),
        ("W9", "Received 2024", ""),
        ("Daily limit", "$1,000", "limits.daily"),
        ("Daily limit", "high", ""),
    ],
)
def test_cells_that_are_no_files_or_amounts_are_not_sent(column: str, cell: str, field: str) -> None:
    people = {"First Name": "Sarah", "Last Name": "Green", "Phone": "+12125550123", "Email": "sarah@example.com"}
    matches = found((*people, column), {**people, column: cell}).matches
    assert [match.field for match in matches if match.column == column] == [field]


# --------------------------------------------------------------------------- steps that are off

CELLS = {
    "First Name": "Sarah", "Last Name": "Green", "Phone": "+12125550123", "Email": "sarah@example.com",
    "Daily limit": "100", "Fee": "1",
}  # fmt: skip
OFF = "The columns of limits are not used: set after_create.limits = true to set them after the create."


def table() -> Table:
    columns = tuple(CELLS)
    sample = raw_batch(0, [2], [[text] for text in CELLS.values()], names=columns)
    return Table(SourceInfo("customers.csv", "csv", columns), sample)


def mapper_of(mapping: Mapping[str, FieldRule]) -> ColumnMapper:
    return build_mapper(CUSTOMERS, mapping, table(), today=date(2026, 11, 22))


def test_what_a_step_that_is_off_would_send_is_not_used_and_a_sentence_says_so() -> None:
    mapper = mapper_of({}).without_steps(["limits"])
    assert "limits.daily" not in mapper.columns
    said = {(one.what, one.value): one.note for one in mapper.notes}
    assert said["step_off", "limits"] == OFF
    assert said["unmapped", "Daily limit"] == "the step that would send it is off"
    assert not any("limits.currency" in value for _, value in said)


def test_a_profile_that_maps_limits_without_the_step_gets_the_sentence_too() -> None:
    rules = mapper_of({}).rules
    mapper = mapper_of(rules).without_steps(["limits"])
    assert OFF in [one.note for one in mapper.notes]


def test_an_update_never_advises_to_switch_a_step_on() -> None:
    mapper = mapper_of({}).without_steps(["limits"], updates=True)
    assert "The columns of limits are not used: an update leaves them as they are." in [
        one.note for one in mapper.notes
    ]


def test_a_mapper_without_such_columns_stays_itself() -> None:
    mapper = mapper_of({})
    assert mapper.without_steps(["documents"]) is mapper
    assert mapper.without_steps([]) is mapper


def test_a_new_profile_switches_limits_on_where_there_are_columns_for_them() -> None:
    assert "\nlimits = true " in init_profile(CUSTOMERS, table())
    columns = tuple(name for name in CELLS if name != "Daily limit")
    plain = Table(SourceInfo("customers.csv", "csv", columns))
    assert "\n# limits = true " in init_profile(CUSTOMERS, plain)


# --------------------------------------------------------------------------- dates of documents


@pytest.mark.parametrize("form", [None, "%m/%d/%y"])
def test_two_digits_of_an_expiry_are_a_year_to_come_and_of_an_issue_one_that_was(form: str | None) -> None:
    columns = ("Expiry", "Issued")
    cells = [["01/31/36", "02/28/27"], ["01/31/16", "02/28/99"]]
    names = ("documents.passport.expiryDate", "documents.passport.issuingDate")
    fixed = {"firstName": "Sarah", "lastName": "Green", "primaryEmail.value": "s@example.com", "type": "INDIVIDUAL",
             "primaryPhoneNumber.number": "+12125550123", "primaryPhoneNumber.type": "MOBILE"}  # fmt: skip
    rules = {name: FieldRule(value=value) for name, value in fixed.items()}
    rules |= {name: FieldRule(column=column, format=form) for name, column in zip(names, columns, strict=True)}
    batch = raw_batch(0, [2, 3], cells, names=columns)
    source = Table(SourceInfo("customers.csv", "csv", columns), batch)
    mapper = build_mapper(CUSTOMERS, rules, source, today=date(2026, 11, 22))
    mapper.observe(batch)
    mapper.decide()
    mapped = mapper.map(batch)
    assert mapped.texts(names[0]) == ["2036-01-31", "2027-02-28"]
    assert mapped.texts(names[1]) == ["2016-01-31", "1999-02-28"]
