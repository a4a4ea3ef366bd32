"""Dates of birth: one text at a time, and the order of a whole column."""

from __future__ import annotations

from datetime import date

import pytest

from importer.mapping.dates import ORDERS, Order, OrderEvidence, by_format, by_order, is_serial
from importer.mapping.edits import Flaw, as_date

TODAY = date(2026, 11, 22)


def read(text: str, order: Order | None = "mdy") -> str | Flaw:
    return as_date(by_order(order, TODAY))(text)


@pytest.mark.parametrize(
    "text",
    [
        "1990-06-26", " 1990-06-26 ", "1990/6/26", "1990.06.26.", "19900626", "1990-06-26T00:00:00Z",
        "1990-06-26 00:00:00.000", "1990-06-26T00:00:00+02:00", "26 Jun 1990", "26-JUN-90", "June 26, 1990",
        "Jun. 26th, 1990", "26th of June 1990", "Tuesday, June 26, 1990", "26. Juni 1990", "26 juin 1990",
        "26 de junio de 1990", "26/Jun/1990", "June 26 '90",
    ],
)  # fmt: skip
def test_what_can_be_read_in_one_way_only_needs_no_order(text: str) -> None:
    assert {read(text, order) for order in (*ORDERS, None)} == {"1990-06-26"}


@pytest.mark.parametrize(
    ("text", "mdy", "dmy"),
    [
        ("06/05/1990", "1990-06-05", "1990-05-06"),
        ("6/5/1990 12:00:00 AM", "1990-06-05", "1990-05-06"),
        ("06-05-90", "1990-06-05", "1990-05-06"),
        ("6. 5. 1990", "1990-06-05", "1990-05-06"),
        ("06051990", "1990-06-05", "1990-05-06"),
    ],
)
def test_numbers_alone_are_read_in_the_given_order(text: str, mdy: str, dmy: str) -> None:
    assert (read(text, "mdy"), read(text, "dmy")) == (mdy, dmy)
    assert read(text, None) == Flaw("date_unreadable")


def test_a_day_and_month_alike_need_no_order() -> None:
    assert read("05/05/1990", None) == "1990-05-05"


@pytest.mark.parametrize(
    "text",
    ["n/a", "26/06/1990", "1990", "June 1990", "1990-13-01", "31 April 1990", "0000-00-00", "٣", "1/2/3", "a" * 99],
)
def test_what_is_not_a_date_is_a_flaw(text: str) -> None:
    assert read(text) == Flaw("date_unreadable")


def test_a_spreadsheets_day_number_is_flagged_and_not_read() -> None:
    assert read("33050") == Flaw("date_serial")
    assert read("33050.0") == Flaw("date_serial")
    assert [is_serial(text) for text in ("10001", "99999", "1990")] == [True, False, False]


def test_blank_stays_blank() -> None:
    assert read("  ") == ""


@pytest.mark.parametrize(
    ("text", "year"),
    [("26/11/21", 2026), ("26/11/22", 2026), ("26/11/23", 1926), ("27/01/01", 1927), ("99/01/01", 1999)],
)
def test_a_year_of_two_digits_is_the_latest_that_is_not_in_the_future(text: str, year: int) -> None:
    assert str(read(text, "ymd")).startswith(str(year))


def test_the_same_rule_holds_for_formats_and_named_months() -> None:
    assert by_format("%m/%d/%y", TODAY)("06/26/30") == date(1930, 6, 26)
    assert by_format("%m/%d/%y", TODAY)("06/26/20") == date(2020, 6, 26)
    assert read("26 Jun 30") == "1930-06-26"


def test_the_29th_of_february_survives_the_century() -> None:
    assert read("29 Feb 28") == "1928-02-29"
    assert by_format("%d.%m.%y", date(2001, 1, 1))("29.02.00") == date(2000, 2, 29)


def test_a_format_reads_what_it_says_and_nothing_else() -> None:
    parse = as_date(by_format("%d.%m.%Y", TODAY))

    assert parse("26.06.1990") == "1990-06-26"
    assert parse("06/26/1990") == Flaw("date_unreadable")


# --------------------------------------------------------------------------- evidence


def evidence(*texts: str, batch: int = 2) -> OrderEvidence:
    seen = OrderEvidence(TODAY)
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        rows = {text: start + 2 + part.index(text) for text in part}
        seen.observe(rows, rows.__getitem__)
    return seen


def test_one_day_above_twelve_decides_a_column_and_its_row_is_named() -> None:
    seen = evidence("01/02/1990", "03/04/1991", "26/06/1990", "27/06/1990")

    assert seen.choice == "dmy"
    assert seen.proofs == {"dmy": (4, "its first number is above 12")}


def test_a_month_first_column_is_decided_by_its_second_number() -> None:
    assert evidence("1/2/1990", "1/31/1990").proofs == {"mdy": (3, "its second number is above 12")}


def test_years_of_two_digits_are_weighed_in_three_orders() -> None:
    seen = evidence("85/03/26", "01/02/03")

    assert seen.proofs == {"ymd": (2, "its first number is above 31")}
    assert seen.short_years


def test_a_column_that_contradicts_itself_has_no_order() -> None:
    seen = evidence("26/06/1990", "06/26/1990", "01/02/1990")

    assert seen.choice is None
    assert set(seen.proofs) == {"dmy", "mdy"}


def test_a_column_that_nothing_decides_says_where_it_begins() -> None:
    seen = evidence("", "1990-06-26", "05/05/1990", "01/02/1990", "01/03/1990")

    assert (seen.choice, seen.open_cells, seen.first_open) == (None, 2, 5)


def test_impossible_dates_prove_nothing() -> None:
    assert evidence("31/02/1990", "45/45/1990", "13/13/1990").proofs == {}


def test_evidence_never_holds_a_date() -> None:
    assert "1990" not in str(evidence("26/06/1990").proofs)
