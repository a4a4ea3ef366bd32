"""The catalogue of texts and the code that shows them fit each other."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import importer.console
from importer.console.texts import as_html, catalogue

ROOM = Path(importer.console.__file__).parent


def used() -> tuple[set[str], set[str]]:
    """The keys that the code names, and the beginnings of those that it puts together."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                keys.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    for path in ROOM.rglob("*.j2"):
        keys |= {part.split('"')[0] for part in path.read_text("utf-8").split('t("')[1:]}
    return keys, {one for one in beginnings if "." in one}


def test_every_text_is_shown_somewhere() -> None:
    keys, beginnings = used()
    unused = [key for key in catalogue() if key not in keys and not key.startswith(tuple(beginnings))]
    assert unused == []


def test_every_key_that_the_code_names_is_in_the_catalogue() -> None:
    pages = {key.partition(".")[0] for key in catalogue()}
    named = {
        str(node.args[0].value)
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "t"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert named
    assert {key for key in named if key not in catalogue()} == set()
    assert pages >= {key.partition(".")[0] for key in named}


def test_texts_name_what_is_put_into_them() -> None:
    for key, text in catalogue().items():
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        assert all(name.isidentifier() for name in names), key


def test_numbers_in_a_text_are_marked_for_the_page_and_nothing_else_becomes_html() -> None:
    assert as_html("fix.state", failing=(1, "row"), corrected=(2_000, "cell")) == (
        '<data value="1">1</data> row to fix, <data value="2000">2,000</data> cells corrected.'
    )
    assert "&lt;b&gt;" in as_html("approve.live", count=5, host="<b>.example.com")
