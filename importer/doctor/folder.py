"""The folder of `importer nightly`: whether a pass could take files and put them away, and what waits there.

Reads the folder, and changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from importer.core.errors import ExitCode, ImporterError
from importer.core.labels import counted
from importer.doctor.finding import Finding
from importer.inbox.folder import InboxFolder, is_planned
from importer.inbox.local_folder import LocalFolder
from importer.inbox.remote.folder import RemoteFolder
from importer.journal import locks_of
from importer.profile import Profile
from importer.profile.nightly import NightlySettings

_FULL = os.R_OK | os.W_OK | os.X_OK


def folders_of(folder: Path, settings: NightlySettings) -> list[Path]:
    """Where a pass puts files: while it works on them, and afterwards."""
    inbox = LocalFolder(folder, settings)
    approval = [inbox.approval] if os.access(inbox.approval, os.F_OK) else []
    return [inbox.processing, *approval, inbox.archive, inbox.failed]


def check_folder(folder: Path, settings: NightlySettings, *, at_work_is_well: bool = False) -> Iterator[Finding]:
    """Check a folder of this machine.

    Args:
        at_work_is_well: a pass under way is not a failure.
    """
    if not folder.is_dir():
        yield Finding.fail(
            "folder",
            f"there is no folder {folder}",
            "Name the folder that the files arrive in, or make it.",
            ExitCode.SOURCE,
        )
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield Finding.fail("folder", f"{folder} is not yours to read", "Fix its permissions.", ExitCode.SOURCE)
    else:
        yield from _places(folder, settings)
        inbox = LocalFolder(folder, settings)
        yield from _pass(inbox, at_work_is_well=at_work_is_well)
        yield from _waiting(inbox)
        yield from _unapproved(_claimed_in(inbox))


def check_remote_folder(address: str, profile: Profile) -> Iterator[Finding]:
    """Check a folder at an address; whether files can be moved there only a pass shows.

    Args:
        address: may hold a password, and is shown without.
    """
    try:
        inbox = RemoteFolder(address, profile)
        files, found, owner = inbox.scan(), inbox.claimed(), _owner(inbox.lock)
    except ImporterError as error:
        yield Finding.from_error("folder", error)
        return
    claimed = sum(not is_planned(path) for path in found)
    yield Finding.ok("folder", f"{inbox.shown}: files can be listed")
    yield _state(owner, f"{_files(claimed)} claimed" if claimed else "", at_work_is_well=False)
    yield Finding.ok("waiting", f"{len(files):,} file(s)" if files else "no file")
    yield from _unapproved(found)


def _places(folder: Path, settings: NightlySettings) -> Iterator[Finding]:
    closed = [place for place in (folder, *folders_of(folder, settings)) if not _is_usable(place)]
    for place in closed:
        yield Finding.fail(
            "folder", f"files cannot be moved into {place}", "The importer has to be able to write to this folder."
        )
    if not closed:
        yield Finding.ok("folder", f"{folder}: files can be taken, and put away")


def _is_usable(place: Path) -> bool:
    """Whether files can be moved into a folder, which may yet have to be made."""
    there = next(path for path in (place.absolute(), *place.absolute().parents) if os.access(path, os.F_OK))
    return there.is_dir() and os.access(there, _FULL)


def _pass(inbox: LocalFolder, *, at_work_is_well: bool) -> Iterator[Finding]:
    try:
        owner = _owner(inbox.lock)
    except ImporterError as error:
        yield Finding.from_error("night", error)
        return
    claimed = sum(not is_planned(path) for path in _claimed_in(inbox))
    left = f"{_files(claimed)} in {inbox.processing}" if claimed else ""
    yield _state(owner, left, at_work_is_well=at_work_is_well)


def _owner(lock: tuple[Path, str]) -> str:
    place, name = lock
    return locks_of(place).owner(name)


def _state(owner: str, left: str, *, at_work_is_well: bool) -> Finding:
    """Whether a pass is under way, or was cut off.

    Args:
        owner: of the folder's lock; empty: nobody.
        left: what a pass that was cut off left; empty: nothing.
    """
    if owner and at_work_is_well:
        return Finding.ok("night", f"one is at work in this folder ({owner})")
    if owner:
        return Finding.fail("night", f"one is at work in this folder ({owner})", "Wait for it to end.", ExitCode.BUSY)
    if left:
        message = f"an earlier one was cut off: {left}"
        return Finding.warn("night", message, "The next one goes on with that first, by itself.")
    return Finding.ok("night", "none is at work, and none was cut off")


def _claimed_in(inbox: LocalFolder) -> list[Path]:
    try:
        return inbox.claimed()
    except OSError:
        return []  # not made yet, or reported as unusable already


def _unapproved(claimed: Iterable[Path]) -> Iterator[Finding]:
    """How many files wait as plans; nothing where none does."""
    if waiting := sum(map(is_planned, claimed)):
        words = "waits for the approval of its plan" if waiting == 1 else "wait for the approval of their plans"
        yield Finding.ok("approvals", f"{_files(waiting)} {words}")


def _waiting(inbox: InboxFolder) -> Iterator[Finding]:
    try:
        files, links = inbox.scan(), inbox.links()
    except ImporterError as error:
        yield Finding.from_error("waiting", error)
        return
    size = sum(state.size for state in files.values())
    yield Finding.ok("waiting", f"{_files(len(files))}, {size / 1024**2:,.1f} MiB" if files else "no file")
    if links:
        fix = "Put the files themselves into the folder."
        yield Finding.warn("waiting", f"left alone: {counted(len(links), 'symbolic link')}", fix)


def _files(count: int) -> str:
    return f"{count:,} file{'s' if count != 1 else ''}"
