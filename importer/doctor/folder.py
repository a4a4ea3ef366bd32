"""The folder that files arrive in: whether a night could take them, put them away, and what lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from importer.core.errors import ExitCode, ImporterError
from importer.core.labels import counted
from importer.doctor.finding import Finding
from importer.inbox.local_folder import PROCESSING, Inbox
from importer.journal import lock_owner
from importer.profile.nights import NightlySettings

_FULL = os.R_OK | os.W_OK | os.X_OK


def folders_of(folder: Path, settings: NightlySettings) -> list[Path]:
    """Where a night puts files: while it works on them, and afterwards."""
    inbox = Inbox(folder, settings)
    return [folder / PROCESSING, inbox.archive, inbox.failed]


def check_folder(folder: Path, settings: NightlySettings, *, at_work_is_well: bool = False) -> Iterator[Finding]:
    """Check the folder of `importer nightly`.

    Args:
        at_work_is_well: a night that is at work there is not a failure.
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
        inbox = Inbox(folder, settings)
        yield from _night(inbox, at_work_is_well=at_work_is_well)
        yield from _waiting(inbox)


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


def _night(inbox: Inbox, *, at_work_is_well: bool) -> Iterator[Finding]:
    processing = inbox.folder / PROCESSING
    try:
        owner = lock_owner(*inbox.lock)
    except ImporterError as error:
        yield Finding.from_error("night", error)
        return
    if owner and at_work_is_well:
        yield Finding.ok("night", f"one is at work in this folder ({owner})")
    elif owner:
        yield Finding.fail("night", f"one is at work in this folder ({owner})", "Wait for it to end.", ExitCode.BUSY)
    elif begun := _begun(processing):
        message = f"an earlier one was cut off: {_files(begun)} in {processing}"
        yield Finding.warn("night", message, "The next one goes on with that first, by itself.")
    else:
        yield Finding.ok("night", "none is at work, and none was cut off")


def _begun(place: Path) -> int:
    try:
        return sum(path.is_file() for path in place.iterdir())
    except OSError:
        return 0  # not made yet, or said to be unusable already


def _waiting(inbox: Inbox) -> Iterator[Finding]:
    try:
        files, links = inbox.look(), inbox.links()
    except ImporterError as error:
        yield Finding.from_error("waiting", error)
        return
    size = sum(seen.size for seen in files.values())
    yield Finding.ok("waiting", f"{_files(len(files))}, {size / 1024**2:,.1f} MiB" if files else "no file")
    if links:
        fix = "Put the files themselves into the folder."
        yield Finding.warn("waiting", f"left alone: {counted(len(links), 'symbolic link')}", fix)


def _files(count: int) -> str:
    return f"{count:,} file{'s' if count != 1 else ''}"
