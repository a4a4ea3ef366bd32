"""One list holds every issue code, wherever it is declared."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import importer
from importer.core.issue_codes import all_codes, codes_by_stage, in_place
from importer.core.issue_codes.answers import ANSWER_CODES
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import IssueCode
from importer.customers.contract import CUSTOMERS
from importer.targets.rocketkor.classification_rules import CLASSES, EXCEPTIONS, PROXY_STATUSES, STATUSES

HOME = Path(importer.__file__).parent
ALL_CODES, CODES_BY_STAGE = all_codes(CUSTOMERS.codes), codes_by_stage(CUSTOMERS.codes)


def written(room: str, pattern: str) -> set[str]:
    """What a pattern finds in the sources of a room."""
    return {
        code for path in (HOME / room).rglob("*.py") for code in re.findall(pattern, path.read_text(encoding="utf-8"))
    }


def test_no_code_is_declared_twice() -> None:
    assert sum(map(len, CODES_BY_STAGE.values())) == len(ALL_CODES)


@pytest.mark.parametrize("code", ALL_CODES)
def test_every_code_has_a_title_and_a_fix(code: str) -> None:
    entry = ALL_CODES[code]
    assert entry.code == code
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    assert entry.fix.endswith((".", "`"))
    assert not re.search(r"\{\{|\}\}|\{(field|column)\}", in_place(entry.fix, "firstName", "First Name"))


@pytest.mark.parametrize(
    "code", [code for stage in ("reading", "mapping", "checking") for code in CODES_BY_STAGE[stage]]
)
def test_what_to_do_in_the_file_is_said_without_the_profile(code: str) -> None:
    entry = ALL_CODES[code]
    assert entry.in_file or entry.in_profile
    assert not re.search(r"`(source|validation|delivery|idv)\.|\{field\}|map your", entry.in_file)
    assert entry.in_profile[:1].islower() or not entry.in_profile


def test_a_fix_is_one_sentence_of_what_the_file_and_the_profile_can_do() -> None:
    both = IssueCode("a", "A", "", "Correct it.", in_profile="allow it.")
    assert both.fix == "Correct it, or allow it."
    assert replace(both, in_profile="").fix == "Correct it."
    assert replace(both, in_file="").fix == "Allow it."


def test_every_code_that_reading_gives_is_declared() -> None:
    assert written("readers", r'Mark\(\s*"([a-z_]+)"') == set(READING_CODES)


def test_every_code_of_an_answer_is_declared_and_every_declared_one_is_given() -> None:
    rules = [*STATUSES.values(), *CLASSES.values(), *EXCEPTIONS.values(), *PROXY_STATUSES.values()]
    given = {rule.code for rule in rules} | written("targets", r'error_code="([a-z_]+)"') | {"token_unreadable"}
    assert given == set(ANSWER_CODES)


def test_every_code_of_delivery_is_declared() -> None:
    assert written("delivery", r'\bcode="([a-z_]+)"') | written("delivery", r'error_code="([a-z_]+)"') <= set(ALL_CODES)
