"""Reads one rule of a plan of faults, and says in one sentence what is wrong with it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from importer.emulator.faults import FAULTS, KINDS, Rule

_COMMON = frozenset(
    {"fault", "on", "probability", "from_s", "for_s", "every_s", "from_request", "for_requests", "every_requests"}
)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "fault": tuple(FAULTS),
    "distribution": ("fixed", "uniform", "lognormal"),
    "retry_after_form": ("seconds", "date"),
    "body": ("json", "html", "empty"),
}
_STATUSES = {"redirect": 307, "late-commit": 504}
"""What is answered where a rule does not say."""
_LONGEST_S = 1e9
_POSITIVE = frozenset({"every_s", "every_requests"})
_WHOLE = frozenset({"from_request", "for_requests", "every_requests", "size_bytes"})


def read_rule(data: Mapping[str, Any], where: str) -> Rule:
    """Make a rule of what a file says.

    Args:
        where: the file and the rule's number, for messages.

    Raises:
        ValueError: a key or value makes no sense; the sentence names it.
    """
    if "fault" not in data:
        raise ValueError(f"{where}: the key fault is missing (one of {', '.join(FAULTS)})")
    _word(data["fault"], "fault", where)
    fault = data["fault"]
    refuse_unknown(data, _COMMON | FAULTS[fault], f"{where} ({fault})")
    values = dict(data)
    for key, value in data.items():
        _check_for(key)(value, key, where)
    if "on" in data:
        values["on"] = tuple(data["on"])
    if fault in _STATUSES:
        values.setdefault("status", _STATUSES[fault])
    rule = Rule(**values)
    if rule.min_s > rule.max_s:
        raise ValueError(f"{where}: min_s must not be above max_s")
    return rule


def refuse_unknown(data: Iterable[str], allowed: Iterable[str], where: str) -> None:
    """Refuse keys that are not allowed, and name the nearest one that is."""
    names = sorted(allowed)
    for key in data:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(names)}"
            raise ValueError(f"{where}: unknown key {key!r}; {fix}")


def _check_for(key: str) -> Callable[[Any, str, str], None]:
    if key in _WORDS:
        return _word
    special = {"on": _kinds, "probability": _share, "status": _status, "location": _text, "commit": _flag}
    return special.get(key, _amount)


def _word(value: Any, key: str, where: str) -> None:
    if value not in _WORDS[key]:
        raise ValueError(f"{where}: {key} must be one of {', '.join(_WORDS[key])}")


def _kinds(value: Any, key: str, where: str) -> None:
    if not isinstance(value, list | tuple) or not value or any(kind not in KINDS for kind in value):
        raise ValueError(f"{where}: {key} must be a list of kinds of request ({', '.join(KINDS)})")


def _share(value: Any, key: str, where: str) -> None:
    if not _number(value) or not 0 <= value <= 1:
        raise ValueError(f"{where}: {key} must be a number from 0 to 1")


def _status(value: Any, key: str, where: str) -> None:
    if not is_whole(value) or not 300 <= value <= 599:
        raise ValueError(f"{where}: {key} must be an HTTP status from 300 to 599")


def _text(value: Any, key: str, where: str) -> None:
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise ValueError(f"{where}: {key} must be a text")


def _flag(value: Any, key: str, where: str) -> None:
    if value is not True and value is not False:
        raise ValueError(f"{where}: {key} must be true or false")


def check_seconds(value: Any, key: str, where: str) -> None:
    """Refuse what is not a number of seconds."""
    if not _number(value) or abs(value) > _LONGEST_S or (value < 0 and key != "clock_ahead_s"):
        raise ValueError(f"{where}: {key} must be a number of seconds")


def _amount(value: Any, key: str, where: str) -> None:
    fits = is_whole(value) if key in _WHOLE else _number(value)
    if fits and value > _LONGEST_S:
        raise ValueError(f"{where}: {key} must not be above {_LONGEST_S:.0f}")
    kind = "whole number" if key in _WHOLE else "number"
    if not fits or value < 0 or (key in _POSITIVE and not value):
        raise ValueError(f"{where}: {key} must be a {kind} {'above 0' if key in _POSITIVE else 'of 0 or more'}")


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
