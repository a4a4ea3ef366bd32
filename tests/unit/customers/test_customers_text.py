"""Spaces, line breaks, invisible signs and Unicode form; names in many scripts."""

from __future__ import annotations

import pytest

from importer.core.contract.text import clean, is_blank, is_clean
from importer.customers.simple_fields import read_name

NAMES = [
    "Sarah", "O'Brien", "O’Neill", "Jean-Luc", "José", "Zoë", "Łukasz", "Søren", "Þórarinn", "Đặng", "Ngô Thị Hương",
    "İbrahim", "Straße", "Ærøskøbing", "Mary Ann", "St. John", "d'Artagnan", "ʻIolani", "Nǁaisa", "Владимир", "Ніна",
    "Ђорђе", "Γιώργος", "Ελένη", "Արամ", "გიორგი", "שרה", "דוד", "محمد", "فاطمة", "علی‌رضا", "ژاله", "राजेश", "श्री",
    "রহিম", "ਗੁਰਪ੍ਰੀਤ", "અમિત", "ଓଡ଼ିଆ", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "සිංහල", "สมชาย", "ລາວ", "မြန်မာ", "ខ្មែរ", "བོད་",
    "አማርኛ", "ᏣᎳᎩ", "ᐃᓄᒃᑎᑐᑦ", "王", "王小明", "田中 太郎", "さくら", "サクラ", "김철수", "ᠮᠣᠩᠭᠣᠯ", "𐒰𐓂", "𞤀𞤣𞤤𞤢𞤥",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_is_sent_as_it_is(name: str) -> None:
    assert read_name(name).value == clean(name).value
    assert not read_name(name).warnings
    assert clean(clean(name).value).clean


@pytest.mark.parametrize("name", ["علی‌رضا", "क्‍ष"])
def test_joiners_stay_where_they_shape_letters(name: str) -> None:
    assert clean(name).value == name


@pytest.mark.parametrize("name", ["J0hn", "sarah@example.com", "<b>Sarah</b>", "Green; DROP", "-", ".", "???", "=cmd"])
def test_rare_signs_in_names_only_warn(name: str) -> None:
    reading = read_name(name)
    assert (reading.value, reading.warnings) == (name, ("name_unusual",))


@pytest.mark.parametrize("name", ["NULL", "Null", "null", "nan", "NaN", "None", "NA", "undefined", "(blank)", "(null)"])
def test_a_word_that_programs_write_for_nothing_is_pointed_out_in_place_of_a_name(name: str) -> None:
    reading = read_name(name)
    assert (reading.value, reading.warnings) == (name, ("name_placeholder",))


@pytest.mark.parametrize("name", ["Na", "Nil Green", "Blank", "Noneman"])
def test_names_that_only_resemble_such_a_word_are_names(name: str) -> None:
    assert read_name(name).warnings == ()


@pytest.mark.parametrize(
    ("written", "sent", "rules"),
    [
        ("Sarah", "Sarah", []),
        ("  Sarah ", "Sarah", ["trim"]),
        ("Mary\u00a0Ann", "Mary Ann", ["nbsp_to_space"]),
        ("Mary\u3000Ann", "Mary Ann", ["nbsp_to_space"]),
        ("\ufeffSarah", "Sarah", ["zero_width_removed"]),
        ("Sa\u200brah", "Sarah", ["zero_width_removed"]),
        ("Sa\u200drah", "Sarah", ["zero_width_removed"]),
        ("\u202eharaS\u202c", "haraS", ["zero_width_removed"]),
        ("Jose\u0301", "José", ["unicode_nfc"]),
        ("12 Example St\r\nFloor 3", "12 Example St Floor 3", ["line_break_to_space"]),
        ("\tSarah\n", "Sarah", ["line_break_to_space", "trim"]),
        (" \u00a0\u200b ", "", ["nbsp_to_space", "zero_width_removed", "trim"]),
        ("“Sarah” O’Neill", "“Sarah” O’Neill", []),
        ("Mary  Ann", "Mary  Ann", []),
    ],
)
def test_every_change_is_named(written: str, sent: str, rules: list[str]) -> None:
    reading = clean(written)
    assert reading.value == sent
    assert [change.rule for change in reading.changes] == rules


def test_the_steps_of_a_reading_form_a_chain_from_the_cell_to_what_is_sent() -> None:
    reading = clean("\u00a0Jose\u0301\u200b")
    assert reading.changes[0].before == "\u00a0Jose\u0301\u200b"
    assert all(one.after == other.before for one, other in zip(reading.changes, reading.changes[1:], strict=False))
    assert reading.changes[-1].after == reading.value


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31m", "\x7f", "\ud800", "\ufffe", "\U0001ffff", "\x9b", "\x08"])
def test_control_characters_refuse_a_text(text: str) -> None:
    assert clean(text).error == "text_unreadable"
    assert clean(text).value == ""
    assert not is_blank(text)


def test_a_replacement_sign_warns_that_letters_were_lost() -> None:
    assert clean("Jos\ufffd").warnings == ("text_damaged",)


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\u200b", "\n\t", "\ufeff "])
def test_nothing_but_spaces_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "-", "\x00", "\u00a0a", "\ufffd"])
def test_anything_else_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_a_glance_is_never_wrongly_content() -> None:
    assert not any(is_clean(text) for text in (" a", "a ", "a\u00a0b", "e\u0301", "\u200b", "\ufffd", "\n", "\ud800"))
