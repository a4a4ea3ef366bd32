"""The workspace: permissions, journal, secret, lock, account, and how the last run ended. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from importer.core.commands import Commands, quoted
from importer.core.errors import ExitCode, ImporterError, UnknownAccountError
from importer.doctor.finding import OTHERS, Finding
from importer.journal import (
    FINISHED,
    STOPPED,
    JournalAccess,
    JournalFacts,
    Location,
    examine_access,
    examine_journal,
    known_secret,
    locks_of,
    open_journal,
)
from importer.profile import Profile
from importer.runs.accounts import account_on_record
from importer.runs.wiring import Destination

_DDL = "configs/journal_roles.sql"
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def check_account(profile: Profile, where: Destination | None) -> tuple[str, list[Finding]]:
    """Check whether a run would ask which account the API key belongs to.

    Args:
        where: the destination of a run; None: it is not known.

    Returns:
        The scope that a run would send to, empty when that is not known; and what is wrong.
    """
    if where is None:
        return "", []
    try:
        found = account_on_record(profile.workspace, where)
    except UnknownAccountError as error:
        return where.scope, [] if profile.account_of else [Finding.from_error("account", error)]
    except ImporterError:
        return where.scope, []  # the checks of the workspace say what is wrong with it
    return found.called_before or found.scope, []


def check_workspace(workspace: Path, scope: str, *, at_work_is_well: bool = False) -> Iterator[Finding]:
    """Check everything that runs keep.

    Args:
        scope: where a run would send to; empty when that is not known.
        at_work_is_well: a lock that a run holds is not a failure.
    """
    if not workspace.exists():
        yield _could_be_made(workspace)
        return
    yield from _permissions(workspace)
    if not _is_usable(workspace):
        return
    journal = Location.of_workspace(workspace)
    if not journal.exists:
        yield Finding.ok("journal", "there is none yet")
        return
    try:
        access = examine_access(journal)
        yield from check_access(access) if access else ()
        if access and access.missing:
            return
        facts = examine_journal(journal)
    except ImporterError as error:
        yield Finding.from_error("journal", error)
        return
    yield _journal(journal, facts)
    yield from _integrity(journal, facts)
    yield _secret(workspace)
    yield from _lock(workspace, scope, at_work_is_well=at_work_is_well)
    yield from _last_run(workspace, facts)


def check_access(access: JournalAccess) -> Iterator[Finding]:
    """Compare what the user of a journal in PostgreSQL may do with what a runner needs, and look at the connection."""
    for right in access.missing:
        yield Finding.fail(
            "rights",
            f"{access.user} lacks {right.what} in the journal's database",
            f"Have the journal's owner run: {right.grant} ({_DDL} has all that is needed.)",
        )
    if access.excessive:
        yield Finding.warn(
            "rights",
            f"{access.user} {' and '.join(access.excessive)}: more than a runner needs",
            f"Run with a member of the role that {_DDL} makes; keep this user for upgrades of the journal.",
        )
    elif not access.missing:
        yield Finding.ok("rights", f"{access.user} has those that a runner needs")
    if access.remote_host:
        yield _encryption(access)


def _encryption(access: JournalAccess) -> Finding:
    if access.encryption in _ENCRYPTED:
        return Finding.ok("encryption", f"to {access.remote_host}: sslmode={access.encryption}")
    return Finding.warn(
        "encryption",
        f"customers' data goes to {access.remote_host} with sslmode={access.encryption}: not surely encrypted",
        "Add ?sslmode=verify-full to the journal's address, with sslrootcert where the authority is your own.",
    )


def _could_be_made(workspace: Path) -> Finding:
    parent = next(path for path in workspace.absolute().parents if path.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return Finding.ok("workspace", f"{workspace} will be made")
    return Finding.fail(
        "workspace",
        f"{workspace} cannot be made: {parent} is not writable for you",
        "Make that folder writable for you.",
    )


def _permissions(workspace: Path) -> Iterator[Finding]:
    if not workspace.is_dir():
        yield Finding.fail("workspace", f"{workspace} is not a folder", "Move that file away.")
    elif not _is_usable(workspace):
        yield Finding.fail("workspace", f"{workspace} is not writable for you", "Fix its owner or its permissions.")
    else:
        open_to_others = [path for path in _private(workspace) if path.stat().st_mode & OTHERS]
        if open_to_others:
            names = " ".join(quoted(str(path)) for path in open_to_others)
            yield Finding.warn("permissions", f"others may look into {names}", f"chmod go= {names}")
        else:
            yield Finding.ok("permissions", f"only you can read {workspace}")


def _is_usable(workspace: Path) -> bool:
    return workspace.is_dir() and os.access(workspace, os.R_OK | os.W_OK | os.X_OK)


def _private(workspace: Path) -> list[Path]:
    """Files that hold personal data or the secret."""
    files = [path for path in workspace.iterdir() if path.is_file()]
    return [workspace, *sorted(files)]


def _journal(location: Location, facts: JournalFacts) -> Finding:
    path = location.path
    if facts.version > facts.known:
        return Finding.fail(
            "journal",
            f"a newer importer wrote it (format {facts.version}, this one knows {facts.known})",
            "Use the newer program.",
        )
    if facts.damage:
        return Finding.fail("journal", f"{path} is damaged: {facts.damage}", "Restore it from a backup.")
    if not os.access(path, os.W_OK):
        return Finding.fail("journal", f"{path} is not writable for you", "Fix its owner or its permissions.")
    if facts.version < facts.known:
        return Finding.ok("journal", f"sound; format {facts.version} will be upgraded, with a copy of it first")
    return Finding.ok("journal", f"sound, in {location.place}" if location.url else "sound")


def _integrity(location: Location, facts: JournalFacts) -> Iterator[Finding]:
    """A journal that lost its last writes, or a copy: no run would begin."""
    if facts.damage or facts.version != facts.known:
        return
    try:
        with closing(open_journal(location, writes=False)) as journal:
            journal.check_integrity()
    except ImporterError as error:
        yield Finding.from_error("journal", error)


def _secret(workspace: Path) -> Finding:
    """Without its secret a journal no longer recognises its rows."""
    try:
        secret = known_secret(Location.of_workspace(workspace))
    except ImporterError as error:
        return Finding.from_error("secret", error)
    if secret is None:
        return Finding.fail(
            "secret",
            "the workspace's secret is gone: rows of earlier runs would not be recognised, and be created twice",
            "Restore import-key.secret from a backup.",
        )
    return Finding.ok("secret", "present and valid")


def _lock(workspace: Path, scope: str, *, at_work_is_well: bool) -> Iterator[Finding]:
    if not scope:
        return
    try:
        owner = locks_of(workspace).owner(scope)
    except ImporterError as error:
        yield Finding.from_error("lock", error)
        return
    if owner and at_work_is_well:
        yield Finding.ok("lock", f"a run is at work ({owner})")
    elif owner:
        yield Finding.fail("lock", f"another run is at work ({owner})", "Wait for it to end.", ExitCode.BUSY)
    else:
        yield Finding.ok("lock", "free")


def _last_run(workspace: Path, facts: JournalFacts) -> Iterator[Finding]:
    if not facts.last_run:
        yield Finding.ok("last run", "there is none yet")
    elif facts.last_phase == FINISHED:
        yield _finished(workspace, facts)
    elif facts.last_phase == STOPPED:
        yield Finding.warn("last run", f"{facts.last_run} was stopped", Commands(workspace).resume(facts.last_run))
    elif locks_of(workspace).owner(facts.last_scope):
        yield Finding.ok("last run", f"{facts.last_run} is at work")
    else:
        yield Finding.warn("last run", f"{facts.last_run} was cut off", Commands(workspace).resume(facts.last_run))


def _finished(workspace: Path, facts: JournalFacts) -> Finding:
    if not facts.last_exit_code:
        return Finding.ok("last run", f"{facts.last_run} finished")
    return Finding.warn(
        "last run",
        f"{facts.last_run} finished, and not every row was created (exit code {facts.last_exit_code})",
        Commands(workspace).show(facts.last_run),
    )
