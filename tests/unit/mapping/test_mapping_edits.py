"""The steps of a field's rule."""

from __future__ import annotations

from typing import Any

import pytest

from importer.mapping.edits import Flaw, chained, edits_of, whole_name
from importer.profile import FieldRule


def edited(text: str, **rule: Any) -> str | Flaw:
    return chained(edits_of(FieldRule(column="A", **rule)))(text)


def test_a_bare_rule_has_no_steps() -> None:
    assert edits_of(FieldRule(column="A")) == []


@pytest.mark.parametrize(
    ("rule", "text", "result"),
    [
        ({"strip": "'*"}, " *'AB*' ", "AB"),
        ({"strip": "ab"}, "  ", ""),
        ({"upper": True}, "ny", "NY"),
        ({"lower": True}, "Ann@Example.COM", "ann@example.com"),
        ({"regex": r"\d+"}, " id 0042 ", "0042"),
        ({"regex": r"id (\d+)"}, "id 0042", "0042"),
        ({"regex": r"^(\d{5})(-\d{4})?$"}, " 10001-1234 ", "10001"),
        ({"regex": r"\d+"}, "  ", ""),
        ({"regex": r"(\d+)?x"}, "x", ""),
        ({"part": "first"}, " Ann  Mary Green ", "Ann"),
        ({"part": "rest"}, "Ann Mary Green", "Mary Green"),
        ({"part": "last"}, "Ann Mary Green", "Green"),
        ({"part": "all_but_last"}, "Ann Mary Green", "Ann Mary"),
        ({"part": "last", "split": ","}, "1 Main St, Springfield , IL", "IL"),
        ({"part": "all_but_last", "split": ","}, "1 Main St, Springfield", "1 Main St"),
        ({"part": "rest"}, "Ann", ""),
        ({"part": "first"}, "  ", ""),
        ({"map": {"cell": "MOBILE"}}, " CELL ", "MOBILE"),
        ({"map": {" Cell": "MOBILE"}}, "cell", "MOBILE"),
        ({"map": {"cell": "MOBILE"}, "default": "HOME"}, "", "HOME"),
        ({"map": {"cell": "MOBILE"}}, "", ""),
        ({"map": {"": "HOME"}}, "  ", "HOME"),
        ({"default": "USA"}, " ", "USA"),
        ({"default": "USA"}, "CAN", "CAN"),
        ({"strip": "*", "part": "last", "upper": True, "map": {"CELL": "MOBILE"}}, "* my cell", "MOBILE"),
    ],
)
def test_each_step_does_what_the_profile_says(rule: dict[str, Any], text: str, result: str) -> None:
    assert edited(text, **rule) == result


def test_a_word_that_is_not_in_the_map_is_a_flaw() -> None:
    assert edited("fax", map={"cell": "MOBILE"}) == Flaw("value_unmapped")
    assert edited("fax", map={"cell": "MOBILE"}, default="HOME") == Flaw("value_defaulted", "HOME")


def test_a_map_adds_words_and_takes_none_away_that_the_field_understands() -> None:
    edit = chained(edits_of(FieldRule(column="x", map={"fax": "WORK"}), lambda word: word == "mobile"))

    assert [edit(text) for text in ("Fax", "Mobile", "pager")] == ["WORK", "Mobile", Flaw("value_unmapped")]


def test_a_text_that_does_not_fit_the_pattern_is_a_flaw_and_no_later_step_runs() -> None:
    assert edited("none", regex=r"\d+", default="0") == Flaw("pattern_mismatch")


@pytest.mark.parametrize(
    ("text", "given", "family"),
    [
        ("Sarah Green", "Sarah", "Green"),
        ("  Sarah   Jane  Green ", "Sarah Jane", "Green"),
        ("Green, Sarah", "Sarah", "Green"),
        ("Green, Sarah Jane", "Sarah Jane", "Green"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Maria de la Cruz", "Maria", "de la Cruz"),
        ("Sam Green Jr.", "Sam", "Green Jr."),
        ("Sam Green, Jr.", "Sam", "Green Jr."),
        ("Sam Green III", "Sam", "Green III"),
        ("van Gogh", "van", "Gogh"),
        ("Cher", "Cher", ""),
        ("Green,", "Green", ""),
        ("", "", ""),
        (" , ", "", ""),
    ],
)
def test_a_whole_name_is_split_as_people_would(text: str, given: str, family: str) -> None:
    assert whole_name(text) == (given, family)
    assert edited(text, part="given") == given
    assert edited(text, part="family") == family
