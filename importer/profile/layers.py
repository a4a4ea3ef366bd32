"""Where settings come from: a TOML file, the environment, options. Each becomes a layer; layers go over each other.

Reads one file and the variables it is given; checks the names of variables, and leaves values to the schema.

Variables are read by pydantic-settings. Its sources would not do for the rest: they merge the rules of `[mapping]` one
by one, do not know that a target's keys go before those of `[delivery]`, and forget the origin of a value, which
messages name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic_settings import BaseSettings, EnvSettingsSource

from importer.core.errors import ProfileError
from importer.core.labels import did_you_mean, nearest
from importer.core.target_kinds import DEFAULT_KIND, target_kind
from importer.profile.delivery import DeliverySettings
from importer.profile.transform import TRANSFORM, beside

PREFIX = "IMPORTER_"
DELIMITER = "__"
READ_SEPARATELY = frozenset(
    {
        "IMPORTER_CONFIG",
        "IMPORTER_NOTIFY_URLS",
        "IMPORTER_NOTIFY_URLS_FILE",
        "IMPORTER_APPROVAL_POLICY",
        "IMPORTER_KEYS",
        "IMPORTER_KEY_PASSPHRASE",
        "IMPORTER_KEY_PASSPHRASE_FILE",
        "IMPORTER_JOURNAL_PASSWORD",
        "IMPORTER_JOURNAL_PASSWORD_FILE",
        "IMPORTER_SECRET",
        "IMPORTER_SECRET_FILE",
    }
)
"""Variables with our prefix that name no setting: others read them."""

_SHORT = {"IMPORTER_JOURNAL": "IMPORTER_JOURNAL__URL"}

Origin = Literal["option", "environment", "profile", "run", "default"]
"""`run`: a profile that a run has kept."""

OPTIONS: Mapping[str, str] = {
    "--target": "target",
    "--workspace": "workspace",
    "--dry-run": "dry_run",
    "--yes": "yes",
    "--account-of": "account_of",
    "--limit": "source.limit",
    "--sheet": "source.sheet",
    "--delimiter": "source.delimiter",
    "--encoding": "source.encoding",
    "--header-row": "source.header_row",
    "--corrections": "source.corrections",
    "--engine": "engine.kind",
    "--scheduler": "engine.scheduler",
    "--rate": "delivery.rate",
    "--concurrency": "delivery.concurrency",
    "--canary": "delivery.canary",
    "--faults": "delivery.faults",
    "--max-errors": "delivery.max_errors",
    "--max-error-rate": "delivery.max_error_rate",
    "--fail-fast": "delivery.fail_fast",
    "--verify-existing": "delivery.verify_existing",
    "--on-existing": "delivery.on_existing",
    "--window": "delivery.window",
    "--finish-by": "delivery.finish_by",
    "--timezone": "delivery.timezone",
    "--headroom": "delivery.headroom",
    "--follow-up": "after_create.follow_up",
    "--expect": "nightly.expect",
    "--notify": "notify.runs",
    "--format": "results.formats",
    "--out": "results.out",
    "--show-values": "results.show_values",
    "--preview": "results.preview",
    "--partial-ok": "results.partial_ok",
    "--older-than": "retention.older_than",
    "--key": "approval.key",
    "--log-format": "log.format",
    "--verbose": "log.level",
    "--quiet": "output.quiet",
    "--json": "output.format",
}
"""Every option that changes a setting, and the setting's place in the profile."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one origin.

    Args:
        name: the file's path as the user gave it; empty for options and the environment.
        data: nested tables, as in the file.
    """

    origin: Origin
    name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def file_layer(path: Path, folder: Path | None = None) -> Layer:
    """Read a profile.

    Args:
        folder: what it names by a relative path is in it; None: in its own.

    Raises:
        ProfileError: there is no such file, it cannot be read, or it is not TOML.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        close = nearest(path.name, (other.name for other in _beside(path)))
        meant = f"; did you mean '{path.parent / close}'?" if close else "."
        raise ProfileError(f"There is no profile '{path}'{meant}") from None
    except OSError as error:
        raise ProfileError(f"The profile '{path}' cannot be read: {error.strerror or 'no reason given'}.") from None
    except UnicodeDecodeError as error:
        raise ProfileError(
            f"The profile '{path}' is not UTF-8 text (byte {error.start + 1}).", "Save it as UTF-8 and try again."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"The profile '{path}' is not valid TOML: {_toml_reason(error)}.") from None
    if "mapping" in data:
        data["mapping"] = beside(data["mapping"], folder or path.parent)
    if isinstance(data.get("source"), dict):
        data["source"] = _with_own_files(data["source"], folder or path.parent)
    return Layer("profile", str(path), data)


def _with_own_files(source: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Have the corrections that a profile names beside it."""
    named = source.get("corrections")
    return {**source, "corrections": str(folder.absolute() / named)} if named and isinstance(named, str) else source


def _beside(path: Path) -> Iterator[Path]:
    return path.parent.glob("*.toml") if path.parent.is_dir() else iter(())


def _toml_reason(error: tomllib.TOMLDecodeError) -> str:
    reason, place, where = str(error).partition(" (at ")
    return f"{where.rstrip(')')}: {reason[:1].lower()}{reason[1:]}" if place else reason


def option_layer(options: Mapping[str, Any]) -> Layer:
    """Nest options given by place (`delivery.rate`), or already nested; None means: not given."""
    data: dict[str, Any] = {}
    for place, value in options.items():
        if value is None:
            continue
        section, _, rest = place.partition(".")
        keys = [section, rest] if section == "mapping" and rest else place.split(".")
        table = data
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value
    return Layer("option", data=data)


class _Variables(EnvSettingsSource):
    """The environment as pydantic-settings reads it, but out of a mapping that is passed in."""

    def __init__(self, schema: type[BaseSettings], environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(schema, env_prefix=PREFIX, env_nested_delimiter=DELIMITER)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items()}


def environment_layer(environ: Mapping[str, str], schema: type[BaseSettings], places: Mapping[str, str]) -> Layer:
    """Nest our variables (`IMPORTER_DELIVERY__RATE`); an empty one counts as not set.

    Args:
        schema: the settings that variables are read for.
        places: every variable that names a setting by its full name, for the nearest right name.

    Raises:
        ProfileError: a variable with our prefix names no section.
    """
    ours = {
        _SHORT.get(name, name): value for name, value in environ.items() if name.startswith(PREFIX) and value.strip()
    }
    for name in ours:
        _check_variable(name, schema, places)
    settable = {name: value for name, value in ours.items() if name not in READ_SEPARATELY}
    return Layer("environment", data=_Variables(schema, settable)())


def _check_variable(name: str, schema: type[BaseSettings], places: Mapping[str, str]) -> None:
    if name in READ_SEPARATELY:
        return
    section = name.removeprefix(PREFIX).partition(DELIMITER)[0].lower()
    if re.search(r"API_?(KEY|SECRET)", name):
        raise ProfileError(f"The variable {name} is not known: credentials are {target_kind(DEFAULT_KIND).variables}.")
    if section in {"mapping", TRANSFORM}:
        raise ProfileError(f"The variable {name} cannot be used: a mapping belongs in a profile file.")
    if section not in schema.model_fields:
        known = [*places, *READ_SEPARATELY]
        raise ProfileError(f"The variable {name} is not known{did_you_mean(name, known)}")


def merged(layers: Sequence[Layer], target: Any) -> dict[str, Any]:
    """Lay layers (strongest first) over each other, in each of them the target's keys over `[delivery]`."""
    data: dict[str, Any] = {}
    for layer in reversed(layers):
        data = _over(data, _for_target(layer.data, target))
    return data


def _for_target(data: Mapping[str, Any], target: Any) -> dict[str, Any]:
    """Lay the delivery keys of the target's section over `[delivery]` of the same origin."""
    targets = data.get("targets")
    section = targets.get(target) if isinstance(targets, Mapping) and isinstance(target, str) else None
    if not isinstance(section, Mapping):
        return dict(data)
    own = {key: value for key, value in section.items() if key in DeliverySettings.model_fields}
    delivery = data.get("delivery", {})
    return {**data, "delivery": {**delivery, **own} if isinstance(delivery, Mapping) else delivery}


def _over(low: Mapping[str, Any], high: Mapping[str, Any], *, deep: bool = True) -> dict[str, Any]:
    """Lay one layer over another; the rules of a mapping are replaced whole."""
    both = dict(low)
    for key, value in high.items():
        below = both.get(key)
        if deep and isinstance(below, Mapping) and isinstance(value, Mapping):
            both[key] = _over(below, value, deep=key != "mapping")
        else:
            both[key] = value
    return both
