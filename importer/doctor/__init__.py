"""`importer doctor`: everything that a run depends on, looked at before the run does.

Changes nothing: makes no workspace, upgrades no journal, creates no customer. The one request it sends is a
real exchange of the credentials for a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from importer.doctor.finding import Finding, exit_code
from importer.doctor.machine import check_disk, check_extras, check_limits
from importer.doctor.target import check_target, known_destination
from importer.doctor.workspace import check_workspace
from importer.errors import ProfileError
from importer.profile import Profile

__all__ = ["Finding", "examine", "exit_code"]


async def examine(load: Callable[[], Profile], environ: Mapping[str, str]) -> list[Finding]:
    """Check everything, in the order in which a run would stumble over it.

    Args:
        load: puts the profile together.
        environ: where credentials are looked for.
    """
    try:
        profile = load()
    except ProfileError as error:
        return [Finding.from_error("profile", error)]
    where = known_destination(profile, environ)
    return [
        _profile(profile),
        *await check_target(profile, environ),
        *check_limits(profile),
        *check_extras(profile, environ),
        *check_workspace(profile.workspace, where.scope if where else ""),
        *check_disk(profile.workspace),
    ]


def _profile(profile: Profile) -> Finding:
    columns = f"{len(profile.mapping)} fields mapped" if profile.mapping else "columns are matched by name"
    return Finding.ok("profile", f"{profile.file or 'the defaults'}: {columns}")
