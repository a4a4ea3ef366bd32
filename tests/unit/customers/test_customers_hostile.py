"""What a hostile or unlucky user types: five hundred strings into every field, each with its verdict."""

from __future__ import annotations

from datetime import date

import pytest

from importer.core.contract import Kind, Policy
from importer.core.contract.text import clean
from importer.customers.codes import ISSUE_CODES
from importer.customers.fields import read
from importer.customers.rules import FIELDS, metadata_spec

SEEDS = [
    "undefined", "undef", "null", "NULL", "(null)", "nil", "NIL", "true", "false", "True", "None",
    "hasOwnProperty", "NaN", "Infinity", "-Infinity", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "n/a",
    "TBD", "unknown", "test", "asdf", "1.00", "$1.00", "1/2", "1E2", "1E+02", "-1", "-1.00", "0.0/0", "0x0",
    "0xffffffff", "1,000.00", "1 000,00", "1'000", "0..0", ".", "..", "-", "--", "---", "0,0",
    "999999999999999999999999", "1.5551234567E+10", "0e0", "٠١٢٣٤", "¹²³", "½", "' OR 1=1 --",
    "'; DROP TABLE customers; --", '" OR ""="', "1;DROP TABLE users", "admin'--", "' UNION SELECT NULL--",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "javascript:alert(1)",
    '"><b>', "<!--", "-->", "<![CDATA[", "]]>", "&lt;b&gt;", "&amp;", "&#0;", "%00", "%0d%0aSet-Cookie:x=1",
    "%s%s%s%n", "%x", "{0}", "{}", "{{7*7}}", "${7*7}", "${jndi:ldap://127.0.0.1/a}", "#{7*7}", "<%= 7*7 %>",
    "$(whoami)", "`whoami`", "; ls -la", "| cat /etc/passwd", "&& reboot", "../../../etc/passwd",
    "..\\..\\windows\\win.ini", "file:///etc/passwd", "C:\\CON", "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1",
    "@SUM(A1)", '=HYPERLINK("http://127.0.0.1","x")', "\\", "\\\\", "\\u0000", '"', "'", '""', "''", '"""',
    "``", "{", "}", "[", "]", "[]", '{"a":1}', "__proto__", "constructor", "toString", "this", "import os",
    "lambda: 0", "eval(1)", "(((((((((", "***************************************",
    "???????????????????????????????????????", "😀", "👨‍👩‍👧‍👦", "🇺🇸", "❤️",
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "ﷺ", "𝕋𝕙𝕖", "ʇxǝʇ", "Ω≈ç√∫˜µ≤≥÷", "田中さんにあげて下さい", "和製漢語", "찦차를 타고",
    "社會科學院語學研究所", "ヽ༼ຈل͜ຈ༽ﾉ", "(｡◕ ∀ ◕｡)", "הָיְתָהtestالصفحات", "مُنَاقَشَةُ", "ﬀ", "İ", "ı", "ß", "ẞ", "AE",
    "Æ", "ǅ", "a@b", "@", "@@", "a@", "@b.example", "a@b@c.example", "sarah@", "mailto:", "http://",
    "https://127.0.0.1", "911", "0", "00", "000-00-0000", "1", "111111111111111111111111111111111111111",
    "999999999999999999999999999999999999999", "+", "++", "+1", "+0", "+00", "(", "()", "(212", "x", "ext",
    "tel:", "0000-00-00", "9999-99-99", "1900-01-00", "1970-01-01T00:00:00Z", "31.12.1980", "12/31/80",
    "2024-02-30", "today",
]  # fmt: skip
POISON = ["\x00", "\x1b[2J", "\x07", "\ud800", "\uffff"]
DRESSINGS = ["\u200b", "\ufeff", "\u00a0", " ", "\u202e"]
POISONED = [f"{text}{sign}" for text in SEEDS[:50] for sign in POISON]
DRESSED = [f"{sign}{text}{sign}" for text in SEEDS[50:70] for sign in DRESSINGS]
HOSTILE = list(dict.fromkeys([*SEEDS, *POISONED, *DRESSED, "A" * 1_025, "é" * 100_000]))
POLICY = Policy(today=date(2026, 11, 22))
SPECS = [*FIELDS.values(), metadata_spec("note")]
CLOSED = {Kind.PHONE, Kind.EMAIL, Kind.DATE, Kind.ENUM, Kind.COUNTRY, Kind.INDUSTRY}
"""Kinds whose values cannot be made up: nothing hostile gets through."""


def test_there_are_at_least_five_hundred_strings() -> None:
    assert len(HOSTILE) >= 500


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_no_string_raises_and_every_verdict_is_a_known_one(spec: object) -> None:
    for text in HOSTILE:
        reading = read(spec, text, POLICY, "USA")  # type: ignore[arg-type]  # parametrize erases the type
        assert not reading.error or reading.error in ISSUE_CODES
        assert set(reading.warnings) <= set(ISSUE_CODES)
        assert not (reading.error and reading.value)
        assert len(reading.value) <= 1_024
        reading.value.encode()


@pytest.mark.parametrize("name", [name for name, spec in FIELDS.items() if spec.kind in CLOSED])
def test_nothing_hostile_passes_for_a_phone_an_email_a_date_a_country_or_a_listed_word(name: str) -> None:
    passed = {text for text in SEEDS if read(FIELDS[name], text, POLICY).value}
    assert passed <= {"AE"}  # the Emirates' code


@pytest.mark.parametrize("text", [text for text in HOSTILE if any(sign in text for sign in POISON)])
def test_poison_makes_any_text_unreadable(text: str) -> None:
    assert {read(spec, text, POLICY).error for spec in SPECS} == {"text_unreadable"}


@pytest.mark.parametrize("text", SEEDS)
def test_as_free_text_it_is_sent_as_the_plain_text_it_is(text: str) -> None:
    reading = read(metadata_spec("note"), text, POLICY)
    assert not reading.error
    assert reading.value == clean(text).value
    assert reading.value


@pytest.mark.parametrize("text", SEEDS[50:70])
def test_invisible_dressing_changes_nothing_but_itself(text: str) -> None:
    for sign in DRESSINGS:
        assert clean(f"{sign}{text}{sign}").value == text


def test_what_is_too_long_is_refused_everywhere() -> None:
    assert all(read(spec, "A" * 1_000_000, POLICY).error == "too_long" for spec in SPECS)
