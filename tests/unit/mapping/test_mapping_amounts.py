"""Which sign of an amount is the decimal one: read text by text, and decided over a whole column."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.batches import MappedBatch, RawBatch
from importer.core.contract import Contract, FieldSpec, Kind
from importer.core.errors import ExitCode, SourceError
from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import ColumnMapper, Table, build_mapper
from importer.mapping.amount_columns import SignEvidence
from importer.mapping.amounts import Sign, by_sign
from importer.mapping.edits import Flaw
from importer.profile import KeptProfile, Profile
from importer.readers.workbook.cells import number_text

NAME = "limits.daily"
FIELDS = replace(CUSTOMERS.fields, sent={**CUSTOMERS.fields.sent, NAME: FieldSpec("Daily limit", Kind.AMOUNT, NAME)})
CONTRACT: Contract = replace(CUSTOMERS, fields=FIELDS)
REQUIRED = {
    "firstName": {"value": "Ann"},
    "lastName": {"value": "Green"},
    "primaryPhoneNumber.number": {"value": "+12025550101"},
    "primaryPhoneNumber.type": {"value": "MOBILE"},
    "primaryEmail.value": {"value": "ann@example.com"},
}


def batch(*texts: str, first: int = 0) -> RawBatch:
    return raw_batch(first, range(first + 2, first + 2 + len(texts)), [list(texts)], names=["Limit"])


def mapper(usual: str = "auto", **rule: Any) -> ColumnMapper:
    profile = Profile.model_validate({"mapping": REQUIRED, "validation": {"decimal": usual}})
    added = Profile.model_validate({"mapping": {"lastName": {"column": "Limit", **rule}}}).mapping["lastName"]
    table = Table(SourceInfo("x.csv", "csv", ("Limit",)))
    mapping = {**profile.mapping, NAME: added}
    return build_mapper(CONTRACT, mapping, table, today=date(2026, 11, 22), validation=profile.validation)


def mapped(*texts: str, **rule: Any) -> MappedBatch:
    made, raw = mapper(**rule), batch(*texts)
    made.observe(raw)
    made.decide()
    return made.map(raw)


# --------------------------------------------------------------------------- single texts


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1234.5", "1234.5", None),
        ("1,234.50", "1234.50", None),
        ("1.234,50", None, "1234.50"),
        ("1 234,50", None, "1234.50"),
        ("1\u00a0234,50", None, "1234.50"),
        ("1\u202f234\u202f567,5", None, "1234567.5"),
        ("1'234.50", "1234.50", None),
        ("1\u2019234.50", "1234.50", None),
        ("1,234", "1234", "1.234"),
        ("1.234", "1.234", "1234"),
        ("1,234,567", "1234567", None),
        ("1.234.567", None, "1234567"),
        ("1 234", "1234", "1234"),
        ("1234", "1234", "1234"),
        ("1234,567", None, "1234.567"),
        ("0,500", None, "0.500"),
        ("12,5", None, "12.5"),
        ("0,50", None, "0.50"),
        (".50", "0.50", None),
        ("-12,50", None, "-12.50"),
        ("\u221212.50", "-12.50", None),
        ("$1,234.50", "$1234.50", None),
        ("$ .50", "$ 0.50", None),
        ("1.234,50 €", None, "1234.50 €"),
        ("USD 1 234.50", "USD 1234.50", None),
        ("Rs.500", "Rs.500", "Rs.500"),
        ("(1,234.50)", "(1234.50)", None),
        ("0", "0", "0"),
        ("007.10", "007.10", None),
    ],
)
def test_an_amount_is_read_by_the_decimal_sign(text: str, point: str | None, comma: str | None) -> None:
    wanted: dict[Sign, str | None] = {"point": point, "comma": comma}
    for sign, expected in wanted.items():
        assert by_sign(sign)(text) == (Flaw("amount_sign") if expected is None else expected)


@pytest.mark.parametrize("text", ["", " ", "n/a", "12,34,56", "1,2.3,4", "10-20", "12.05.2020.", "1..2", "x" * 100])
def test_what_is_not_a_number_goes_on_as_it_is(text: str) -> None:
    assert {by_sign(sign)(text) for sign in ("point", "comma", None)} == {text}


def test_without_a_sign_only_what_both_read_alike_is_read() -> None:
    assert by_sign(None)("1 234") == "1234"
    assert by_sign(None)("1,234") == Flaw("amount_sign")
    assert by_sign(None)("1,5") == Flaw("amount_sign")


def test_numbers_of_workbooks_have_a_point_and_no_thousands() -> None:
    texts = [number_text(raw) for raw in ("1234.5", "1234567.0", "1.5e3", "0.1")]
    assert texts == ["1234.5", "1234567", "1500", "0.1"]
    assert mapped(*texts).texts(NAME) == texts


# --------------------------------------------------------------------------- whole columns


def test_one_cell_that_can_be_read_in_one_way_decides_its_column() -> None:
    made = mapper()
    early, late = batch("1.234", "", "100"), batch("2.000,5", first=911)
    made.observe(early)
    assert not made.settle()
    made.observe(late)
    assert made.settle()

    decided = [note for note in made.decide() if note.what == "decimal"]

    assert [(note.value, note.note) for note in decided] == [
        ("Limit: decimal comma", "row 913 has a decimal comma (its last sign is a comma)")
    ]
    assert made.map(early).texts(NAME) == ["1234", "", "100"]
    assert made.map(late).texts(NAME) == ["2000.5"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,234,567", "decimal point (it has several commas)"),
        ("12,5", "decimal comma (1 digit behind its comma)"),
        ("12.50", "decimal point (2 digits behind its point)"),
        ("0,500", "decimal comma (what is before its comma is not a number of thousands)"),
    ],
)
def test_the_evidence_is_told_without_the_amount(text: str, why: str) -> None:
    made = mapper()
    made.observe(batch(text))
    assert [note.note for note in made.decide() if note.what == "decimal"] == [f"row 2 has a {why}"]


def test_undecidable_amounts_are_refused_and_the_options_are_named() -> None:
    with pytest.raises(SourceError, match=r"column 'Limit'.*no cell of the column decides it.*in row 3\)") as caught:
        mapped("100", "1,234", "5,678")

    assert "validation.decimal" in caught.value.hint
    assert f'decimal = "comma" for "{NAME}"' in caught.value.hint
    assert caught.value.exit_code == ExitCode.SOURCE


def test_cells_that_contradict_the_column_are_issues_of_their_rows() -> None:
    result = mapped("1.234,50", "1,234.50", "2,5", "2.5")

    assert result.texts(NAME) == ["1234.50", "", "2.5", ""]
    assert [(issue.ordinal, issue.code, issue.field, issue.column) for issue in result.issues] == [
        (1, "amount_sign", NAME, "Limit"), (3, "amount_sign", NAME, "Limit"),
    ]  # fmt: skip
    assert "1,234" not in result.issues[0].message


def test_a_contradiction_is_reported_with_its_row() -> None:
    made = mapper()
    made.observe(batch("12,5", "12.5"))
    (note,) = [note for note in made.decide() if note.what == "decimal"]
    assert note.note == (
        "row 2 has a decimal comma (1 digit behind its comma), "
        "row 3 has a decimal point and is refused (1 digit behind its point)"
    )


@pytest.mark.parametrize("made", [mapper("comma"), mapper(decimal="comma")], ids=["option", "rule"])
def test_an_option_decides(made: ColumnMapper) -> None:
    raw = batch("1,234", "1.234", "1.5")
    made.observe(raw)
    assert made.settle()
    assert [note.value for note in made.decide() if note.what == "decimal"] == ["Limit: decimal comma"]
    assert made.map(raw).texts(NAME) == ["1.234", "1234", ""]


def test_the_rule_of_a_field_goes_before_the_option() -> None:
    assert mapper("comma", decimal="point").decide()[-1].value == "Limit: decimal point"


def test_a_column_that_needs_no_sign_says_nothing() -> None:
    made, raw = mapper(), batch("100", "2 500", "n/a")
    made.observe(raw)
    assert [note for note in made.decide() if note.what == "decimal"] == []
    assert made.map(raw).texts(NAME) == ["100", "2500", "n/a"]


def test_other_steps_of_the_rule_come_first() -> None:
    assert mapped("max 12,50", "max 7", regex=r"[\d.,]+").texts(NAME) == ["12.50", "7"]


def test_amounts_that_nobody_observed_are_not_guessed() -> None:
    made = mapper()
    made.decide()
    assert [issue.code for issue in made.map(batch("1,234")).issues] == ["amount_sign"]


def test_what_was_decided_goes_with_a_copy_and_is_kept_with_the_run() -> None:
    made = mapper()
    made.observe(batch("12,5"))
    made.decide()

    assert made.decimals == {NAME: "comma"}
    kept = KeptProfile.model_validate_json(made.kept({}).model_dump_json())
    assert kept.decimals == {NAME: "comma"}
    again = mapper().settled_as(kept.orders, kept.decimals)
    assert again.map(batch("1,234")).texts(NAME) == ["1.234"]
    assert again.settled_on == made.settled_on
    make, parts = made.__reduce__()
    assert make(*parts).map(batch("1,234")).texts(NAME) == ["1.234"]


# --------------------------------------------------------------------------- any amount, any style

STYLES: dict[str, tuple[str, str]] = {
    "1,234.50": (",", "."), "1.234,50": (".", ","), "1 234,50": (" ", ","), "1\u00a0234,50": ("\u00a0", ","),
    "1\u202f234,50": ("\u202f", ","), "1'234.50": ("'", "."), "1\u2019234.50": ("\u2019", "."), "1 234.50": (" ", "."),
    "1234.50": ("", "."), "1234,50": ("", ","),
}  # fmt: skip


def written(amount: Decimal, thousands: str, decimal: str) -> str:
    return f"{amount:,f}".replace(",", "T").replace(".", decimal).replace("T", thousands)


@given(
    amounts=st.lists(st.decimals(-(10**12), 10**12, places=2), min_size=1, max_size=20),
    style=st.sampled_from(list(STYLES)),
    around=st.sampled_from(["", "$", "€ ", "USD "]),
)
def test_any_amounts_written_in_any_style_come_back(amounts: list[Decimal], style: str, around: str) -> None:
    result = mapped(*(around + written(amount, *STYLES[style]) for amount in amounts))

    assert not result.issues  # two decimals: every cell says which its decimal sign is
    assert [Decimal(text.removeprefix(around)) for text in result.texts(NAME)] == amounts


@given(st.lists(st.decimals(0, 10**9, places=None, allow_nan=False, allow_infinity=False), max_size=20), st.data())
def test_a_column_is_read_in_one_style_or_refused(amounts: list[Decimal], data: st.DataObject) -> None:
    thousands, decimal = STYLES[data.draw(st.sampled_from(list(STYLES)))]
    texts = [written(amount, thousands, decimal) for amount in amounts]
    try:
        result = mapped(*texts) if texts else None
    except SourceError:
        assert all(len(text.rpartition(decimal)[2]) == 3 for text in texts if decimal in text)
        return
    for text, amount in zip(result.texts(NAME) if result else [], amounts, strict=True):
        assert not text or len(text) > 60 or Decimal(text) == amount


@given(st.lists(st.text("0123456789.,' \u00a0$€-abc", max_size=12), max_size=10))
def test_whatever_is_in_the_cells_nothing_raises_and_evidence_is_stable(texts: list[str]) -> None:
    seen = SignEvidence()
    seen.observe(texts, texts.index)
    for sign in ("point", "comma", None):
        for text in texts:
            once = by_sign(sign)(text)
            assert isinstance(once, Flaw) or by_sign("point")(once) == once or sign is None
    assert seen.choice in {None, *seen.proofs}
