"""The profile: everything a run has to know, in one frozen value, and how it is put together.

Precedence is option, environment, profile file, default. Inside each of these a key of the chosen
target's section goes before the same key of `[delivery]`. Holds no credential and opens no connection.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings

from importer.core.commands import Commands
from importer.core.contract import Contract
from importer.core.errors import ProfileError
from importer.core.target_kinds import DEFAULT_KIND, contract_of, target_kind
from importer.profile.delivery import DeliverySettings, TargetSettings
from importer.profile.fieldnames import Named, apart_from_fields, check_names, quotes_forgotten
from importer.profile.layers import OPTIONS, Layer, Origin, environment_layer, file_layer, merged, option_layer
from importer.profile.nearest import did_you_mean
from importer.profile.nights import NightlySettings, NotifySettings
from importer.profile.operating import LogSettings, MetricsSettings, OtelSettings, OutputSettings, RetentionSettings
from importer.profile.problems import explain, places, variable
from importer.profile.section import Section
from importer.profile.settings import (
    GroupingSettings,
    MappingRule,
    RemoteSettings,
    ResultsSettings,
    SourceSettings,
    ValidationSettings,
)
from importer.profile.transform import Transform, TransformSettings

EMULATOR = "emulator"
HARMLESS_TARGETS = frozenset({EMULATOR, "sandbox"})
"""Targets that a profile file alone may choose; any other must be named by an option or the environment."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PLACEHOLDERS = ("replace-me", ".invalid", "…", "<", ">")
"""What marks an address in a shipped profile as not filled in."""

_BUILT_IN = Layer("default", data={"targets": {EMULATOR: {"rate": "200/s", "concurrency": 32}}})
"""The emulator inside the run is ours alone: a rehearsal need not be as careful as the real thing."""

_KEPT = frozenset(
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
        "results",
        "notify",
        "log",
        "metrics",
        "otel",
    }
)
"""What a run keeps of its profile: all but what belongs to one command (workspace, consent, output) or to a night."""

_DECIDES_ROWS = ("source", "mapping", "grouping", "transform", "validation")
_ADDED = {"possible_duplicate", "external_id_decides"}
"""Keys of `[validation]` that came later: a profile that does not name them has the fingerprint it always had."""

_DECIDES_NO_ROW = {"batch_rows", "processes", "limits", "on_drift", "columns", "file"}


_SAID_ANEW = frozenset(
    {"target", "workspace", "dry_run", "yes", "account_of", "notify.runs", "results.preview"}
    | {"output.format", "output.quiet", "log.level", "log.format"}
)
"""Options that a printed command does not repeat: it names the first two itself, and the others are about the one
command that they were given to."""


def _lower_case(name: str) -> str:
    if name != name.lower():
        raise ValueError("named in small letters")
    return name


TargetName = Annotated[str, AfterValidator(_lower_case)]


class Profile(Section):
    """Everything a run has to know. `Profile()` is the defaults; `Profile.load` reads files and the environment."""

    target: TargetName = Field(
        EMULATOR,
        description=(
            "Where customers are created. A file alone may name `emulator` and `sandbox`; any other is named "
            "by `--target` or IMPORTER_TARGET."
        ),
    )
    workspace: Path = Field(
        Path("runs"),
        description="The folder of the journal and the run directories; keep it, it knows what was imported.",
    )
    dry_run: bool = Field(False, description="Only check, as `importer validate` does.")
    account_of: str = Field(
        "",
        description=(
            "Whose a new API key is: a run that sent to the same account, or `new`; remembered once it was said."
        ),
    )
    yes: bool = Field(False, description="Do not ask before sending to a live target.")
    source: SourceSettings = SourceSettings()
    remote: RemoteSettings = RemoteSettings()
    mapping: dict[str, MappingRule] = Field(
        default_factory=dict,
        description="Customer field to the rule that fills it; empty: the columns are matched by name and content.",
    )
    grouping: GroupingSettings = GroupingSettings()
    """`group_by` and `group_primary`, which stand under `[mapping]`."""
    transform: Transform = Field(
        TransformSettings(),
        description="A function of your own that makes the columns: it gets the rows as a DataFrame of text and "
        "returns the same rows. Its module is looked for beside the profile first; empty: none.",
    )
    """Stands under `[mapping]`, too."""
    validation: ValidationSettings = ValidationSettings()
    targets: dict[TargetName, TargetSettings] = Field(default_factory=dict)
    delivery: DeliverySettings = DeliverySettings()
    """As resolved for the chosen target."""
    results: ResultsSettings = ResultsSettings()
    nightly: NightlySettings = NightlySettings()
    notify: NotifySettings = NotifySettings()
    log: LogSettings = LogSettings()
    output: OutputSettings = OutputSettings()
    retention: RetentionSettings = RetentionSettings()
    metrics: MetricsSettings = MetricsSettings()
    otel: OtelSettings = OtelSettings()

    _layers: tuple[Layer, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _some_keys_of_mapping_name_no_field(cls, data: Any) -> Any:
        given = apart_from_fields(data)
        return _with_names(given, kind_in(given)) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _only_fields_of_the_contract(self) -> Self:
        named: list[Named] = [(("mapping", name, "[key]"), name) for name in self.mapping]
        named += [(("validation", "no_change", at), name) for at, name in enumerate(self.validation.no_change)]
        if named:
            check_names(named, self.contract.fields)
        return self

    @property
    def contract(self) -> Contract:
        """What the records of the chosen target are.

        Raises:
            ProfileError: there is no such kind of target.
        """
        section = self.targets.get(self.target)
        return contract_of(section.kind if section else DEFAULT_KIND)

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Put a profile together.

        Args:
            path: the TOML file; None: none is read.
            options: settings by place (`delivery.rate`) or nested; None as a value means: not given.
            environ: the environment; None: the process's own.

        Raises:
            ProfileError: a file, variable or option is wrong; the message names it and the nearest right name.
        """
        names = {variable(place): ".".join(place) for place in places(cls)}
        layers = [
            option_layer(options or {}),
            environment_layer(os.environ if environ is None else environ, _Variables, names),
        ]
        if path is not None:
            layers.append(file_layer(Path(path).expanduser()))
        return cls._resolve([layer for layer in layers if layer.data] or [Layer("option")])

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Put the same profile together again with further options, which go before everything else.

        Raises:
            ProfileError: as for `load`.
        """
        layers = self._layers or (Layer("profile", "", self.model_dump(exclude_unset=True)),)
        return self._resolve([option_layer(options), *layers])

    @classmethod
    def _resolve(cls, layers: Sequence[Layer]) -> Self:
        target = next((layer.data["target"] for layer in layers if "target" in layer.data), EMULATOR)
        kind = kind_in(merged(layers, target))
        layers = [replace(layer, data=_with_names(layer.data, kind)) for layer in layers]
        try:
            profile = cls.model_validate(merged([*layers, _BUILT_IN], target))
        except ValidationError as error:
            raise explain(error, cls, layers) from None
        profile._layers = tuple(layers)  # noqa: SLF001 - its own class
        return profile

    # ------------------------------------------------------------------ kept with a run

    @property
    def is_named(self) -> bool:
        """Whether somebody named a profile, a file or one made in code, beside options and the environment."""
        if not self._layers:
            return bool(self.model_fields_set & (_KEPT - {"target", "log"}))
        return any(layer.origin == "profile" for layer in self._layers)

    @property
    def is_recalled(self) -> bool:
        """Whether it is one that a run has kept."""
        return any(layer.origin == "run" for layer in self._layers)

    def settings_to_keep(self) -> dict[str, Any]:
        """What a run keeps of its profile, in JSON types: all defaults spelt out, and never a secret.

        Faults of a rehearsal are not in it: the run notes the faults themselves, which outlast their file.
        """
        kept = self.model_dump(mode="json", include=set(_KEPT), exclude={"delivery": {"faults"}})
        for name, section in kept["targets"].items():
            if name == self.target:  # its own delivery keys are in `delivery` already, under what options said
                kept["targets"][name] = {key: section[key] for key in TargetSettings.model_fields}
        for section, key in (("results", "out"), ("metrics", "textfile")):
            if kept[section][key] is not None:
                kept[section][key] = str(Path(kept[section][key]).absolute())
        if not self.transform.function:
            del kept["transform"]
        return kept

    def differs_from(self, settings: Mapping[str, Any]) -> list[str]:
        """Name the keys by which rows and bodies are decided otherwise, dotted.

        Args:
            settings: as `settings_to_keep` gave them.
        """
        mine = self.settings_to_keep()
        pairs = [(section, mine.get(section, {}), settings.get(section, {})) for section in _DECIDES_ROWS]
        named = [
            f"{section}.{key}"
            for section, now, then in pairs
            for key in sorted({*now, *then} - _DECIDES_NO_ROW)
            if now.get(key) != then.get(key)
        ]
        stamps = (one.get("delivery", {}).get("import_key_metadata") for one in (mine, settings))
        return named if len(set(stamps)) == 1 else [*named, "delivery.import_key_metadata"]

    def recalled(self, settings: Mapping[str, Any], run_id: str) -> Self:
        """What is said now, over what a run has kept; how rows are read and checked is the run's alone.

        Args:
            settings: as `settings_to_keep` gave them.
            run_id: the run, for messages.

        Raises:
            ProfileError: this program does not know what an earlier one kept, or what is said now is wrong.
        """
        layers = self._layers or (option_layer(self.model_dump(exclude_unset=True)),)
        said = [
            replace(layer, data={key: value for key, value in layer.data.items() if key not in _DECIDES_ROWS})
            for layer in layers
        ]
        return self._resolve([*said, Layer("run", run_id, settings)])

    def given(self, section: str) -> dict[str, Any]:
        """What options on the command line say of a section, by key."""
        found: dict[str, Any] = {}
        for layer in reversed(self._layers):
            if layer.origin == "option":
                found |= layer.data.get(section, {})
        return found

    @property
    def commands(self) -> Commands:
        """What composes the commands that are printed: they repeat what the user typed."""
        return Commands(
            workspace=self.workspace,
            config=self.file,
            target=self.target if self._layers and self.target_origin in {"option", "environment"} else "",
            reading=self._typed(lambda place: place.startswith("source.")),
            sending=self._typed(lambda place: not place.startswith("source.") and place not in _SAID_ANEW),
        )

    def _typed(self, wanted: Callable[[str], bool]) -> tuple[str, ...]:
        """The options of the command line, as words, whose places are wanted."""
        words: list[str] = []
        for option, place in OPTIONS.items():
            section, _, key = place.partition(".")
            value = self.given(section).get(key) if key else None
            if isinstance(value, list | tuple):  # a program's way to say what the command line parts with commas
                value = ",".join(map(str, value))
            if wanted(place) and value not in {None, False, ""}:
                words += [option] if value is True else [option, str(value)]
        return tuple(words)

    @property
    def target_origin(self) -> Origin:
        """Who chose the target; a profile made in code counts as an option."""
        for layer in self._layers:
            if "target" in layer.data:
                return layer.origin
        return "option" if not self._layers and "target" in self.model_fields_set else "default"

    def target_settings(self) -> TargetSettings:
        """Return the chosen target's settings, ready to be connected to.

        The emulator needs no section and no address: it is started inside the run.

        Raises:
            ProfileError: the target is unknown, has no usable address, or only a profile file named it although
                it is neither the emulator nor the sandbox.
        """
        settings = self.targets.get(self.target)
        if self.target == EMULATOR and (settings is None or not settings.base_url):
            return settings or TargetSettings()
        if settings is None:
            raise self._unknown_target()
        if self.target == EMULATOR and urlsplit(settings.base_url).hostname not in LOOPBACK:
            raise ProfileError(
                f"The target 'emulator' is given an address outside this machine in {self._file}.",
                "Give a real system a name of its own: [targets.live] or [targets.sandbox].",
            )
        if self.target_origin == "profile" and self.target not in HARMLESS_TARGETS:
            raise ProfileError(
                f"The target '{self.target}' is named only by {self._file}: no file alone may choose a live system.",
                f"Add --target {self.target}, or set IMPORTER_TARGET={self.target}.",
            )
        self._check_address(settings.base_url)
        return settings

    def _unknown_target(self) -> ProfileError:
        known = [EMULATOR, *self.targets]
        return ProfileError(
            f"The target '{self.target}' is not set up{did_you_mean(self.target, known)}",
            f"Write its base_url under [targets.{self.target}] in the profile, "
            f"or set {variable(('targets', self.target, 'base_url'))}.",
        )

    def _check_address(self, base_url: str) -> None:
        section = f"[targets.{self.target}] base_url in {self._file}"
        if not base_url:
            raise ProfileError(f"The target '{self.target}' has no address.", f"Set {section}.")
        if any(mark in base_url.lower() for mark in PLACEHOLDERS):
            raise ProfileError(
                f"The address of the target '{self.target}' is still a placeholder.",
                f"Set {section} to {target_kind(self.targets[self.target].kind).address}.",
            )
        address = urlsplit(base_url)
        local = address.hostname in LOOPBACK
        if not address.hostname or address.scheme not in ({"https", "http"} if local else {"https"}):
            raise ProfileError(
                f"The address of the target '{self.target}' must begin with https:// and name a host.",
                f"Fix {section}.",
            )

    @property
    def file(self) -> str:
        """The TOML file it was read from, as the user named it; empty when there was none."""
        return next((layer.name for layer in self._layers if layer.origin == "profile"), "")

    @property
    def _file(self) -> str:
        run = next((layer.name for layer in self._layers if layer.origin == "run"), "")
        return self.file or (f"the profile of the run {run}" if run else "the profile")

    @property
    def fingerprint(self) -> str:
        """A hex hash over what decides rows and request bodies, and nothing else.

        In it: `[source]` (but batch size, limits and drift guard), `[mapping]` with the text of the user's own
        function, `[validation]` and the name of the import key's stamp. Not in it: target, rate, concurrency,
        thresholds, result formats.
        """
        source = self.source.model_dump(mode="json", exclude=_DECIDES_NO_ROW)
        return _hash({"source": source, **self._checking()})

    @property
    def checking(self) -> str:
        """The same without `[source]`: over what becomes of rows that were read already."""
        return _hash(self._checking())

    def _checking(self) -> dict[str, Any]:
        parts = {
            "mapping": {field: rule.model_dump(mode="json") for field, rule in self.mapping.items()},
            "validation": _as_ever(self.validation),
            "stamp": self.delivery.import_key_metadata,
        }
        if self.grouping.group_by:  # without it, the fingerprint that the profile always had
            parts["grouping"] = self.grouping.model_dump(mode="json")
        if self.transform.function:
            parts["transform"] = self.transform.model_dump(mode="json", exclude={"file"})
        return parts


def _hash(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _as_ever(validation: ValidationSettings) -> dict[str, Any]:
    """What `[validation]` decides; keys that earlier programs did not know count only where they say something new."""
    added = validation.model_dump(mode="json", include=_ADDED, exclude_defaults=True)
    return validation.model_dump(mode="json", exclude=_ADDED) | added


def kind_in(data: Mapping[str, Any]) -> str:
    """The kind of the chosen target, in data that nobody has checked yet."""
    targets, target = data.get("targets"), data.get("target", EMULATOR)
    section = targets.get(target) if isinstance(targets, Mapping) and isinstance(target, str) else None
    kind = section.get("kind") if isinstance(section, Mapping) else getattr(section, "kind", None)
    return kind if isinstance(kind, str) else DEFAULT_KIND


def _with_names(data: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The same data with the names of fields whole, quotes or not."""
    if not data.get("mapping"):
        return data
    return {**data, "mapping": quotes_forgotten(data["mapping"], contract_of(kind).fields)}


class _Variables(Profile, BaseSettings):
    """The same schema, as the reader of environment variables wants it; texts are taken apart by the schema itself."""

    model_config = {"enable_decoding": False}
