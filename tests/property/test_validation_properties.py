"""Every row, clean or dirty: judged alone as among others, sent as a customer, and clean only where readers agree."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.contract import Kind, Notes, Policy, Reading
from importer.core.frames import raw_batch
from importer.core.issues import Severity
from importer.customers.codes import ISSUE_CODES
from importer.customers.contract import CUSTOMERS
from importer.customers.fields import read
from importer.customers.patterns import clean_pattern, clean_postal, clean_words, max_chars, north_american_numbers
from importer.customers.phones import read_phone
from importer.customers.places import read_state, state_codes
from importer.customers.postal import is_po_box, read_postal
from importer.customers.rules import FIELDS, READING_FIELDS, field_spec, metadata_spec
from importer.customers.specs import ADDRESS_TYPES, STATE_REQUIRED_IN, CustomerField, CustomerType
from importer.customers.types import customer_adapter
from importer.validation.validator import Validator
from tests.batches import mapped_batch
from tests.effort import examples

TODAY = date(2026, 11, 22)
SECRET = b"0123456789abcdef0123456789abcdef"
GOOD: dict[Kind, tuple[str, ...]] = {
    Kind.NAME: ("Sarah", "Green", "José", "O'Brien", "O’Neill", "Ngô Thị", "王", "Anne-Marie", "محمد"),
    Kind.TEXT: ("12 Example Street", "Springfield", 'The "Old" Mill', "C:\\Temp", "Straße 5", "x" * 25),
    Kind.METADATA: ("crm-2009", "a b c", "ü"),
    Kind.REFERENCE: ("L-0001", "0007", "900-00-0000", "é-1"),
    Kind.EXTENSION: ("45", "x45", "ext. 7"),
    Kind.PHONE: (
        "+12125550123", "(212) 555-0123", "212-555-0123", "1 212 555 0123", "2125550123", "+15556589", "5551234",
        "+442079460958", "+1 416 555 0123", "(212) 555-0123 x45", "+15550100123", "1-800-555-0199",
        "2079460958", "020 7946 0958", "030 1234567", "0044 20 7946 0958", "011 44 20 7946 0958", "14155550108.0",
        "4165550123", "5005550123", "1-800-FLOWERS",
    ),
    Kind.EMAIL: ("sarah.green@example.com", "Sarah@EXAMPLE.com", "Info@example.org", "a@müller.example.com",
                 "ü@example.com"),
    Kind.DATE: ("1980-01-31", "2000-02-29", "2015-05-05"),
    Kind.ENUM: ("MOBILE", "mobile", "Cell", "WORK", "FEMALE", "f", "Non-binary"),
    Kind.COUNTRY: ("USA", "US", "Canada", "DEU", "Deutschland", "GBR", "usa"),
    Kind.STATE: ("CA", "IL", "California", "ON", "Québec", "AE", "BY", "US-NY", "XX"),
    Kind.POSTAL: ("62701", "62701-1234", "1234", "K1A 0B1", "k1a0b1", "SW1A 1AA", "10115"),
    Kind.INDUSTRY: ("001001", "999999", "1001"),
    Kind.WEBSITE: ("https://bakery.example.com", "bakery.example.com/x", "none"),
    Kind.AMOUNT: ("1000.00", "1000", "$5.5", "0", "-1", "1.005", "CAD 20"),
    Kind.CURRENCY: ("USD", "cad", "EUR", "$"),
    Kind.PERCENTAGE: ("25", "33.3 %", "12,5", "0.25", "101"),
    Kind.BOOLEAN: ("yes", "No", "true"),
    Kind.FILE: ("scans/0001.pdf", "https://files.example.com/a.png"),
}  # fmt: skip
BAD = (
    "", "", " ", "N/A", "-", "0", "x" * 41, "y" * 120, "z" * 1100, "a\nb", "\u200bAnna\u200b", " padded ",
    "no\xa0break",
    "e\u0301", "bad\x00", "\ufffd", "<b>", "PO Box 12", "P.O. Box 7", "1900-01-01", "2026-11-22", "2099-01-01",
    "1980-02-30",
    '="02138"', "'02138", "'-Bob", '=""', "'t Hooft", "''02138", "'=1@example.com", '="a""b"', "'2125550123",
    "1.5551E+10", "=1+1", "a@b", "@", "tom@@example.com", "+999123456", "911", "١٢٣", "INDIVIDUAL",
)  # fmt: skip


LETTERS = "abcXYZ019 @.+-()'\"\\\t\n\x00\xa0\u200b\u200d\u0301\u202eéßİ٣王\ufffd\U0001f600\ue000"


def text_of(dice: Random, name: str) -> str:
    spec = field_spec(name)
    assert spec is not None
    good = dice.choice([*GOOD[spec.kind], *spec.values] if dice.random() < 0.1 or not spec.values else spec.values)
    odd = (good, f" {good}\xa0", dice.choice(BAD), "".join(dice.choices(LETTERS, k=dice.randrange(12))))
    return dice.choice(odd) if dice.random() < 0.1 else good


INDIVIDUAL_FIELDS = [
    "firstName", "lastName", "primaryPhoneNumber.number", "primaryPhoneNumber.type", "primaryEmail.value",
]  # fmt: skip
BUSINESS_FIELDS = ["businessName", *(f"contacts.primary.{name}" for name in INDIVIDUAL_FIELDS)]
SHARED = [
    name for name, spec in FIELDS.items() if len(spec.types) == 2 and name != "type"
] + ["metadata.a", "metadata.b.c", "metadata.d"]  # fmt: skip


OF_STEPS = [name for name, spec in FIELDS.items() if spec.step]


def names_of(dice: Random, kind: str) -> list[str]:
    names = (
        []
        if kind == "BUSINESS"
        else INDIVIDUAL_FIELDS + some(dice, [n for n, s in FIELDS.items() if s.only_type == "INDIVIDUAL"])
    )
    if kind != "INDIVIDUAL":
        names += BUSINESS_FIELDS + some(dice, [n for n, s in FIELDS.items() if s.only_type == "BUSINESS"])
    word = dice.choice(list(ADDRESS_TYPES))
    if dice.random() < 0.6:
        names += [f"addresses.{word}.{part}" for part in ("streetLine1", "zipCode", "stateCode", "countryCode")]
    if dice.random() < 0.3:
        names += [f"addresses.{each}.countryCode" for each in ADDRESS_TYPES]
    if dice.random() < 0.3:
        names += [name for name in READING_FIELDS if name.rpartition(".")[0] + ".number" in names]
    return list(dict.fromkeys(names + some(dice, SHARED)))


def some(dice: Random, names: list[str]) -> list[str]:
    return dice.sample(names, dice.randrange(6))


def table_of(dice: Random) -> dict[str, list[str]]:
    kind = dice.choice(["INDIVIDUAL", "BUSINESS", "MIXED"])
    size = dice.randrange(1, 20)
    table = {name: [text_of(dice, name) for _ in range(size)] for name in names_of(dice, kind)}
    if kind == "MIXED":
        words = ["INDIVIDUAL", "BUSINESS", "individual", "Company", "", "???"]
        table["type"] = dice.choices(words, weights=(6, 6, 1, 1, 1, 1), k=size)
    return table


def batch_of(table: Mapping[str, Sequence[str]]) -> MappedBatch:
    size = len(next(iter(table.values())))
    return mapped_batch(raw_batch(100, range(102, 102 + size), ()), table, {name: f"col {name}" for name in table})


VALIDATORS = [
    Validator(CUSTOMERS, Policy(phone=phone, region=region, today=TODAY), secret=SECRET, stamp=stamp)  # type: ignore[arg-type]  # the three literals
    for phone, region, stamp in (("possible", "US", "importKey"), ("e164", None, ""), ("valid", "GB", "importKey"))
]


def row_of(checked: CheckedBatch, place: int) -> tuple[Any, ...]:
    """Everything that is said of one row."""
    ordinal = checked.raw.first + place
    issues = [(one.code, one.field, one.message) for one in checked.issues if one.ordinal == ordinal]
    changes = [(one.rule, one.field, one.before, one.after) for one in checked.changes if one.ordinal == ordinal]
    likenesses = {kind: texts[place] for kind, texts in checked.likenesses.items() if texts[place]}
    after = checked.after[place] if checked.after else None
    return checked.payloads[place], checked.keys[place], issues, sorted(changes), likenesses, after


@settings(max_examples=examples(150), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_row_is_judged_alone_as_among_others(seed: int) -> None:
    dice = Random(seed)
    table, validator = table_of(dice), dice.choice(VALIDATORS)
    checked = validator.check(batch_of(table))
    for place in range(len(checked.raw)):
        alone = validator.check(batch_of({name: [column[place]] for name, column in table.items()}))
        assert row_of(alone, 0) == row_of(checked, place)
        errors = [one for one in alone.issues if one.severity is Severity.ERROR]
        assert (alone.payloads[0] is None) == bool(errors)
        assert all(one.code in ISSUE_CODES for one in alone.issues)


@settings(max_examples=examples(150), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_sent_is_a_customer_to_whom_nothing_more_is_to_be_done(seed: int) -> None:
    dice = Random(seed)
    validator = dice.choice(VALIDATORS)
    for payload in validator.check(batch_of(table_of(dice))).payloads:
        if payload is not None:
            body, notes = json.loads(payload), Notes()
            again = customer_adapter(CustomerType(body["type"]), validator.policy).validate_python(body, context=notes)
            assert again == body
            assert not notes.changes


@settings(max_examples=examples(150), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_steps_after_the_create_send_changes_nothing_else_of_a_valid_row(seed: int) -> None:
    dice = Random(seed)
    table, validator = table_of(dice), dice.choice(VALIDATORS)
    of_steps = dice.sample(OF_STEPS, dice.randrange(1, 12))
    table |= {name: [text_of(dice, name) for _ in next(iter(table.values()))] for name in of_steps}
    with_them = validator.check(batch_of(table))
    alone = validator.check(batch_of({name: texts for name, texts in table.items() if name not in OF_STEPS}))
    valid = [place for place, payload in enumerate(with_them.payloads) if payload is not None]
    for place in valid:
        assert with_them.payloads[place] == alone.payloads[place]
        assert with_them.keys[place] == alone.keys[place]
        assert all(with_them.prints[kind][place] == prints[place] for kind, prints in alone.prints.items())
        assert all(with_them.likenesses[kind][place] == texts[place] for kind, texts in alone.likenesses.items())


# --------------------------------------------------------------------------- what is plainly clean

POLICIES = [validator.policy for validator in VALIDATORS]
PLAIN = {
    f"{spec.name} {policy.phone}": (spec, policy)
    for spec in (*FIELDS.values(), *READING_FIELDS.values(), metadata_spec("a"))
    for policy in POLICIES
    if spec.name.startswith(("addresses.physical.", "addresses.mailing.zip", "beneficiaries.1."))
    or not spec.name.startswith(("addresses.", "beneficiaries."))
    if clean_pattern(spec, policy.today) or clean_words(spec)
}


@pytest.mark.parametrize(("spec", "policy"), PLAIN.values(), ids=PLAIN)
@settings(max_examples=examples(16), deadline=None)
@given(data=st.data())
def test_what_a_pattern_calls_clean_is_passed_by_its_reader_without_a_remark(
    spec: CustomerField, policy: Policy, data: st.DataObject
) -> None:
    words = clean_words(spec)
    texts = st.sampled_from(words) if words else st.from_regex(clean_pattern(spec, policy.today))
    text = data.draw(texts).removesuffix("\n")  # Python's $ lets it pass, Rust's does not
    if len(text) <= max_chars(spec):
        assert read(spec, text, policy) == Reading(text)
        assert spec.po_boxes or not is_po_box(text)


def test_every_listed_word_is_passed_by_its_reader_without_a_remark() -> None:
    for spec in FIELDS.values():
        assert all(read(spec, word, Policy()) == Reading(word) for word in clean_words(spec))
    for country in STATE_REQUIRED_IN:
        assert all(read_state(code, country) == Reading(code) for code in state_codes(country))


@pytest.mark.parametrize("country", ["", *STATE_REQUIRED_IN])
@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_a_clean_postal_code_is_passed_by_its_reader_without_a_remark(country: str, data: st.DataObject) -> None:
    code = data.draw(st.from_regex(clean_postal(country))).removesuffix("\n")
    assert read_postal(code, country) == Reading(code)


def test_the_numbers_of_the_metadata_are_those_that_the_library_calls_valid() -> None:
    dice, pattern = Random(11), re.compile(north_american_numbers())
    numbers = [f"+1{dice.randrange(200, 1000)}{dice.randrange(10**7):07}" for _ in range(4_000)]
    clean = [number for number in numbers if pattern.fullmatch(number)]
    assert len(clean) > 500
    for policy in POLICIES:
        assert all(read_phone(number, policy) == Reading(number) for number in clean)


@settings(max_examples=examples(100), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_another_secret_makes_of_a_row_is_worked_out_from_its_body(seed: int) -> None:
    dice, identity, other = Random(seed), CUSTOMERS.identity, SECRET[::-1]
    batch = batch_of(table_of(dice))
    now, then = (
        Validator(CUSTOMERS, VALIDATORS[0].policy, secret=secret, stamp="importKey").check(batch)
        for secret in (SECRET, other)
    )
    for place, payload in enumerate(now.payloads):
        if payload is not None and (key := now.keys[place]) is not None:
            keys = list(identity.keys_under((other, SECRET), json.loads(payload), key))
            prints = identity.prints_of(other, json.loads(payload), list(then.prints))
            assert keys == [then.keys[place], key]
            assert prints == {kind: numbers[place] for kind, numbers in then.prints.items()}
