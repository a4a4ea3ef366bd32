"""No rule of a field is in validation: patterns, lengths and words are declared with the customer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import importer.validation

ROOM = Path(importer.validation.__file__).parent
RULES = frozenset({"max_length", "length_evidence", "values", "synonyms", "condition", "required"})
"""What a field's declaration says of its texts."""
ROWS_AND_PATTERNS = frozenset({"re", "phonenumbers", "email_validator", "pycountry"})


def modules() -> list[Path]:
    return sorted(ROOM.glob("*.py"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.name)
def test_nothing_here_matches_texts(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ROWS_AND_PATTERNS.isdisjoint(imported(tree))


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.name)
def test_nothing_here_looks_at_the_rules_of_a_field(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    looked_at = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in RULES
        and isinstance(node.value, ast.Name)
        and node.value.id.endswith("spec")
    ]
    assert not looked_at
