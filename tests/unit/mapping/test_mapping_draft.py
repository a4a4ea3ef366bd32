"""The profile that `importer init` writes."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

from importer.core.batches import RawBatch
from importer.core.frames import raw_batch
from importer.core.sources import Detected, SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import Table, build_mapper, init_profile, proposal
from importer.profile import Profile

COLUMNS = ("Customer ID", "Name", "Email", "Cell", "Phone Type", "Sex", 'Odd "Name"\t\x7f')
ROWS = [
    ("C-1", "Ann Green", "ann@example.com", "202 555 0101", "cell", "F", "hush"),
    ("C-2", "Bob Brown", "bob@example.com", "202 555 0102", "Cell", "M", "hush"),
    ("C-3", "Cy Black", "cy@example.com", "202 555 0103", "Fax", "", "hush"),
]
INFO = SourceInfo(
    "x\n.csv",
    "csv",
    COLUMNS,
    detected=(Detected("encoding", "cp1252", 0.95), Detected("header_row", "3"), Detected("delimiter", "\t", 0.4)),
)


def batches() -> list[RawBatch]:
    return [raw_batch(place, [place + 2], [[cell] for cell in row]) for place, row in enumerate(ROWS)]


def loaded(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    return Profile.load(path, environ={})


def test_what_it_writes_is_a_profile_with_the_proposed_mapping(tmp_path: Path) -> None:
    profile = loaded(tmp_path, init_profile(CUSTOMERS, Table(INFO, batches()[0]), batches()))

    assert profile.mapping["externalId"].column == "Customer ID"
    assert profile.mapping["lastName"].part == "family"
    assert profile.mapping.keys() == proposal(CUSTOMERS, INFO, batches()[0]).rules.keys()
    build_mapper(CUSTOMERS, profile.mapping, Table(INFO), today=date(2026, 1, 1), source=profile.source)


def test_it_remembers_the_header_and_what_was_found_for_sure(tmp_path: Path) -> None:
    source = loaded(tmp_path, init_profile(CUSTOMERS, Table(INFO, batches()[0]), batches())).source

    assert source.columns == COLUMNS
    assert (source.encoding, source.header_row, source.delimiter, source.on_drift) == ("cp1252", 3, "auto", "stop")


def test_the_words_of_choices_become_a_map_and_foreign_ones_are_left_to_complete(tmp_path: Path) -> None:
    text = init_profile(CUSTOMERS, Table(INFO, batches()[0]), batches())
    rule = loaded(tmp_path, text).mapping["primaryPhoneNumber.type"]

    assert rule.map == {"Cell": "MOBILE"}
    assert rule.default is None
    assert '# "Fax" = "WORK"  # 1 row: complete this line' in text
    assert '"Cell" = "MOBILE"  # 2 rows' in text


def test_it_explains_itself_and_shows_no_other_cell() -> None:
    text = init_profile(CUSTOMERS, Table(INFO, batches()[0]), batches())

    assert "# assumed: type = INDIVIDUAL" in text
    assert "# Columns that are not used:" in text
    assert "hush" not in text
    assert "example.com" not in text


def test_a_column_of_many_words_is_not_a_list_of_choices(tmp_path: Path) -> None:
    cells = [f"word {number}" for number in range(60)]
    info = SourceInfo("x.csv", "csv", ("Phone", "Phone Type"))
    batch = raw_batch(0, range(2, 62), [["202 555 0101"] * 60, ["Work", *cells[1:]]])

    sample = raw_batch(0, [2], [["202 555 0101"], ["Work"]])
    text = init_profile(CUSTOMERS, Table(info, sample), [sample, batch])

    assert loaded(tmp_path, text).mapping["primaryPhoneNumber.type"].map is None
    assert "word 7" not in text


def test_fields_of_a_type_that_no_row_has_are_left_out(tmp_path: Path) -> None:
    info = SourceInfo("x.csv", "csv", ("Type", "Company Name", "First Name", "Last Name", "Email", "Phone"))
    row = ("Business", "Blue Bakery", "Ann", "Green", "ann@example.com", "202 555 0101")

    sample = raw_batch(0, [2], [[cell] for cell in row])
    mapping = loaded(tmp_path, init_profile(CUSTOMERS, Table(info, sample), [sample])).mapping

    assert "contacts.primary.firstName" in mapping
    assert "firstName" not in mapping


def test_a_source_without_rows_gives_a_profile_too() -> None:
    text = init_profile(
        CUSTOMERS, Table(SourceInfo("x.xlsx", "excel", ("First Name",), detected=(Detected("sheet", "A"),)))
    )

    assert tomllib.loads(text)["source"] == {
        "format": "excel",
        "sheet": "A",
        "columns": ["First Name"],
        "on_drift": "stop",
    }
