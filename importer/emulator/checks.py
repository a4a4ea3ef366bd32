"""The small checks that field rules are made of: each checks one JSON value and adds its problems.

A check never raises and never stops at the first problem: all problems of a body are found in one
pass. It returns the value as it will be stored. Messages never repeat the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One thing wrong with a body: where (`addresses[0].zipCode`), what, and the code."""

    path: str
    message: str
    code: str


Problems = list[Problem]
Check = Callable[[Any, str, Problems], Any]


class Field(NamedTuple):
    """One named member of an object."""

    name: str
    check: Check
    required: bool = False


def inside(path: str, name: str) -> str:
    """Join a member's name to the path of its object."""
    return f"{path}.{name}" if path else name


def missing(path: str) -> Problem:
    """The problem of an absent required value."""
    return Problem(path, "is required", "EMU_REQUIRED")


def text(longest: int, shortest: int = 1) -> Check:
    """A string of `shortest` to `longest` characters; an empty one is too short: leave blanks out."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.append(Problem(path, "must be a string", "EMU_TYPE"))
        elif not shortest <= len(value) <= longest:
            problems.append(Problem(path, f"must have {shortest} to {longest} characters", "EMU_LENGTH"))
        return value

    return check


def pattern(expression: str, says: str) -> Check:
    """A string that matches as a whole; `says` completes the sentence "must be …"."""
    fits = re.compile(expression).fullmatch

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.append(Problem(path, "must be a string", "EMU_TYPE"))
        elif not fits(value):
            problems.append(Problem(path, f"must be {says}", "EMU_FORMAT"))
        return value

    return check


def one_of(*values: str) -> Check:
    """One of a few words, in capitals as documented."""
    allowed = frozenset(values)
    problem = f"must be one of {', '.join(values)}"

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, str) or value not in allowed:
            problems.append(Problem(path, problem, "EMU_ENUM"))
        return value

    return check


def flag(value: Any, path: str, problems: Problems) -> Any:
    """A JSON boolean."""
    if not isinstance(value, bool):
        problems.append(Problem(path, "must be true or false", "EMU_TYPE"))
    return value


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def day(value: Any, path: str, problems: Problems) -> Any:
    """A calendar day that exists, written `yyyy-MM-dd`."""
    try:
        real = isinstance(value, str) and _DAY(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        real = False
    if not real:
        problems.append(Problem(path, "must be a date, yyyy-MM-dd", "EMU_FORMAT"))
    return value


def record(*fields: Field) -> Check:
    """An object with these members; null counts as absent, and members that are not named are dropped."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(Problem(path, "must be an object", "EMU_TYPE"))
            return {}
        kept = {}
        for name, look, required in fields:
            given = value.get(name)
            if given is not None:
                kept[name] = look(given, inside(path, name), problems)
            elif required:
                problems.append(missing(inside(path, name)))
        return kept

    return check


def many(look: Check) -> Check:
    """An array; `look` checks every item."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, list):
            problems.append(Problem(path, "must be an array", "EMU_TYPE"))
            return []
        return [look(item, f"{path}[{place}]", problems) for place, item in enumerate(value)]

    return check


def text_map(pairs: int, longest: int) -> Check:
    """An object of at most `pairs` texts, each of at most `longest` characters."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, Mapping):
            problems.append(Problem(path, "must be an object", "EMU_TYPE"))
            return {}
        if len(value) > pairs:
            problems.append(Problem(path, f"may have at most {pairs} pairs", "EMU_PAIRS"))
        for name, item in value.items():
            text(longest, shortest=0)(item, inside(path, name), problems)
        return value

    return check


def likeness(fields: Mapping[str, Any]) -> str:
    """A text that is equal for two requests that say the same, and shows nothing of them."""
    return blake2b(json.dumps(fields, sort_keys=True).encode(), digest_size=16).hexdigest()
