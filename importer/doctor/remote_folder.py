"""A folder at an address: whether a night could reach it, and what waits there. Reads its list, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from importer.core.errors import ExitCode, ImporterError
from importer.doctor.finding import Finding
from importer.inbox.remote.arriving import RemoteInbox
from importer.journal import lock_owner
from importer.profile import Profile


def check_elsewhere(address: str, profile: Profile) -> Iterator[Finding]:
    """Check the folder of `importer nightly` that lies elsewhere; whether files can be moved there only a night shows.

    Args:
        address: may hold a password, and is shown without.
    """
    try:
        inbox = RemoteInbox(address, profile)
        files, begun, owner = inbox.look(), len(inbox.begun()), lock_owner(*inbox.lock)
    except ImporterError as error:
        yield Finding.from_error("folder", error)
        return
    yield Finding.ok("folder", f"{inbox.shown}: files can be listed")
    if owner:
        yield Finding.fail("night", f"one is at work in this folder ({owner})", "Wait for it to end.", ExitCode.BUSY)
    elif begun:
        fix = "The next one goes on with that first, by itself."
        yield Finding.warn("night", f"an earlier one was cut off; files of it that are begun: {begun:,}", fix)
    else:
        yield Finding.ok("night", "none is at work, and none was cut off")
    yield Finding.ok("waiting", f"{len(files):,} file(s)" if files else "no file")
