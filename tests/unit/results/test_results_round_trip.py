"""What a spreadsheet program did to a cell is no change; what a person did is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.results.cell_text import safe_text
from importer.results.round_trip import as_typed, is_unchanged


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ann", " Ann "),
        ("two\r\nlines", "two\nlines"),
        ("café", "cafe\u0301"),
        ("01234", "1234"),
        ("+493012345678", "493012345678"),
        ("493012345678", "4,93012E+11"),
        ("493012345678", "4.93E+11"),
        ("+14155550101", "14155550101"),
        ("7.50", "7,5"),
        ("0.10", "0.1"),
        ("1,000.50", "1000.5"),
        ("1,000", "1000"),
        ("1990-01-05", "05.01.1990"),
        ("1990-01-05", "1/5/1990"),
        ("1990-01-05", "1990-01-05 00:00:00"),
        ("5.1.1990", "05.01.1990"),
        ("05.01.1990", "05.01.90"),
        ("true", "WAHR"),
        ("-Bob", "'-Bob"),
        ("-Bob", "#NAME?"),
        ("=1+1", "'=1+1"),
        ("Müller", "MÃ¼ller"),
        ("Łukasz", "?ukasz"),
        ("Müller", "MŸller"),
        ("Łódź", "Å\x81Ã³dÅº"),
        ("Łódź", "ÅÃ³dÅº"),
        ("Łódź", "Å?Ã³dÅº"),
        ("Łódź", "Å\uf181Ã³dÅº"),  # as LibreOffice reads it
        ("Voilà", "VoilÃ"),
        ("Voilà Ápril", "VoilÃ\xa0 Ã\x81pril"),
        ("Müller", "M\ufffdller"),
        ("Müller", "M?ller"),
        ("4125000000000", "4.13E+12"),
        ("12E3", "1,20E+04"),
        ("12E3", "12000"),
        ("1e5", "1.00E+05"),
        ("12345678901234567890", "12345678901234500000"),
        ("+1-212-555-0101", "-867"),
        ("+49-30-5550100", "-5550081"),
        ("=1+1", "2"),
        ("3-4", "04. Mrz"),
        ("3-4", "4-Mar"),
        ("3-4", "03. Apr"),
        ("3-4", "2026-03-04"),
        ("12/3", "12. Mrz"),
        ("1.5", "01. Mai"),
        ("3-98", "Mar-98"),
        ("12/2026", "Dez 26"),
        ("1990-01-05", "5-Jan-90"),
        ("1990-01-05", "05. Jan 1990"),
        ("5-JAN-1990", "05.01.1990"),
        ("January 5, 1990", "05.01.1990"),
        ("x" * 40_000, safe_text("x" * 40_000)),
    ],
)
def test_what_a_spreadsheet_program_did_is_not_a_change(before: str, after: str) -> None:
    assert is_unchanged(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ann", "Anna"),
        ("john", "John"),
        ("1234", "01234"),
        ("1234.0", "01234"),
        ("1,000.50", "1000.6"),
        ("1,000", "1001"),
        ("493012345678", "+493012345678"),
        ("4,93012E+11", "493012345678"),
        ("05/01/1990", "01/05/1990"),
        ("05.01.1990", "06.01.1990"),
        ("1990-01-05", "06.01.1990"),
        ("Ann", ""),
        ("", "Ann"),
        ("MÃ¼ller", "Mueller"),
        ("212-555-0101", "212-555-0102"),
        ("-Bob", "Bob"),
        ("3-4", "5-Mar"),
        ("3-4", "34"),
        ("3-4", "2026-03-05"),
        ("12E3", "12E4"),
        ("12345678901234567890", "12345678901234000000"),
        ("4125000000000", "4.12E+12"),
        ("+1-212-555-0101", "12125550101"),
        ("+1-212-555-0101", "867"),
        ("1990-01-05", "6-Jan-90"),
        ("1990-01-05", "5-Feb-90"),
        ("Jan", "Feb"),
        ("Łódź", "Lodz"),
        ("Łódź", "Łódz?"),
        ("Zoë", "Zo"),
    ],
)
def test_what_a_person_did_is_a_change(before: str, after: str) -> None:
    assert not is_unchanged(before, after)


def test_a_date_in_another_form_answers_the_error_about_it() -> None:
    assert is_unchanged("05.01.1990", "1990-01-05")
    assert not is_unchanged("05.01.1990", "1990-01-05", faulty=True)


@pytest.mark.parametrize("lost", ["1234", "493012345678"])
def test_a_loss_does_not_answer_an_error(lost: str) -> None:
    assert is_unchanged(f"0{lost}", lost, faulty=True)
    assert is_unchanged(f"+{lost}", lost, faulty=True)


@given(st.text(max_size=60))
def test_a_cell_comes_back_unchanged_from_a_workbook_of_the_importer(text: str) -> None:
    assert is_unchanged(text, safe_text(text))


@pytest.mark.parametrize(("cell", "meant"), [("'-Bob", "-Bob"), ("'=1", "=1"), ("'t Hart", "'t Hart"), ("Ann", "Ann")])
def test_the_apostrophe_that_keeps_a_cell_from_running_is_not_part_of_it(cell: str, meant: str) -> None:
    assert as_typed(cell) == meant
