"""What a run keeps of its profile, so that it can be resumed without naming it, and how two profiles are compared.

Values only; no secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from importer.profile.delivery import TargetSettings
from importer.profile.mapping_rules import MappingRule
from importer.profile.settings import ValidationSettings
from importer.profile.tables import ProfileTables

KEPT_TABLES = frozenset(
    {
        "target",
        "source",
        "remote",
        "mapping",
        "grouping",
        "transform",
        "validation",
        "targets",
        "delivery",
        "after_create",
        "idv",
        "documents",
        "approval",
        "results",
        "notify",
        "log",
        "metrics",
        "otel",
    }
)
"""What a run keeps of its profile: all but what belongs to one command (workspace, consent, output) or to a night."""

TABLES_OF_ROWS = ("source", "mapping", "grouping", "transform", "validation")
_ADDED = {"possible_duplicate", "external_id_decides", "decimal", "partial"}
"""Keys of `[validation]` that came later: a profile that does not name them has the fingerprint it always had."""

_STEPS = ("after_create", "idv", "documents")
_PACE_OF_STEPS = {("after_create", "follow_up")}
_DECIDES_NO_ROW = {"batch_rows", "processes", "limits", "on_drift", "columns", "file", "corrections"}
"""Corrections are a part of the source's content instead, wherever their file is."""


class KeptProfile(BaseModel):
    """The effective profile of a run, and what was decided over its whole source.

    Args:
        settings: as `Profile.settings_to_keep` gives them.
        rules: the mapping that was used, also where none was given and the columns were matched by name; empty: the
            source was not read to its end yet.
        orders: the order in which each date field is read; None where every date showed it itself.
        decimals: the decimal sign by which each amount is read; None where none was needed.
        columns: what the user's own function made of the source's columns; empty: there is none.
    """

    model_config = ConfigDict(frozen=True)

    settings: dict[str, Any]
    rules: dict[str, MappingRule] = Field(default_factory=dict)
    orders: dict[str, Literal["mdy", "dmy", "ymd"] | None] = Field(default_factory=dict)
    decimals: dict[str, Literal["point", "comma"] | None] = Field(default_factory=dict)
    columns: tuple[str, ...] = ()


def settings_to_keep(profile: ProfileTables) -> dict[str, Any]:
    """What a run keeps of its profile, in JSON types: with all defaults, and never a secret.

    Faults of a rehearsal are not in it: the run notes the faults themselves, which outlast their file. Neither is the
    key that signs plans: it is that of whoever runs a command.
    """
    kept = profile.model_dump(
        mode="json", include=set(KEPT_TABLES), exclude={"delivery": {"faults"}, "approval": {"key"}}
    )
    for name, section in kept["targets"].items():
        if name == profile.target:  # its own delivery keys are in `delivery` already, and options go before them
            kept["targets"][name] = {key: section[key] for key in TargetSettings.model_fields}
    for section, key in (("source", "corrections"), ("results", "out"), ("metrics", "textfile")):
        if kept[section][key] is not None:
            kept[section][key] = str(Path(kept[section][key]).absolute())
    if not profile.transform.function:
        del kept["transform"]
    return kept


def differing(profile: ProfileTables, settings: Mapping[str, Any]) -> list[str]:
    """Name the keys by which rows and bodies are decided otherwise, dotted.

    Args:
        settings: as `settings_to_keep` gave them.
    """
    mine = settings_to_keep(profile)
    added = ValidationSettings().model_dump(mode="json", include=_ADDED)  # what an earlier program did without a key
    settings = {**settings, "validation": {**added, **settings.get("validation", {})}}
    pairs = [(section, mine.get(section, {}), settings.get(section, {})) for section in TABLES_OF_ROWS]
    named = [
        f"{section}.{key}"
        for section, now, then in pairs
        for key in sorted({*now, *then} - _DECIDES_NO_ROW)
        if now.get(key) != then.get(key)
    ]
    stamps = (one.get("delivery", {}).get("import_key_metadata") for one in (mine, settings))
    return named if len(set(stamps)) == 1 else [*named, "delivery.import_key_metadata"]


def sending_otherwise(profile: ProfileTables, settings: Mapping[str, Any]) -> list[str]:
    """Name the keys by which something else may be sent: those that decide rows and bodies, and those of the steps.

    Rate, hours and limits of errors decide nothing of it; the target's address is compared as a server.

    Args:
        settings: as `settings_to_keep` gave them.
    """
    mine = settings_to_keep(profile)
    keys = [("delivery", "on_existing"), *((section, key) for section in _STEPS for key in mine[section])]
    named = [
        f"{section}.{key}"
        for section, key in keys
        if (section, key) not in _PACE_OF_STEPS and mine[section][key] != settings.get(section, {}).get(key)
    ]
    return [*differing(profile, settings), *named]


def fingerprint(profile: ProfileTables) -> str:
    """A hex hash over what decides rows and request bodies, and nothing else.

    In it: `[source]` (but batch size, limits and drift guard), `[mapping]` with the text of the user's own function,
    `[validation]` and the name of the import key's stamp. Not in it: target, rate, concurrency, thresholds, result
    formats.
    """
    source = profile.source.model_dump(mode="json", exclude=_DECIDES_NO_ROW)
    return _hash({"source": source, **_checking(profile)})


def checking_fingerprint(profile: ProfileTables) -> str:
    """The same without `[source]`: over what decides how rows that were read already are checked."""
    return _hash(_checking(profile))


def _checking(profile: ProfileTables) -> dict[str, Any]:
    parts = {
        "mapping": {field: rule.model_dump(mode="json") for field, rule in profile.mapping.items()},
        "validation": _as_ever(profile.validation),
        "stamp": profile.delivery.import_key_metadata,
    }
    if profile.grouping.group_by:  # without it, the fingerprint that the profile always had
        parts["grouping"] = profile.grouping.model_dump(mode="json")
    if profile.transform.function:
        parts["transform"] = profile.transform.model_dump(mode="json", exclude={"file"})
    return parts


def _hash(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _as_ever(validation: ValidationSettings) -> dict[str, Any]:
    """What `[validation]` decides; keys that earlier versions did not have count only if not the default."""
    added = validation.model_dump(mode="json", include=_ADDED, exclude_defaults=True)
    return validation.model_dump(mode="json", exclude=_ADDED) | added
