"""Which target a run sends to, and whether it may: its settings, checked before anything connects."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from importer.core.errors import ProfileError
from importer.core.labels import did_you_mean
from importer.core.target_kinds import target_kind
from importer.profile.delivery import TargetSettings
from importer.profile.layers import Origin
from importer.profile.problems import variable
from importer.profile.tables import EMULATOR, ProfileTables

HARMLESS_TARGETS = frozenset({EMULATOR, "sandbox"})
"""Targets that a profile file alone may choose; any other must be named by an option or the environment."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PLACEHOLDERS = ("replace-me", ".invalid", "…", "<", ">")
"""What marks an address in a shipped profile as not filled in."""


@dataclass(frozen=True, slots=True)
class ChosenTarget:
    """The target of a profile.

    Args:
        origin: who chose it.
        file: the profile, for messages.
    """

    profile: ProfileTables
    origin: Origin
    file: str

    def settings(self) -> TargetSettings:
        """Return its settings, ready to be connected to.

        The emulator needs no section and no address: it is started inside the run.

        Raises:
            ProfileError: the target is unknown, has no usable address, or only a profile file named it although
                it is neither the emulator nor the sandbox.
        """
        name = self.profile.target
        settings = self.profile.targets.get(name)
        if name == EMULATOR and (settings is None or not settings.base_url):
            return settings or TargetSettings()
        if settings is None:
            raise self._unknown()
        if name == EMULATOR and urlsplit(settings.base_url).hostname not in LOOPBACK:
            raise ProfileError(
                f"The target 'emulator' is given an address outside this machine in {self.file}.",
                "Give a real system a name of its own: [targets.live] or [targets.sandbox].",
            )
        if self.origin == "profile" and name not in HARMLESS_TARGETS:
            raise ProfileError(
                f"The target '{name}' is named only by {self.file}: no file alone may choose a live system.",
                f"Add --target {name}, or set IMPORTER_TARGET={name}.",
            )
        self._check_address(settings)
        return settings

    def _unknown(self) -> ProfileError:
        name = self.profile.target
        return ProfileError(
            f"The target '{name}' is not set up{did_you_mean(name, [EMULATOR, *self.profile.targets])}",
            f"Write its base_url under [targets.{name}] in the profile, "
            f"or set {variable(('targets', name, 'base_url'))}.",
        )

    def _check_address(self, settings: TargetSettings) -> None:
        name, base_url = self.profile.target, settings.base_url
        section = f"[targets.{name}] base_url in {self.file}"
        if not base_url:
            raise ProfileError(f"The target '{name}' has no address.", f"Set {section}.")
        if any(mark in base_url.lower() for mark in PLACEHOLDERS):
            raise ProfileError(
                f"The address of the target '{name}' is still a placeholder.",
                f"Set {section} to {target_kind(settings.kind).address}.",
            )
        address = urlsplit(base_url)
        local = address.hostname in LOOPBACK
        if not address.hostname or address.scheme not in ({"https", "http"} if local else {"https"}):
            raise ProfileError(
                f"The address of the target '{name}' must begin with https:// and name a host.",
                f"Fix {section}.",
            )
