"""Whether a run may begin or go on. Sends and writes nothing: every refusal comes before the first request."""

from __future__ import annotations

from pathlib import Path

from importer.core.commands import FRAME
from importer.core.errors import AlreadyImportedError, ProfileError, ReturnRefusedError, SourceChangedError
from importer.journal import (
    FINISHED,
    EarlierRuns,
    RunHeader,
    StoredRun,
)
from importer.profile import EMULATOR, Profile
from importer.runs import archive_index
from importer.runs.kept_corrections import content_now, corrections_of
from importer.runs.kept_profile import checks_otherwise, kept_profile
from importer.runs.wiring import Destination, Workspace


def require_whole_rows(profile: Profile) -> None:
    """Refuse to make customers of rows that are changes of customers.

    Raises:
        ProfileError: the profile says that rows are.
    """
    if profile.validation.partial:
        raise ProfileError(
            "validation.partial is on: then rows are changes of customers that exist, and make no new ones.",
            f"Take it out of the profile; `{profile.commands.update('FILE')}` changes customers.",
        )


def refuse_repeated(before: EarlierRuns, header: RunHeader, sheet: str, profile: Profile) -> None:
    """Refuse content that was imported before, or still is, under whatever profile.

    Args:
        sheet: of a workbook the one that is read.

    Raises:
        AlreadyImportedError: it was, by the run that is named.
    """
    for earlier in before.of_content(header.scope, header.content_hash, sheet):
        if earlier.facts.job:  # it imported nothing
            continue
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
    """Return what differs from that time, in words; empty: nothing that decides anything."""
    differing = [] if earlier.header.target == profile.target else ["target"]
    if profile.fingerprint != earlier.header.profile_hash:
        kept = kept_profile(earlier)
        differing += profile.differs_from(kept.settings) if kept else ["its profile of then is not known"]
    return f" under other settings ({', '.join(differing)})" if differing else ""


def require_own_run(
    profile: Profile, stored: StoredRun, file: Path | str, *, by_file: bool, may_check_again: bool
) -> None:
    """Refuse to take a file back under another target or profile than those of the run that it is from.

    Args:
        profile: as `recalled` gave it.
        file: as it was named, for messages.
        by_file: the file alone named the run; a target that is named in any way is meant then.
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
            f"`{profile.commands.run(file, '--as-new')}` imports them there again.",
        )
    if may_check_again or not checks_otherwise(profile, stored):
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
    """Refuse to go on with another profile, or with a file that changed where it still is.

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
    path, corrections = archive_index.source_of(workspace.journal, stored), corrections_of(stored)
    if path is not None and path.exists() and (corrections is None or corrections.exists()):
        require_content(stored, path)


def require_content(stored: StoredRun, path: Path) -> None:
    """Refuse a file that is not, with its corrections, what the run began with.

    Raises:
        SourceChangedError: it is not.
        SourceError: the file or its corrections cannot be read.
    """
    header, corrections = stored.header, corrections_of(stored)
    if content_now(stored, path) != header.content_hash:
        what = f"The file {path}" if corrections is None else f"The file {path}, or its corrections in {corrections},"
        raise SourceChangedError(
            f"{what} changed since the run {header.run_id} began.",
            "Put the file of that time back, or import the new one as a new run: rows that were created are known.",
        )
