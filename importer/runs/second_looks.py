"""Looking again at rows that were sent more than once, where no run is on: before `show`, and before a night's files.

What is found is recorded, and the files of the run are written anew. Never sends anything, and never fails a command.
"""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path

from importer.core.errors import ImporterError
from importer.journal import Location
from importer.profile import Profile
from importer.runs.session import Session
from importer.runs.wiring import open_workspace


def look_again(profile: Profile, name: str) -> str:
    """Look again at what a run sent more than once, where that is due and the target can be asked.

    Args:
        name: a run id, a unique prefix of one, or `last`.

    Returns:
        A sentence for people about what could not be looked at; empty: there is nothing to say.
    """
    try:
        if not _is_needed(profile.workspace, name):
            return ""
        asyncio.run(Session(profile, "retry").look_again(name))
    except ImporterError as error:
        return f"Rows of this run were sent more than once, and could not be looked at again. {error.message}"
    return ""


async def look_again_at_all(profile: Profile) -> None:
    """Look again at what every run of the profile's target sent more than once; what cannot be asked waits."""
    for run_id in await asyncio.to_thread(_waiting, profile):
        with suppress(ImporterError):
            await Session(profile, "nightly").look_again(run_id)


def _is_needed(workspace: Path, name: str) -> bool:
    if not Location.of_workspace(workspace).exists:
        return False
    with suppress(ImporterError), closing(open_workspace(workspace, create=False)) as opened:
        return opened.runs.has_resent(opened.runs.find(name).run)
    return False  # whoever asked for it says what is wrong with it


def _waiting(profile: Profile) -> list[str]:
    if not Location.of_workspace(profile.workspace).exists:
        return []
    with closing(open_workspace(profile.workspace, create=False)) as opened:
        return list(opened.journal.earlier.with_resent(profile.target))
