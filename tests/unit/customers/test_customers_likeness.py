"""Likenesses: what programs lose or change on the way does not hide a customer, and columns hash as bodies do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.contract import Columns, is_another, person_of
from importer.customers.likeness import (
    EMAIL,
    EXTERNAL_ID,
    KINDS,
    NAME,
    NAME_BIRTH,
    PERSONAL,
    PHONE,
    folded_name,
    folded_names,
    folded_reference,
    prints_of,
)
from importer.customers.row_identities import Identities
from importer.customers.specs import CustomerType

SECRET = b"a fictional secret of 32 bytes.."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O'Hara", "O\u2019Hara"), ("Ann-Lee", "ANN\u2010LEE"), ("Anna  Maria", "Anna Maria"), ("Zoé", "Zoe"),
        ("Łukasz", "Lukasz"), ("Jo\u0308rg", "Jörg"), ("Weiß", "WEISS"), ("Søren", "Soren"),
    ],
)  # fmt: skip
def test_names_are_alike_by_their_letters(one: str, other: str) -> None:
    assert folded_name(one) == folded_name(other) != ""


@pytest.mark.parametrize("parts", [("Ann", ""), ("", ""), ("Ann", "--")])
def test_half_a_name_is_like_no_other(parts: tuple[str, ...]) -> None:
    assert folded_name(*parts) == ""


@pytest.mark.parametrize(
    ("one", "other"), [("L-007", "l-7"), ("00042", "42"), ("a 1", "A1"), ("0", "000"), ("X10", "x010")]
)
def test_references_are_alike_without_case_blanks_and_leading_zeros(one: str, other: str) -> None:
    assert folded_reference(one) == folded_reference(other) != ""


@pytest.mark.parametrize(("one", "other"), [("L-7", "L-70"), ("10", "1"), ("A1", "B1")])
def test_other_references_are_not(one: str, other: str) -> None:
    assert folded_reference(one) != folded_reference(other)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.tuples(texts, texts, texts, texts, texts, texts))
def test_a_column_is_hashed_as_a_body_is(person: tuple[str, str, str, str, str, str]) -> None:
    first, last, email, phone, born, reference = person
    table = {
        "firstName": [first], "lastName": [last], "primaryEmail.value": [email],
        "primaryPhoneNumber.number": [phone], "dateOfBirth": [born], "externalId": [reference],
    }  # fmt: skip
    body: dict[str, Any] = {
        "type": "INDIVIDUAL", "firstName": first, "lastName": last, "primaryEmail": {"value": email},
        "primaryPhoneNumber": {"number": phone}, "dateOfBirth": born, "externalId": reference,
    }  # fmt: skip
    columns = Identities(CustomerType.INDIVIDUAL, Columns(table, table.__getitem__, 1, {}), SECRET).prints()

    assert {kind: column[0] for kind, column in columns.items()} == prints_of(SECRET, body)
    assert set(columns) == {*KINDS, NAME}


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_columns_of_names_are_folded_as_single_ones_are(names: list[tuple[str, str]]) -> None:
    first, last = [name for name, _ in names], [name for _, name in names]

    assert folded_names(first, last) == [folded_name(*name) for name in names]
    assert folded_names(first) == list(map(folded_name, first))


def test_a_business_is_known_by_its_name_and_its_main_contact() -> None:
    contact = {"primary": True, "primaryEmail": {"value": "a@example.com"}, "primaryPhoneNumber": {"number": "+1"}}
    body = {"type": "BUSINESS", "businessName": "Example Ltd.", "contacts": [contact]}
    found = prints_of(SECRET, body)

    assert [kind for kind, number in found.items() if number] == [EMAIL, PHONE, NAME]
    assert (found[NAME_BIRTH], found[EXTERNAL_ID]) == (0, 0)


def test_who_shares_nothing_is_another_person() -> None:
    ann = person_of({NAME: 1, EMAIL: 2, PHONE: 3}, PERSONAL)
    assert not is_another(ann, person_of({NAME: 1, EMAIL: 8, PHONE: 9}, PERSONAL))
    assert not is_another(ann, person_of({NAME: 7, EMAIL: 2, PHONE: 9}, PERSONAL))
    assert is_another(ann, person_of({NAME: 7, EMAIL: 8, PHONE: 9}, PERSONAL))
    assert is_another(person_of({NAME: 1, EMAIL: 2}, PERSONAL), person_of({NAME: 7, EMAIL: 8}, PERSONAL))
    assert not is_another("", ann)
    assert not is_another(ann, person_of({}, PERSONAL))
