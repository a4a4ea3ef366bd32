"""Whether a run may begin or go on. Opens, sends and writes nothing: every refusal comes before the first request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from importer.core.commands import FRAME
from importer.core.contract import Contract
from importer.core.errors import AlreadyImportedError, ProfileError, ReturnRefusedError, SourceChangedError, UsageError
from importer.core.states import RowState
from importer.core.target_kinds import DEFAULT_KIND, contract_of
from importer.journal import (
    FINISHED,
    LOADING,
    EarlierRuns,
    Journal,
    RunHeader,
    StoredRun,
)
from importer.profile import EMULATOR, HARMLESS_TARGETS, KeptProfile, Profile, kind_in
from importer.readers import content_hash
from importer.runs import archive_index
from importer.runs.wiring import Destination, Workspace
from importer.runs.wiring.remote_sources import is_remote

Confirm = Callable[[str, int], bool]
"""Asked once before the first request to a target that is not harmless: host, rows ready. False: send nothing."""

_PACE = frozenset({"rate", "concurrency", "max_errors", "max_error_rate", "fail_fast"})

# --------------------------------------------------------------------------- consent


def require_consent(where: Destination, profile: Profile, confirm: Confirm | None) -> None:
    """Refuse a live target that nobody can be asked about, before anything is opened.

    Raises:
        UsageError: it has to be confirmed, and cannot be.
    """
    if _is_settled(where, profile) or confirm is not None:
        return
    raise UsageError(
        f"Nothing was sent: importing into '{where.name}' ({where.host}) has to be confirmed, and there is no"
        " terminal to ask on.",
        "Add --yes if you mean it.",
    )


def require_named_target(profile: Profile) -> None:
    """Refuse to put files away as imported while nobody has said where to: the emulator is the default.

    Raises:
        UsageError: no option, variable or profile names the target.
    """
    if profile.target == EMULATOR and profile.target_origin == "default":
        raise UsageError(
            "No target is named: the files would be archived as imported, and no customer would be anywhere.",
            "Name where to: --target sandbox, or --target emulator for a rehearsal.",
        )


def ask_consent(where: Destination, profile: Profile, confirm: Confirm | None, counts: Mapping[str, int]) -> None:
    """Ask about a live target, where that has to be.

    Args:
        counts: rows per state; those that are ready are named in the question.

    Raises:
        UsageError: the answer was no.
    """
    if confirm is None or _is_settled(where, profile):
        return
    if not confirm(where.host, counts.get(RowState.READY, 0)):
        raise UsageError(f"Nothing was sent to '{where.name}': it was not confirmed.")


def _is_settled(where: Destination, profile: Profile) -> bool:
    return where.name in HARMLESS_TARGETS or profile.yes


# --------------------------------------------------------------------------- the same again


def refuse_repeated(before: EarlierRuns, header: RunHeader, sheet: str, profile: Profile) -> None:
    """Refuse content that was imported before, or still is, under whatever profile.

    Args:
        sheet: of a workbook the one that is read.

    Raises:
        AlreadyImportedError: it was, by the run that is named.
    """
    for earlier in before.of_content(header.scope, header.content_hash, sheet):
        is_other = profile.fingerprint != earlier.header.profile_hash
        if is_other and (_tried_out(earlier, profile) or not before.has_sent(earlier.run)):
            continue
        raise _repeated(earlier, profile, is_frame=header.path == FRAME)


def _tried_out(earlier: StoredRun, profile: Profile) -> bool:
    """Whether only the number of rows is another one: the rest of a file whose beginning was tried out."""
    limit = earlier.facts.limit
    if limit is None:
        return False
    as_then = profile.model_copy(update={"source": profile.source.model_copy(update={"limit": limit})})
    return as_then.fingerprint == earlier.header.profile_hash


def _repeated(earlier: StoredRun, profile: Profile, *, is_frame: bool) -> AlreadyImportedError:
    run_id = earlier.header.run_id
    otherwise = _otherwise(earlier, profile)
    what, force = ("DataFrame", "force=True") if is_frame else ("file", "--force")
    if earlier.phase == FINISHED:
        return AlreadyImportedError(
            f"A {what} with exactly this content was imported into '{earlier.header.target}' already, in run {run_id}"
            f"{otherwise}.",
            f"`{earlier.commands.show(run_id)}` shows how it ended;"
            f" {force} imports it again, matching every row by its key and by its place in the {what}.",
        )
    return AlreadyImportedError(
        f"The run {run_id} of a {what} with exactly this content{otherwise} has not finished.",
        f"`{earlier.commands.resume(run_id)}` goes on with it.",
    )


def _otherwise(earlier: StoredRun, profile: Profile) -> str:
    """What is not as it was then, in words; empty where the profile decides the same."""
    differing = [] if earlier.header.target == profile.target else ["target"]
    if profile.fingerprint != earlier.header.profile_hash:
        kept = kept_profile(earlier)
        differing += profile.differs_from(kept.settings) if kept else ["its profile of then is not known"]
    return f" under other settings ({', '.join(differing)})" if differing else ""


def pace_of(profile: Profile) -> dict[str, Any]:
    """What the command line said about how fast a run may be and when it has to stop: kept with the run."""
    return {key: value for key, value in profile.given("delivery").items() if key in _PACE}


def kept_profile(stored: StoredRun) -> KeptProfile | None:
    """The profile that a run has kept; None: an earlier program kept none.

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
    """What the records of a run are.

    Raises:
        ProfileError: this program cannot read the profile that it has kept, or lacks its kind of target.
    """
    kept = kept_profile(stored)
    return contract_of(kind_in(kept.settings) if kept else DEFAULT_KIND)


def recalled(profile: Profile, stored: StoredRun) -> Profile:
    """The profile of a run that is taken up again: the one named now, or else the one that the run has kept.

    Raises:
        ProfileError: what it has kept cannot be used.
    """
    if profile.is_recalled:
        return profile
    kept = None if profile.is_named else kept_profile(stored)
    begun = profile if kept is None else profile.recalled(kept.settings, stored.header.run_id)
    return _as_begun(begun, stored)


def _as_begun(profile: Profile, stored: StoredRun) -> Profile:
    """The profile with what the run's own command line said; what is said now goes before it."""
    kept: Mapping[str, Any] = stored.facts.pace
    said = profile.given("delivery")
    again = {f"delivery.{key}": value for key, value in kept.items() if key not in said}
    return profile.with_options({"source.limit": stored.facts.limit, **again})


def for_target(profile: Profile, header: RunHeader) -> Profile:
    """The profile with a run's own target. A live one has to be named, unless the run has kept its profile.

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
    return profile.is_named and stored.phase != LOADING and _checks_otherwise(profile, stored)


def _checks_otherwise(profile: Profile, stored: StoredRun) -> bool:
    """Whether rows that were read already would be checked otherwise than the run's were."""
    if profile.fingerprint == stored.header.profile_hash:
        return False
    kept = kept_profile(stored)
    return kept is None or profile.checking != Profile().recalled(kept.settings, stored.header.run_id).checking


def require_own_run(
    profile: Profile, stored: StoredRun, file: Path | str, *, by_file: bool, may_check_again: bool
) -> None:
    """Refuse to take a file back under another target or profile than those of the run that it is from.

    Args:
        profile: as `recalled` gave it.
        file: as it was named, for messages.
        by_file: the file alone told the run: whoever names a target in any way means that one.
        may_check_again: whether the run's rows shall be checked under another profile.

    Raises:
        ReturnRefusedError: another one was named.
    """
    header = stored.header
    named = profile.target_origin == "option" or (by_file and profile.target_origin in {"environment", "profile"})
    if named and profile.target != header.target and not header.dry_run:
        rehearsed = " It was a rehearsal." if header.target == EMULATOR else ""
        raise ReturnRefusedError(
            f"The rows come back to the run {header.run_id}, which sends to '{header.target}', not to"
            f" '{profile.target}'.{rehearsed}",
            f"`{profile.commands.run(file, '--as-new')}` imports them there anew.",
        )
    if may_check_again or not _checks_otherwise(profile, stored):
        return
    if profile.is_named:
        raise ReturnRefusedError(
            f"The rows come back to the run {header.run_id}, which was checked under another profile.",
            "Leave --config out: the run keeps its own."
            f" `{profile.commands.check_again(header.run_id)}` checks its rows under the other one first.",
        )
    raise ReturnRefusedError(
        f"The run {header.run_id} has kept no profile: an earlier program made it.",
        "Name the profile of that time with --config.",
    )


def require_scope(where: Destination, header: RunHeader) -> None:
    """Refuse to go on elsewhere.

    Raises:
        SourceChangedError: the target's address or account is another one.
    """
    if where.scope != header.scope:
        raise SourceChangedError(
            f"The target '{header.target}' is not the one that the run {header.run_id} began with: its address or"
            " account changed.",
            "Use the profile and the credentials of the first time, or import the file as a new run.",
        )


def require_unchanged(workspace: Workspace, stored: StoredRun, profile: Profile) -> None:
    """Refuse to go on with another profile, or with a file that changed where it still lies.

    Raises:
        SourceChangedError: one of them is not that of the first time.
    """
    header = stored.header
    if profile.fingerprint != header.profile_hash:
        raise SourceChangedError(
            f"The profile is not the one that the run {header.run_id} began with: its [source], [mapping],"
            " [validation] or import key differ.",
            "Resume with the profile of the first time, or import the file as a new run.",
        )
    path = source_of(workspace.journal, stored)
    if path is not None and path.exists():
        require_content(header, path)


def require_content(header: RunHeader, path: Path) -> None:
    """Refuse a file that is not what the run began with.

    Raises:
        SourceChangedError: it is not.
    """
    if content_hash(path) != header.content_hash:
        raise SourceChangedError(
            f"The file {path} changed since the run {header.run_id} began.",
            "Put the file of that time back, or import the new one as a new run: rows that were created are known.",
        )


def source_of(journal: Journal, stored: StoredRun) -> Path | None:
    """The file of a run; None when it is gone, was fetched from elsewhere, or never was one."""
    return (
        None
        if stored.header.path == FRAME or is_remote(stored.header.path)
        else archive_index.source_of(journal, stored)
    )
