"""The rule table: complete, and fit to be shown to people."""

from __future__ import annotations

import subprocess
import sys

import pytest

from importer.core.contract import FieldSpec, Kind, Policy
from importer.core.issues import Severity
from importer.customers.codes import ISSUE_CODES
from importer.customers.contract import CUSTOMERS
from importer.customers.fields import read
from importer.customers.rules import FIELDS, RULES, field_spec, is_known_field, message
from importer.customers.specs import CustomerType


@pytest.mark.parametrize("spec", FIELDS.values(), ids=lambda spec: spec.name)
def test_every_field_has_an_example_that_is_valid_and_clean(spec: FieldSpec) -> None:
    reading = read(spec, spec.example, Policy(), "USA")
    assert reading.clean
    assert reading.value == spec.example


@pytest.mark.parametrize("name", ["firstName", "metadata.crmId", "metadata.a.b", "addresses.shipping.name.firstName"])
def test_the_fields_of_a_profile_are_known(name: str) -> None:
    assert is_known_field(name)


@pytest.mark.parametrize(
    "name", ["", "firstname", "metadata", "metadata.", "metadata.a b", "metadata." + "x" * 41, "addresses.mailing.name"]
)
def test_other_names_are_not(name: str) -> None:
    assert not is_known_field(name)
    assert field_spec(name) is None


def test_the_minimum_of_an_individual_is_what_the_guide_asks_for() -> None:
    required = {spec.name for spec in CUSTOMERS.fields.of(CustomerType.INDIVIDUAL) if spec.required}
    assert required == {
        "type", "firstName", "lastName", "primaryPhoneNumber.number", "primaryPhoneNumber.type", "primaryEmail.value",
    }  # fmt: skip


def test_the_minimum_of_a_business_is_what_the_guide_asks_for() -> None:
    required = {spec.name for spec in CUSTOMERS.fields.of(CustomerType.BUSINESS) if spec.required}
    contact = ("firstName", "lastName", "primaryPhoneNumber.number", "primaryPhoneNumber.type", "primaryEmail.value")
    assert required == {"type", "businessName", *(f"contacts.primary.{name}" for name in contact)}


@pytest.mark.parametrize("code", ISSUE_CODES)
def test_every_code_makes_a_sentence_about_every_field(code: str) -> None:
    for spec in FIELDS.values():
        sentence = message(code, spec)
        assert sentence.endswith(".")
        assert "{" not in sentence
        assert spec.label in sentence or "{label}" not in ISSUE_CODES[code].message


@pytest.mark.parametrize("code", ISSUE_CODES)
def test_every_code_has_a_title_and_a_fix(code: str) -> None:
    entry = ISSUE_CODES[code]
    assert entry.code == code
    assert entry.title[0].isupper()
    assert entry.fix.endswith((".", "`"))
    assert "{{" not in entry.fix


def test_every_rule_names_a_code_that_exists() -> None:
    assert {rule.code for rule in RULES} <= set(ISSUE_CODES)


def test_some_codes_only_warn() -> None:
    assert ISSUE_CODES["zip_unusual"].severity is Severity.WARNING
    assert ISSUE_CODES["phone_invalid"].severity is Severity.ERROR


def test_enums_are_the_apis_capitals() -> None:
    assert all(spec.values and "".join(spec.values).isupper() for spec in FIELDS.values() if spec.kind is Kind.ENUM)


def test_the_rule_table_loads_without_the_heavy_libraries() -> None:
    script = (
        "import sys, importer.customers.rules; print([m for m in ('pycountry','phonenumbers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
