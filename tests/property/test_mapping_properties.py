"""Whatever stands in cells and headers, mapping keeps the rows and never raises for them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from importer.core.batches import RawBatch
from importer.core.errors import SourceError
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import Table, build_mapper, init_profile, proposal
from importer.mapping.dates import by_order
from importer.mapping.edits import whole_name
from importer.profile import Profile, TransformSettings
from importer.profile.transform import located

TODAY = date(2026, 11, 22)
TEXTS = st.text(max_size=12) | st.sampled_from(["1990-06-26", "6/5/90", "5 Jun 1990", "33050", "cell", "4E+9", " ", ""])
MAPPING: dict[str, Any] = {
    "type": {"column": "A", "default": "INDIVIDUAL"},
    "firstName": {"column": "B", "part": "given"},
    "lastName": {"column": "B", "part": "family"},
    "contacts.primary.firstName": {"column": "B", "part": "given"},
    "primaryPhoneNumber.number": "C",
    "primaryPhoneNumber.type": {"column": "A", "map": {"cell": "MOBILE"}},
    "primaryEmail.value": {"columns": ["A", "C"], "join": "@", "lower": True, "strip": "x"},
    "dateOfBirth": "D",
    "addresses.mailing.zipCode": {"column": "C", "regex": r"\d+", "upper": True},
    "addresses.mailing.streetLine1": {"column": "B", "part": "last", "split": ","},
    "addresses.mailing.countryCode": {"value": "USA"},
}
RULES = Profile.model_validate({"mapping": MAPPING}).mapping


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=20), st.integers(1, 7))
def test_every_field_has_as_many_texts_as_there_are_rows(rows: list[tuple[str, ...]], size: int) -> None:
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    batches = [
        raw_batch(start * size, range(len(part)), [list(column) for column in zip(*part, strict=True)], names="ABCD")
        for start, part in enumerate(parts)
    ]
    mapper = build_mapper(CUSTOMERS, RULES, Table(SourceInfo("x", "csv", ("A", "B", "C", "D"))), today=TODAY)
    for batch in batches:
        mapper.observe(batch)
    try:
        mapper.decide()
    except SourceError:
        return

    for batch in batches:
        mapped = mapper.map(batch)
        assert set(mapped.frame.columns) == RULES.keys()
        assert mapped.frame.index.equals(batch.frame.index)
        assert set(mapped.frame.dtypes) == {pd.StringDtype(na_value=float("nan"))}
        assert all(isinstance(text, str) for name in RULES for text in mapped.texts(name))
        assert all(batch.first <= issue.ordinal < batch.first + len(batch) for issue in mapped.issues)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8, unique=True), st.data())
def test_any_header_is_matched_without_a_field_taken_twice(columns: list[str], data: st.DataObject) -> None:
    cells = [data.draw(st.lists(TEXTS, min_size=3, max_size=3)) for _ in columns]
    sample = raw_batch(0, [2, 3, 4], cells)
    info = SourceInfo("x", "csv", tuple(columns))

    matches = proposal(CUSTOMERS, info, sample).matches

    assert list(dict.fromkeys(match.column for match in matches)) == columns
    fields = [match.field for match in matches if match.field and "streetLine1" not in match.field]
    assert len(fields) == len(set(fields))


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8, unique=True))
def test_the_profile_written_for_any_header_can_be_loaded(columns: list[str]) -> None:
    import tomllib

    batch = raw_batch(0, [2], [["cell"] for _ in columns])
    text = init_profile(CUSTOMERS, Table(SourceInfo("x", "csv", tuple(columns)), batch), [batch])

    assert Profile.model_validate(tomllib.loads(text)).source.columns == tuple(columns)


@given(st.dates(min_value=date(1900, 1, 1), max_value=TODAY))
def test_a_date_is_read_back_from_every_usual_form(born: date) -> None:
    day_first, month_first = by_order("dmy", TODAY), by_order("mdy", TODAY)

    assert day_first(born.strftime("%d.%m.%Y")) == born
    assert month_first(f"{born.month}/{born.day}/{born.year}") == born
    assert day_first(born.strftime("%d %B %Y")) == born
    assert month_first(born.isoformat()) == born
    assert month_first(born.strftime("%Y%m%d")) == born


@given(st.text(max_size=40))
def test_no_word_of_a_name_is_lost(text: str) -> None:
    given_name, family = whole_name(text)

    words = text.replace(",", " ").split()
    assert sorted(f"{given_name} {family}".replace(",", " ").split()) == sorted(words)


UNCHANGED = located("copy:copy", None)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=20), st.data())
def test_a_function_that_changes_nothing_changes_nothing(rows: list[tuple[str, ...]], data: st.DataObject) -> None:
    names = ("A", "B", "C", "D")
    columns = [list(column) for column in zip(*rows, strict=True)]
    spots = st.tuples(
        st.integers(0, len(rows) - 1), st.sampled_from(["cell_error", "number_shortened"]), st.sampled_from(names)
    )
    issues = [Issue(at, code, "", "", name) for at, code, name in data.draw(st.lists(spots, max_size=3, unique=True))]
    batch = raw_batch(0, range(2, len(rows) + 2), columns, sorted(issues, key=lambda issue: issue.ordinal), names=names)
    info = SourceInfo("x", "csv", names)

    without, behind = (_mapped(Table.of(settings, info, batch), batch) for settings in (TransformSettings(), UNCHANGED))

    assert behind == without


def _mapped(table: Table, batch: RawBatch) -> object:
    mapper = build_mapper(CUSTOMERS, RULES, table, today=TODAY)
    mapper.observe(batch)
    try:
        decided = mapper.decide()
    except SourceError as error:
        return str(error)
    mapped = mapper.map(batch)
    return (
        decided,
        {name: mapped.texts(name) for name in RULES},
        tuple(mapped.raw.issues),
        tuple(mapped.issues),
        mapped.changes,
    )
