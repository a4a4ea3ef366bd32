"""Where customers go, and with which credentials: decided before anything is opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from importer.core.errors import ProfileError, UsageError
from importer.core.target_kinds import DEFAULT_KIND, TargetKind, target_kind
from importer.emulator import Faults
from importer.journal import Location, RunFacts, same_server
from importer.profile import EMULATOR, Profile, credentials
from importer.profile.delivery import TargetSettings

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Destination:
    """Where customers go, decided before anything is opened.

    Args:
        scope: target and account; import keys are unique inside one. Of an account without a name it is a proposal:
            what the journal knows of the key decides (`importer.runs.accounts.settle_account`).
        server: one spelling of the address; empty for the emulator inside the run.
        host: what a person is asked to confirm; empty for the emulator inside the run.
        credentials: to the name of each credential that the kind of target asks for its secret.
        faults: what the emulator inside the run does wrong on purpose; None: nothing.
    """

    name: str
    settings: TargetSettings
    scope: str
    host: str
    server: str = ""
    credentials: Mapping[str, SecretStr] = field(default_factory=dict)
    faults: Faults | None = None

    @property
    def embedded(self) -> bool:
        """Whether the emulator inside the run is meant."""
        return not self.settings.base_url

    @property
    def key(self) -> str:
        """The secret that identifies the account; empty for the emulator inside the run, or without credentials."""
        return next((one.get_secret_value() for one in self.credentials.values()), "")


def destination(profile: Profile, environ: Mapping[str, str] = os.environ, *, sends: bool = True) -> Destination:
    """Decide where customers go, and with which credentials.

    Args:
        sends: False: nothing is sent, and an account that the profile names needs no credentials.

    Raises:
        UsageError: the target or the credentials are missing or wrong.
    """
    settings = profile.target_settings()
    faults = _faults(profile.delivery.faults, embedded=not settings.base_url)
    if not settings.base_url:
        _check_emulated(settings.kind)
        return Destination(profile.target, settings, scope=_rehearsal_scope(profile), host="", faults=faults)
    kind = target_kind(settings.kind)
    found = (
        credentials(kind, environ) if sends else _credentials_if_any(kind, environ, profile.target, settings.account)
    )
    server = same_server(settings.base_url)
    host = kind.without_api_path(settings.base_url.strip().partition("://")[2]).lower()
    there = Destination(profile.target, settings, scope="", host=host, server=server, credentials=found)
    account = settings.account or f"key-{blake2b(there.key.encode(), digest_size=4).hexdigest()}"
    return replace(there, scope=f"{server}#{account}")


def _rehearsal_scope(profile: Profile) -> str:
    """The scope of the emulator inside the run: its customers are in the workspace, whoever shares the journal."""
    if not Location.of_workspace(profile.workspace).url:
        return EMULATOR
    place = f"{socket.gethostname()}:{profile.workspace.resolve()}"
    return f"{EMULATOR}#{blake2b(place.encode(), digest_size=4).hexdigest()}"


def _credentials_if_any(
    kind: TargetKind, environ: Mapping[str, str], target: str, account: str
) -> Mapping[str, SecretStr]:
    """Find the credentials; an account that has a name can do without.

    Raises:
        UsageError: they are missing or wrong, and the account has no name.
    """
    try:
        return credentials(kind, environ)
    except UsageError as error:
        if account:
            return {}
        hint = f"{error.hint} Without them, name the account: account under [targets.{target}]."
        raise UsageError(error.message, hint.strip()) from None


def _check_emulated(kind: str) -> None:
    if kind != DEFAULT_KIND:
        raise ProfileError(
            f"The emulator inside the run is of the kind '{DEFAULT_KIND}', not '{kind}'.",
            "Give the target another name than 'emulator', and a base_url.",
        )


EMBEDDED_MARGIN_S = 1.0
"""The emulator inside a run shows a customer at once; so much is left for a busy machine."""


def as_patient_as_needed(profile: Profile, where: Destination) -> Profile:
    """The profile, as patient with rows in doubt as this destination needs.

    What the emulator inside the run can do at worst is known, since its plan of faults is ours: looks end with that.
    """
    if not where.embedded:
        return profile
    delivery = profile.delivery
    latest_s = EMBEDDED_MARGIN_S + (where.faults.latest_s if where.faults is not None else 0.0)
    looks = tuple(look for look in delivery.looks_after_s if look < latest_s)
    if looks != delivery.looks_after_s:
        looks = (*looks, latest_s)
    again_s = min(delivery.look_again_after_s, latest_s)
    chosen = delivery.model_copy(update={"looks_after_s": looks, "look_again_after_s": again_s})
    return profile.model_copy(update={"delivery": chosen})


def rehearsing(where: Destination) -> RunFacts:
    """What a run notes of its rehearsal, so that it is the same when it is taken up again."""
    return RunFacts() if where.faults is None else RunFacts(faults=where.faults.as_plan())


def rehearsed_again(where: Destination, facts: RunFacts) -> Destination:
    """The destination of a run that is taken up again: with the faults it began with, where no others are named.

    Raises:
        ProfileError: this program knows no such faults.
    """
    if where.faults is not None or not facts.faults:
        return where
    try:
        return replace(where, faults=Faults.of_plan(facts.faults))
    except ValueError as error:
        raise ProfileError(
            f"The faults that the run began with cannot be used: {error}.", "Name others with --faults."
        ) from None


def _faults(named: str, *, embedded: bool) -> Faults | None:
    """The plan of faults of a rehearsal.

    Raises:
        ProfileError: the target is not the emulator inside the run, or there is no such plan.
    """
    if not named:
        return None
    if not embedded:
        raise ProfileError(
            "Faults can be rehearsed with the emulator inside the run only.", "Leave --faults out, or --target."
        )
    try:
        return Faults.load(named)
    except ValueError as error:
        raise ProfileError(f"The faults cannot be used: {error}.") from error
