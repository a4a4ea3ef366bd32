"""The tables of a written profile beside those of its source, and how TOML is written: Python only reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.core.contract import Contract
from importer.core.target_kinds import DEFAULT_KIND, target_kind
from importer.profile.mapping_rules import FieldRule

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SECTIONS: Mapping[str, Sequence[str]] = {
    "validation": (
        'default_region = "US"       # country of phone numbers without one, where their row names none',
        'phone = "possible"          # e164 (shape only), possible, valid',
        'date_order = "auto"         # auto (decided per column, with evidence), mdy, dmy, ymd',
        'decimal = "auto"            # auto (decided per column, with evidence), point, comma: of amounts',
        'duplicates = "reject"       # reject, first, allow: rows with the same import key',
    ),
    "delivery": (
        'rate = "10/s"               # strict: never more in any rolling window',
        "concurrency = 16",
        "max_errors = 1000           # stop after this many refused rows",
    ),
    "after_create": (
        "limits = true               # needs columns mapped to limits.daily, limits.monthly, limits.currency",
        'identity_verification = ""  # submit who is ready to this profile of the target, by its name',
        "verify = true               # read every customer back, and compare",
    ),
    "results": ('formats = ["csv", "xlsx"]   # csv is always written',),
}
"""Tables of which the likeliest keys are shown, as remarks where nothing else is said."""
_REMARKS = {"after_create": "                # what happens after a row's create, in this order"}


def other_tables(
    contract: Contract, rules: Mapping[str, FieldRule], given: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Write every table but those of the source: the likeliest keys as remarks, where nothing else is said of them."""
    if "limits" in contract.fields.steps(rules):
        given = {**given, "after_create": {"limits": True, **given.get("after_create", {})}}
    for name, lines in _SECTIONS.items():
        yield from _section(name, lines, given.get(name, {}))
    for name, table in given.items():
        if name not in _SECTIONS:
            yield from toml_table(name, table)
    if "targets" not in given:
        yield from _target(contract.name)


def _section(name: str, lines: Sequence[str], given: Mapping[str, Any]) -> Iterator[str]:
    """Write a table with its likeliest keys: those that are given, and the others as remarks."""
    yield f"[{name}]{_REMARKS.get(name, '')}"
    others = dict(given)
    for line in lines:
        key, remark = line.partition(" ")[0], "".join(line.partition("  #")[1:])
        if key in others:
            yield f"{key} = {toml_value(others.pop(key))}{remark}"
        else:
            yield f"# {line}"
    yield from toml_keys(others)
    yield ""
    yield from toml_tables_in(name, others)


def toml_keys(table: Mapping[str, Any]) -> Iterator[str]:
    """Write the keys of a table whose values are not tables."""
    yield from (f"{key} = {toml_value(value)}" for key, value in table.items() if not isinstance(value, Mapping))


def toml_tables_in(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Write the tables in a table.

    Args:
        name: of that table, dotted.
    """
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from toml_table(f"{name}.{toml_key(key)}", value)


def _target(name: str) -> Iterator[str]:
    kind = target_kind(name)
    yield "# [targets.sandbox]"
    if name != DEFAULT_KIND:
        yield f"# kind = {quoted(name)}"
    yield f'# base_url = "https://..."    # {kind.address}; credentials: {kind.variables}'


# --------------------------------------------------------------------------- TOML


def toml_table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Write a table and those in it; arguments as of `toml_tables_in`."""
    if not table or not all(isinstance(value, Mapping) for value in table.values()):
        yield f"[{name}]"
        yield from toml_keys(table)
        yield ""
    yield from toml_tables_in(name, table)


def quoted(text: str) -> str:
    """Write a basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: Any) -> str:
    """Write a value in one line: a text, a number, true or false, a list, or an inline table."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(key)} = {toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return str(value).lower()


def toml_key(name: str) -> str:
    """Write a key."""
    return name if _BARE.fullmatch(name) else quoted(name)
