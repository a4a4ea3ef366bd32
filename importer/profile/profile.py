"""A profile, put together: options, environment and a file in layers, with the defaults below them.

Precedence is option, environment, profile file, default. Inside each of these a key of the chosen target's section goes
before the same key of `[delivery]`. Holds no credential and opens no connection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, ValidationError
from pydantic_settings import BaseSettings

from importer.core.commands import Commands
from importer.core.target_kinds import target_kind
from importer.profile.chosen_target import ChosenTarget
from importer.profile.delivery import TargetSettings
from importer.profile.kept import (
    KEPT_TABLES,
    TABLES_OF_ROWS,
    checking_fingerprint,
    differing,
    fingerprint,
    sending_otherwise,
    settings_to_keep,
)
from importer.profile.layers import OPTIONS, Layer, Origin, environment_layer, file_layer, merged, option_layer
from importer.profile.problems import explain, places, variable
from importer.profile.tables import EMULATOR, ProfileTables, kind_in, with_names

_BUILT_IN = Layer("default", data={"targets": {EMULATOR: {"rate": "200/s", "concurrency": 32}}})
"""Only the run itself uses the emulator inside it: a rehearsal need not be as careful as a real import."""

_NOT_REPEATED = frozenset(
    {"target", "workspace", "dry_run", "yes", "account_of", "notify.runs", "results.preview", "approval.key"}
    | {"engine.kind", "engine.scheduler"}
    | {"output.format", "output.quiet", "log.level", "log.format"}
)
"""Options that a printed command does not repeat: it names the first two itself, and the others are about the one
command that they were given to."""


class Profile(ProfileTables):
    """Everything that a run has to know; `Profile()` is the defaults, `load` reads files and the environment."""

    _layers: tuple[Layer, ...] = PrivateAttr(default=())

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

    def with_file(self, path: Path) -> Self:
        """Return this profile under a file that was made from it for one source, options and environment over both.

        What `[source]`, `[mapping]` and `[validation]` of this one say counts no more: the file says it.

        Raises:
            ProfileError: as for `load`.
        """
        layers = self._layers or (Layer("profile", "", self.model_dump(exclude_unset=True)),)
        above = [layer for layer in layers if layer.origin in {"option", "environment"}]
        below = [
            replace(layer, data={key: value for key, value in layer.data.items() if key not in TABLES_OF_ROWS})
            for layer in layers
            if layer.origin not in {"option", "environment"}
        ]
        return self._resolve([*above, file_layer(path, Path(self.file).parent if self.file else None), *below])

    def written(self) -> Mapping[str, Any]:
        """What its file says, or the code that made it: tables as they are there, with names of fields whole."""
        made = self.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        layers = self._layers or (Layer("profile", "", made),)
        return next((layer.data for layer in layers if layer.origin == "profile"), {})

    @classmethod
    def _resolve(cls, layers: Sequence[Layer]) -> Self:
        target = next((layer.data["target"] for layer in layers if "target" in layer.data), EMULATOR)
        kind = kind_in(merged(layers, target))
        layers = [replace(layer, data=with_names(layer.data, kind)) for layer in layers]
        try:
            profile = cls.model_validate(merged([*layers, _BUILT_IN, _defaults_of(kind)], target))
        except ValidationError as error:
            raise explain(error, cls, layers) from None
        profile._layers = tuple(layers)  # noqa: SLF001 - its own class
        return profile

    # ------------------------------------------------------------------ kept with a run

    @property
    def is_named(self) -> bool:
        """Whether a profile was named, a file or one made in code, in addition to options and the environment."""
        if not self._layers:
            return bool(self.model_fields_set & (KEPT_TABLES - {"target", "log"}))
        return any(layer.origin == "profile" for layer in self._layers)

    @property
    def is_recalled(self) -> bool:
        """Whether it is one that a run has kept."""
        return any(layer.origin == "run" for layer in self._layers)

    def settings_to_keep(self) -> dict[str, Any]:
        """What a run keeps of its profile; see `kept.settings_to_keep`."""
        return settings_to_keep(self)

    def differs_from(self, settings: Mapping[str, Any]) -> list[str]:
        """Name the keys by which rows and bodies are decided otherwise, dotted; see `kept.differing`."""
        return differing(self, settings)

    def sends_otherwise(self, settings: Mapping[str, Any]) -> list[str]:
        """Name the keys by which something else may be sent, dotted; see `kept.sending_otherwise`."""
        return sending_otherwise(self, settings)

    def over(self, settings: Mapping[str, Any], name: str) -> Self:
        """Return what is given now, over what a plan has kept, the reading and checking of rows included.

        Args:
            settings: as `settings_to_keep` gave them.
            name: the run that made the plan, for messages.

        Raises:
            ProfileError: as for `recalled`.
        """
        layers = self._layers or (option_layer(self.model_dump(exclude_unset=True)),)
        return self._resolve([*layers, Layer("run", name, settings)])

    def recalled(self, settings: Mapping[str, Any], run_id: str) -> Self:
        """Return what is given now, over what a run has kept; how rows are read and checked is the run's alone.

        Args:
            settings: as `settings_to_keep` gave them.
            run_id: the run, for messages.

        Raises:
            ProfileError: this program does not know what an earlier one kept, or what is given now is wrong.
        """
        layers = self._layers or (option_layer(self.model_dump(exclude_unset=True)),)
        given = [
            replace(layer, data={key: value for key, value in layer.data.items() if key not in TABLES_OF_ROWS})
            for layer in layers
        ]
        return self._resolve([*given, Layer("run", run_id, settings)])

    def given(self, section: str) -> dict[str, Any]:
        """What the options of the command line set in a section, by key."""
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
            sending=self._typed(lambda place: not place.startswith("source.") and place not in _NOT_REPEATED),
        )

    def _typed(self, wanted: Callable[[str], bool]) -> tuple[str, ...]:
        """The options of the command line with the wanted places, as words."""
        words: list[str] = []
        for option, place in OPTIONS.items():
            section, _, key = place.partition(".")
            value = self.given(section).get(key) if key else None
            if isinstance(value, list | tuple):  # the command line separates these with commas
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

        Raises:
            ProfileError: as for `ChosenTarget.settings`.
        """
        return ChosenTarget(self, self.target_origin, self._file).settings()

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
        """A hex hash over what decides rows and request bodies, and nothing else; see `kept.fingerprint`."""
        return fingerprint(self)

    @property
    def checking(self) -> str:
        """The same without `[source]`: over what decides how rows that were read already are checked."""
        return checking_fingerprint(self)


def _defaults_of(kind: str) -> Layer:
    return Layer("default", data={"delivery": dict(target_kind(kind).defaults)})


class _Variables(Profile, BaseSettings):
    """The same schema, as the reader of environment variables needs it; the schema itself parses texts."""

    model_config = {"enable_decoding": False}
