"""A plan of faults: its rules, its seed, and settings of the server; read from TOML, and written as plain values.

seed = 7
error_body = "v2"               # settings of the server: error_body, external_ids, rate, rate_headers,
rate = "20/s, 600/min"          # metadata (keep, drop, lower), list_lag_s, clock_ahead_s, idv_s,
                                # second_application (created, 409), individual_party (individual, customer)

[[rule]]
fault = "commit-then-drop"
on = ["create"]
probability = 0.05
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_args

from importer.emulator.fault_rules import check_seconds, is_whole, read_rule, refuse_unknown
from importer.emulator.faults import Injection, Rule, choose
from importer.emulator.presets import PRESETS
from importer.emulator.rate_limit import RateHeaders, parse_rates, written_rates

_SETTINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "error_body": ("error_body", ("v3", "v2")),
    "external_ids": ("enforce_external_id", ("409", "422", "off")),
    "rate_headers": ("rate_headers", get_args(RateHeaders)),
    "metadata": ("metadata", ("keep", "drop", "lower")),
    "second_application": ("second_application", ("created", "409")),
    "individual_party": ("individual_party", ("individual", "customer")),
}
"""What a plan may say of the server: the emulator's setting, and its words."""
_SECONDS = ("list_lag_s", "clock_ahead_s", "idv_s")
"""What a plan may say of the server in seconds, under the emulator's own names."""


@dataclass(frozen=True, slots=True)
class Faults:
    """A plan of faults.

    Args:
        rules: in their order, which decides where several hit.
        settings: settings of the emulator by name, which hold where nothing else was chosen.
    """

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latest_s(self) -> float:
        """How much later than its request a customer may be created and appear in lists at most, in seconds."""
        return sum(rule.latest_s for rule in self.rules) + float(self.settings.get("list_lag_s", 0.0))

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """Load a preset by its name, or a plan from a TOML file.

        Raises:
            ValueError: neither a preset nor a readable file, or a plan that makes no sense; the sentence names the
                wrong key.
        """
        name, path = str(name_or_path), Path(name_or_path)
        if name in PRESETS:
            return cls._parse(PRESETS[name], f"preset {name}")
        if not path.is_file():
            presets = ", ".join(PRESETS)
            raise ValueError(f"there is no fault file {name!r} and no preset of that name (presets: {presets})")
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the fault file {path.name} cannot be read as text: {type(error).__name__}") from error
        return cls._parse(content, path.name)

    @classmethod
    def _parse(cls, content: str, where: str) -> Self:
        try:
            return cls.of_plan(tomllib.loads(content), where)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{where} is not TOML: {error}") from error

    @classmethod
    def of(cls, *rules: Mapping[str, Any], seed: int = 0) -> Self:
        """Make a plan from rules written as mappings, as in a file.

        Raises:
            ValueError: a rule makes no sense; the sentence names the wrong key.
        """
        return cls.of_plan({"seed": seed, "rule": list(rules)})

    @classmethod
    def of_plan(cls, data: Mapping[str, Any], where: str = "the plan") -> Self:
        """Make a plan of what a file says, or of what `as_plan` gave.

        Args:
            data: `seed`, settings of the server, and the list `rule`.
            where: the name of the file, for messages.

        Raises:
            ValueError: a key or value makes no sense; the sentence names it.
        """
        refuse_unknown(data, ("seed", "rule", "rate", *_SETTINGS, *_SECONDS), where)
        seed, rules = data.get("seed", 0), data.get("rule", [])
        if not is_whole(seed):
            raise ValueError(f"{where}: seed must be a whole number")
        if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
            raise ValueError(f"{where}: rule must be a list of tables, each headed [[rule]]")
        read = tuple(read_rule(rule, f"{where}, rule {number}") for number, rule in enumerate(rules, 1))
        return cls(read, seed, _server_settings(data, where))

    def as_plan(self) -> dict[str, Any]:
        """Give the plan as its file would hold it, in JSON types."""
        chosen = self.settings
        plan: dict[str, Any] = {"seed": self.seed, "rule": [_written(rule) for rule in self.rules]}
        plan |= {key: chosen[setting] for key, (setting, _) in _SETTINGS.items() if setting in chosen}
        plan |= {key: chosen[key] for key in _SECONDS if key in chosen}
        if "rates" in chosen:
            plan["rate"] = written_rates(chosen["rates"])
        return plan

    def choose(self, number: int, kind: str, elapsed_s: float, *, seed: int | None = None) -> Injection:
        """Decide what happens to a request.

        Args:
            number: its number, from 0 over all kinds.
            kind: the kind of request.
            elapsed_s: seconds since the server started.
            seed: instead of the plan's own; None: the plan's own.
        """
        return choose(self.rules, self.seed if seed is None else seed, number, kind, elapsed_s)


def _server_settings(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Read what a plan says of the server."""
    settings: dict[str, Any] = {}
    for key, (setting, words) in _SETTINGS.items():
        if key in data and data[key] not in words:
            raise ValueError(f"{where}: {key} must be one of {', '.join(words)}")
        if key in data:
            settings[setting] = data[key]
    for key in _SECONDS:
        if key in data:
            check_seconds(data[key], key, where)
            settings[key] = float(data[key])
    if "rate" in data:
        try:
            settings["rates"] = parse_rates(str(data["rate"]))
        except ValueError as error:
            raise ValueError(f"{where}: rate: {error}") from None
    return settings


def _written(rule: Rule) -> dict[str, Any]:
    """Write what differs from the defaults, in JSON types."""
    values = {one.name: getattr(rule, one.name) for one in fields(rule) if getattr(rule, one.name) != one.default}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
