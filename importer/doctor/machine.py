"""The machine: disk, open files, the libraries that the profile needs, and the cluster that it names."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from importer.core.distribution import how_to_install
from importer.core.errors import ExitCode, ImporterError
from importer.core.labels import counted
from importer.core.runtime import beside_the_loop
from importer.doctor.finding import Finding
from importer.journal import Location
from importer.profile import HARMLESS_TARGETS, Profile
from importer.runs.wiring.engine import cluster_of, sent_to_by_workers, workers_of

_TOO_LITTLE_BYTES = 64 * 1024**2
_LITTLE_BYTES = 1024**3
_OWN_FILES = 64
"""Open files that a run needs beside its connections: journal, log, results, libraries."""


def check_limits(profile: Profile) -> Iterator[Finding]:
    """How fast a run would be, what would stop it, and whether it may open as many connections as it needs."""
    delivery = profile.delivery
    state = f"at most {delivery.rate}, {delivery.concurrency} rows at once"
    needed, allowed = delivery.concurrency + _OWN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        yield Finding.fail(
            "limits",
            f"{state}: this needs {needed} open files, and {allowed} are allowed",
            "Raise the limit (ulimit -n, LimitNOFILE), or lower delivery.concurrency.",
        )
    elif profile.target not in HARMLESS_TARGETS and delivery.max_errors is None and delivery.max_error_rate is None:
        yield Finding.warn(
            "limits",
            f"{state}; nothing stops a run in which every row is refused",
            "Set delivery.max_error_rate or delivery.max_errors.",
        )
    else:
        yield Finding.ok("limits", state)


def check_extras(profile: Profile) -> Iterator[Finding]:
    """Whether the libraries of optional settings are installed; `check_notifications` checks its own."""
    for wanted, module, group in _EXTRAS:
        if wanted(profile) and not _installed(module):
            yield Finding.fail(
                "libraries",
                f"{group} is asked for, and its library is not installed",
                how_to_install(group),
                ExitCode.USAGE,
            )


_EXTRAS: tuple[tuple[Callable[[Profile], bool], str, str], ...] = (
    (lambda profile: profile.metrics.wanted, "prometheus_client", "metrics"),
    (lambda profile: profile.otel.enabled, "opentelemetry.sdk", "otel"),
)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


async def check_engine(profile: Profile, *, offline: bool) -> list[Finding]:
    """Connect to the scheduler that the profile names, compare its workers with this program, and ask what they lack.

    Args:
        offline: connect to nothing.
    """
    return [await beside_the_loop(_engine, profile, offline=offline)] if profile.engine.kind == "dask" else []


def _engine(profile: Profile, *, offline: bool) -> Finding:
    scheduler = profile.engine.scheduler
    try:
        cluster_of(profile)
        if not scheduler:
            return Finding.ok("engine", "dask, a cluster of this machine alone")
        if offline:
            return Finding.ok("engine", f"dask at {scheduler}: not checked (--offline)")
        sending_to = sent_to_by_workers(profile)
        workers = counted(workers_of(profile, sending_to=sending_to), "worker")
    except ImporterError as error:
        return Finding.from_error("engine", error)
    able = " with the variables that sending needs" if sending_to else ""
    return Finding.ok("engine", f"dask at {scheduler}: {workers} of this version{able}")


def _free_bytes(place: Path) -> int:
    return shutil.disk_usage(place).free


def check_disk(
    workspace: Path, more_folders: Sequence[Path] = (), free_bytes: Callable[[Path], int] = _free_bytes
) -> Iterator[Finding]:
    """Whether there is room for a journal, for results, and for a rewritten journal.

    Args:
        more_folders: further folders that will be filled; one on the same disk gets no line of its own.
        free_bytes: measures a folder that exists.
    """
    needed, seen = 2 * Location.of_workspace(workspace).size_bytes, set[int]()
    for folder in (workspace, *more_folders):
        place = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.access(path, os.F_OK))
        disk = place.stat().st_dev
        if disk not in seen:
            yield _room(folder, free_bytes(place), needed if folder == workspace else 0)
        seen.add(disk)


def _room(folder: Path, free: int, needed: int) -> Finding:
    state = f"{free / 1024**3:,.1f} GiB are free where {folder} is"
    if free < _TOO_LITTLE_BYTES:
        return Finding.fail("disk", state, "Free some space, or use another folder.")
    if free < max(_LITTLE_BYTES, needed):
        return Finding.warn("disk", state, "Free some space; a purge removes what old runs keep.")
    return Finding.ok("disk", state)
