"""The profile that a run has kept: taken over by whoever goes on with the run and names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from importer.core.contract import Contract, contract_of
from importer.core.errors import ProfileError, UsageError
from importer.core.target_kinds import DEFAULT_KIND
from importer.journal import LOADING, UPDATE_JOB, RunHeader, StoredRun
from importer.profile import HARMLESS_TARGETS, KeptProfile, Profile, kind_in

_PACE = frozenset({"rate", "concurrency", "max_errors", "max_error_rate", "fail_fast"})
"""Options of the section [delivery] that a run keeps when its command line gave them."""


def pace_of(profile: Profile) -> dict[str, Any]:
    """Return the options of the command line for the rate and for stopping, which are kept with the run."""
    return {key: value for key, value in profile.given("delivery").items() if key in _PACE}


def kept_profile(stored: StoredRun) -> KeptProfile | None:
    """Return the profile that a run has kept; None: an earlier program kept none.

    Raises:
        ProfileError: this program cannot read it.
    """
    if not stored.profile:
        return None
    try:
        return KeptProfile.model_validate_json(stored.profile)
    except ValidationError:
        raise ProfileError(
            f"The profile that the run {stored.header.run_id} has kept cannot be read by this program.",
            "Name the profile of that time with --config.",
        ) from None


def contract_of_run(stored: StoredRun) -> Contract:
    """Return what the records of a run are.

    Raises:
        ProfileError: this program cannot read the profile that it has kept, or lacks its kind of target.
    """
    kept = kept_profile(stored)
    return contract_of(kind_in(kept.settings) if kept else DEFAULT_KIND)


def recalled(profile: Profile, stored: StoredRun) -> Profile:
    """Return the profile for continuing a run: the one named now, or else the one that the run has kept.

    Raises:
        ProfileError: what it has kept cannot be used.
    """
    if profile.is_recalled:
        return profile
    return _as_begun(profile, stored) if profile.is_named else recalled_under(profile, stored)


def recalled_under(profile: Profile, stored: StoredRun) -> Profile:
    """Return the profile that a run has kept, and of another one what does not decide how rows are read and checked.

    Raises:
        ProfileError: what it has kept cannot be used.
    """
    kept = kept_profile(stored)
    begun = profile if kept is None else profile.recalled(kept.settings, stored.header.run_id)
    return _as_begun(begun, stored)


def _as_begun(profile: Profile, stored: StoredRun) -> Profile:
    """Return the profile with the options of the run's own command line; options given now go before them."""
    kept: Mapping[str, Any] = stored.facts.pace
    said = profile.given("delivery")
    again = {f"delivery.{key}": value for key, value in kept.items() if key not in said}
    changes = {"validation.partial": True} if stored.facts.job == UPDATE_JOB else {}
    return profile.with_options({"source.limit": stored.facts.limit, **again, **changes})


def for_target(profile: Profile, header: RunHeader) -> Profile:
    """Return the profile with the target of a run. A live one has to be named, unless the run has kept its profile.

    Raises:
        UsageError: another target was named, or the run sends to a live target that was not named.
    """
    if profile.target == header.target:
        return profile
    if profile.target_origin == "option":
        anew = profile.commands.run(header.path, "--as-new")
        raise UsageError(
            f"The run {header.run_id} sends to '{header.target}', and its rows go nowhere else.",
            f"Leave --target out. `{anew}` imports its file there as a new run.",
        )
    if header.target not in HARMLESS_TARGETS and not profile.is_recalled:
        raise UsageError(
            f"The run {header.run_id} sends to '{header.target}'.", f"Add --target {header.target} if you mean it."
        )
    return profile.with_options({"target": header.target})


def is_other_profile(profile: Profile, stored: StoredRun) -> bool:
    """Whether somebody named another profile than the run's, under which its rows may be checked again.

    Args:
        profile: as `recalled` gave it.
    """
    return profile.is_named and stored.phase != LOADING and checks_otherwise(profile, stored)


def checks_otherwise(profile: Profile, stored: StoredRun) -> bool:
    """Whether rows that were read already would be checked otherwise than the run's were."""
    if profile.fingerprint == stored.header.profile_hash:
        return False
    kept = kept_profile(stored)
    return kept is None or profile.checking != Profile().recalled(kept.settings, stored.header.run_id).checking
