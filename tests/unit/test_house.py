"""The package as its folder listing shows it: what lies at its top, no import cycle, no small module of one caller."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "importer"
TOP = {"__init__.py", "__main__.py", "py.typed"}
LEAST_LINES = 40
"""A module that only one other module uses holds at least so many lines of code; else it belongs into that one."""
SMALL_BY_DESIGN: Mapping[str, str] = {
    "importer.console.pages.new_import.pages": "the addresses of the steps, of which the server knows none",
    "importer.journal.port.drafts": "a port of its own: protocols, of which the docstrings are the content",
    "importer.journal.sqlite.inspection": "SQL belongs to the adapter; its caller chooses the adapter",
    "importer.runs.search": "reads journals, which a page of the console may not",
    "importer.runs.read_back": "a command of its own, as `runs.follow` is",
    "importer.validation.equal_numbers": "loads numpy, which small columns do not need",
}
"""Smaller modules of one caller, and why each is one of its own."""

_LAYOUT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree_of(module: str) -> ast.Module:
    """When a test asks for it: every worker collects every test, and runs few of these."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def code_lines(module: str) -> int:
    """Lines of code: without blanks, comments and docstrings."""
    text = MODULES[module].read_text(encoding="utf-8")
    strings = [
        node
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    documentation = {line for node in strings for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in _LAYOUT]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - documentation)


class Import(NamedTuple):
    """What a module imports of the package, at its top or in a function.

    Args:
        name: in that module; empty: the module itself.
        for_types: only a type checker reads it.
    """

    module: str
    name: str
    for_types: bool


@cache
def imports(module: str) -> Sequence[Import]:
    tree, found = tree_of(module), []
    checked = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    for_types = {id(inner) for node in checked for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(one.name, "", id(node) in for_types) for one in node.names if one.name in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for one in node.names:
                whole = f"{node.module}.{one.name}"
                where = (whole, "") if whole in MODULES else (str(node.module), one.name)
                found.append(Import(*where, id(node) in for_types))
    return found


@cache
def passed_on(module: str) -> Mapping[str, str]:
    """The names that a package passes on (`__all__`), and the module that each comes from."""
    listed = [
        ast.literal_eval(node.value)
        for node in tree_of(module).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    if not listed or MODULES[module].name != "__init__.py":
        return {}
    return {one.name: one.module for one in imports(module) if one.name in listed[0]}


def graph() -> Mapping[str, AbstractSet[str]]:
    return {module: {one.module for one in imports(module) if not one.for_types} - {module} for module in MODULES}


@cache
def users() -> Mapping[str, AbstractSet[str]]:
    """Who uses a module: what a package passes on is used where it is imported from the package."""
    found: dict[str, set[str]] = {module: set() for module in MODULES}
    for module in MODULES:
        for one in imports(module):
            if one.name not in passed_on(module):
                found[passed_on(one.module).get(one.name, one.module)].add(module)
    return found


def test_at_the_top_of_the_package_is_its_public_interface_and_nothing_else() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == TOP


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_a_small_module_has_more_than_one_caller() -> None:
    small = {
        module: next(iter(users()[module]))
        for module, path in MODULES.items()
        if path.name not in TOP and len(users()[module]) == 1 and code_lines(module) < LEAST_LINES
    }

    assert {module: by for module, by in small.items() if module not in SMALL_BY_DESIGN} == {}
