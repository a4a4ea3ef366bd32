"""`importer doctor`: checks everything that a run or `nightly` depends on, before it begins.

Changes nothing: makes no workspace, upgrades no journal, creates no customer. The one request it sends is a
real exchange of the credentials for a token; offline it sends none, and a run that is at work is not a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from importer.core.errors import ImporterError, ProfileError
from importer.core.labels import counted
from importer.core.ports import Clock
from importer.doctor.approval import check_approval
from importer.doctor.finding import Finding, exit_code
from importer.doctor.folder import check_folder, check_remote_folder, folders_of
from importer.doctor.machine import check_disk, check_engine, check_extras, check_limits
from importer.doctor.monitoring import check_metrics, check_notifications
from importer.doctor.schedule import check_hours, check_quota
from importer.doctor.target import check_target, known_destination
from importer.doctor.workspace import check_account, check_workspace
from importer.profile import Profile
from importer.runs.plans.gate import requirement
from importer.runs.wiring import Destination, SystemClock
from importer.runs.wiring.remote_sources import is_remote

__all__ = ["Finding", "examine", "exit_code"]


async def examine(
    load: Callable[[], Profile],
    environ: Mapping[str, str],
    folder: str = "",
    clock: Clock | None = None,
    *,
    offline: bool = False,
) -> list[Finding]:
    """Check everything, in the order in which a run needs it.

    Args:
        load: loads the profile.
        environ: where credentials are looked for.
        folder: the one that `importer nightly` is given; empty: there are no nights.
        clock: None: the system's.
        offline: leave out what needs the network, and do not fail because a run or `nightly` is at work: whether this
            installation is healthy, not whether a run could start now.
    """
    try:
        profile = load()
    except ProfileError as error:
        return [Finding.from_error("profile", error)]
    now, where = (clock or SystemClock()).now(), known_destination(profile, environ)
    scope, account = check_account(profile, where)
    return [
        _profile(profile),
        *_transform(profile),
        *_documents(profile, folder),
        *await check_target(profile, environ, offline=offline, of_inbox=bool(folder)),
        *account,
        *check_approval(profile, environ),
        *check_limits(profile),
        *check_extras(profile),
        *await check_engine(profile, offline=offline),
        *check_notifications(profile, environ),
        *check_hours(profile, environ, now),
        *check_quota(profile, scope, now),
        *check_workspace(profile.workspace, scope, at_work_is_well=offline),
        *_folder(folder, profile, offline=offline),
        *_night_key(folder, profile, where),
        *check_disk(profile.workspace, _filled(folder, profile)),
        *check_metrics(profile.metrics),
    ]


def _folder(folder: str, profile: Profile, *, offline: bool) -> Iterator[Finding]:
    if is_remote(folder) and offline:
        yield Finding.ok("folder", "at an address: not checked (--offline)")
    elif is_remote(folder):
        yield from check_remote_folder(folder, profile)
    elif folder:
        yield from check_folder(Path(folder), profile.nightly, at_work_is_well=offline)


def _night_key(folder: str, profile: Profile, where: Destination | None) -> Iterator[Finding]:
    """Say that no author will sign the plans of the nights, where the target takes only approved ones."""
    if not folder or where is None or profile.approval.key:
        return
    with suppress(ImporterError):  # reported with the policy
        if requirement(profile, where) is not None:
            yield Finding.ok("night key", "none ([approval] key): approvers have to give every signature of its plans")


def _filled(folder: str, profile: Profile) -> list[Path]:
    """Folders for results besides the workspace."""
    copies = [profile.results.out] if profile.results.out else []
    nights = folders_of(Path(folder), profile.nightly) if folder and not is_remote(folder) else []
    return [*copies, *nights]


def _transform(profile: Profile) -> Iterator[Finding]:
    """Load the user's own function, where the profile names one; it is not called."""
    if not profile.transform.function:
        return
    from importer.mapping import load_transform  # noqa: PLC0415  # pandas takes long to load, and few profiles have one

    try:
        load_transform(profile.transform)
    except ImporterError as error:
        yield Finding.from_error("transform", error)
    else:
        yield Finding.ok("transform", f"{profile.transform.function} can be loaded")


def _documents(profile: Profile, folder: str) -> Iterator[Finding]:
    """Check where the files of documents are, where the profile maps some."""
    from importer.runs.documents import DocumentSources, files_among  # noqa: PLC0415  # loads what reads sources

    if not profile.after_create.documents or not files_among(profile.contract, profile.mapping):
        return
    there = profile.documents.folder
    if not there.is_absolute() and (not folder or is_remote(folder)):
        yield Finding.ok("documents", f"'{there}' beside each source: checked when one is read")
        return
    try:
        sources = DocumentSources.of(profile, str(Path(folder) / "source"))
    except ProfileError as error:
        yield Finding.from_error("documents", error)
    else:
        yield Finding.ok("documents", f"{sources.folder.path} is there")


def _profile(profile: Profile) -> Finding:
    columns = f"{counted(len(profile.mapping), 'field')} mapped" if profile.mapping else "columns are matched by name"
    return Finding.ok("profile", f"{profile.file or 'the defaults'}: {columns}")
