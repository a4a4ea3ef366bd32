"""Reads a plan of faults from TOML, and says in one sentence what is wrong with it.

seed = 7
error_body = "v2"               # how the server is apart from its faults: error_body, external_ids, rate, rate_headers,
rate = "20/s, 600/min"          # metadata (keep, drop, lower), list_lag_s, clock_ahead_s

[[rule]]
fault = "commit-then-drop"
on = ["create"]
probability = 0.05
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from importer.emulator.faults import FAULTS, KINDS, Faults, Rule
from importer.emulator.presets import PRESETS
from importer.emulator.rate_headers import RateHeaders
from importer.emulator.rates import parsed_rates

_COMMON = frozenset(
    {"fault", "on", "probability", "from_s", "for_s", "every_s", "from_request", "for_requests", "every_requests"}
)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "fault": tuple(FAULTS),
    "distribution": ("fixed", "uniform", "lognormal"),
    "retry_after_form": ("seconds", "date"),
    "body": ("json", "html", "empty"),
}
_MANNERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "error_body": ("error_body", ("v3", "v2")),
    "external_ids": ("enforce_external_id", ("409", "422", "off")),
    "rate_headers": ("rate_headers", get_args(RateHeaders)),
    "metadata": ("metadata", ("keep", "drop", "lower")),
}
"""What a plan may say of the server: the emulator's setting, and its words."""
_SECONDS = ("list_lag_s", "clock_ahead_s")
"""What a plan may say of the server in seconds, under the emulator's own names."""
_STATUSES = {"redirect": 307, "late-commit": 504}
"""What is answered where a rule does not say."""
_LONGEST_S = 1e9
_POSITIVE = frozenset({"every_s", "every_requests"})
_UNITS = {1.0: "s", 60.0: "min", 3_600.0: "h", 86_400.0: "day"}
_WHOLE = frozenset({"from_request", "for_requests", "every_requests", "size_bytes"})


def load(name_or_path: str | Path) -> Faults:
    """Load a preset by its name, or a plan from a TOML file.

    Raises:
        ValueError: neither a preset nor a readable file, or a plan that makes no sense.
    """
    name = str(name_or_path)
    if name in PRESETS:
        return _parse(PRESETS[name], f"preset {name}")
    path = Path(name_or_path)
    if not path.is_file():
        raise ValueError(f"there is no fault file {name!r} and no preset of that name (presets: {', '.join(PRESETS)})")
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the fault file {path.name} cannot be read as text: {type(error).__name__}") from error
    return _parse(content, path.name)


def _parse(content: str, where: str) -> Faults:
    try:
        return plan(tomllib.loads(content), where)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where} is not TOML: {error}") from error


def plan(data: Mapping[str, Any], where: str) -> Faults:
    """Turn the parsed file into a plan.

    Args:
        data: `seed`, how the server is, and the list `rule`.
        where: the name of the file, for messages.

    Raises:
        ValueError: a key or value makes no sense; the sentence names it.
    """
    _known(data, ("seed", "rule", "rate", *_MANNERS, *_SECONDS), where)
    seed, rules = data.get("seed", 0), data.get("rule", [])
    if not _whole(seed):
        raise ValueError(f"{where}: seed must be a whole number")
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        raise ValueError(f"{where}: rule must be a list of tables, each headed [[rule]]")
    read = tuple(_rule(rule, f"{where}, rule {number}") for number, rule in enumerate(rules, 1))
    return Faults(read, seed, _manners(data, where))


def _manners(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Read how the server is apart from its faults."""
    manners: dict[str, Any] = {}
    for key, (setting, words) in _MANNERS.items():
        if key in data and data[key] not in words:
            raise ValueError(f"{where}: {key} must be one of {', '.join(words)}")
        if key in data:
            manners[setting] = data[key]
    for key in _SECONDS:
        if key in data:
            _seconds(data[key], key, where)
            manners[key] = float(data[key])
    if "rate" in data:
        try:
            manners["rates"] = parsed_rates(str(data["rate"]))
        except ValueError as error:
            raise ValueError(f"{where}: rate: {error}") from None
    return manners


def as_plan(faults: Faults) -> dict[str, Any]:
    """Write a plan as its file would hold it; `plan` reads it."""
    written: dict[str, Any] = {"seed": faults.seed, "rule": [_written(rule) for rule in faults.rules]}
    written |= {key: faults.manners[setting] for key, (setting, _) in _MANNERS.items() if setting in faults.manners}
    written |= {key: faults.manners[key] for key in _SECONDS if key in faults.manners}
    if "rates" in faults.manners:
        written["rate"] = ", ".join(f"{count}/{_UNITS[per_s]}" for count, per_s in faults.manners["rates"])
    return written


def _written(rule: Rule) -> dict[str, Any]:
    """Write what differs from the defaults."""
    written = {one.name: getattr(rule, one.name) for one in fields(rule)}
    return {one.name: written[one.name] for one in fields(rule) if written[one.name] != one.default}


def _rule(data: Mapping[str, Any], where: str) -> Rule:
    if "fault" not in data:
        raise ValueError(f"{where}: the key fault is missing (one of {', '.join(FAULTS)})")
    _word(data["fault"], "fault", where)
    fault = data["fault"]
    _known(data, _COMMON | FAULTS[fault], f"{where} ({fault})")
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


def _known(data: Iterable[str], allowed: Iterable[str], where: str) -> None:
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
    if not _whole(value) or not 300 <= value <= 599:
        raise ValueError(f"{where}: {key} must be an HTTP status from 300 to 599")


def _text(value: Any, key: str, where: str) -> None:
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise ValueError(f"{where}: {key} must be a text")


def _flag(value: Any, key: str, where: str) -> None:
    if value is not True and value is not False:
        raise ValueError(f"{where}: {key} must be true or false")


def _seconds(value: Any, key: str, where: str) -> None:
    if not _number(value) or abs(value) > _LONGEST_S or (value < 0 and key != "clock_ahead_s"):
        raise ValueError(f"{where}: {key} must be a number of seconds")


def _amount(value: Any, key: str, where: str) -> None:
    fits = _whole(value) if key in _WHOLE else _number(value)
    if fits and value > _LONGEST_S:
        raise ValueError(f"{where}: {key} must not be above {_LONGEST_S:.0f}")
    kind = "whole number" if key in _WHOLE else "number"
    if not fits or value < 0 or (key in _POSITIVE and not value):
        raise ValueError(f"{where}: {key} must be a {kind} {'above 0' if key in _POSITIVE else 'of 0 or more'}")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
