"""Amounts: what is written is the very decimal that was read, whatever is around it; nothing else is taken for one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.customers.amounts import currency_codes, currency_in, read_amount, read_currency, read_percentage
from importer.customers.codes import ISSUE_CODES
from importer.customers.specs import ACCOUNT_CURRENCIES, MAX_AMOUNT

CENTS = st.decimals(min_value=0, max_value=MAX_AMOUNT, places=2, allow_nan=False, allow_infinity=False)
AROUND = st.sampled_from(
    ["{}", "${}", "$ {}", "{} USD", "USD{}", "US${}", "usd {}", " {} ", "+{}", "{} $", "{} dollars"]
)


@given(CENTS, AROUND)
def test_an_amount_is_written_with_two_decimals_and_means_the_same(amount: Decimal, around: str) -> None:
    for text in {str(amount), f"{amount:f}", f"{amount.normalize():f}"}:
        reading = read_amount(around.format(text), "USD")
        assert reading.error == ""
        assert Decimal(reading.value) == amount
        whole, _, cents = reading.value.partition(".")
        assert (whole.isdigit(), cents.isdigit(), len(cents)) == (True, True, 2)
        assert read_amount(reading.value, "USD").clean


@given(CENTS.filter(bool), AROUND)
def test_below_zero_is_refused_wherever_its_sign_is(amount: Decimal, around: str) -> None:
    assert read_amount(f"-{amount}", "") == read_amount(f"$-{amount}", "USD") == read_amount(f"-${amount}", "USD")
    assert read_amount(f"-{amount}", "").error == "amount_negative"


@given(st.integers(0, 10**9), st.from_regex(r"[0-9]{3,12}", fullmatch=True))
def test_more_than_two_decimals_are_never_rounded(whole: int, cents: str) -> None:
    assert read_amount(f"{whole}.{cents}", "USD").error == "amount_too_precise"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for reading in (read_amount(text, "USD"), read_currency(text), read_percentage(text)):
        assert not reading.error or reading.error in ISSUE_CODES
        assert set(reading.warnings) <= set(ISSUE_CODES)
    assert currency_in(text) in {"", *currency_codes()}


@pytest.mark.parametrize("code", sorted(currency_codes()))
def test_an_amount_in_a_currency_fits_that_one_alone(code: str) -> None:
    assert currency_in(f"5 {code.lower()}") == code
    assert read_amount(f"{code} 5", code).value == "5.00"
    other = next(one for one in ACCOUNT_CURRENCIES if one != code)
    assert read_amount(f"5{code}", other).error == "amount_other_currency"


@pytest.mark.parametrize("currency", ["", *ACCOUNT_CURRENCIES])
def test_a_dollar_is_one_of_those_that_accounts_have(currency: str) -> None:
    assert read_amount("$5", currency).value == "5.00"
    assert read_amount("$5", "EUR").error == "amount_other_currency"
    assert currency_in("$5") == ""


@given(st.decimals(min_value=0, max_value=100, places=3))
def test_a_percentage_stays_as_it_is_written(share: Decimal) -> None:
    assert read_percentage(f"{share} %").value == str(share)
