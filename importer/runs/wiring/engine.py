"""What checks the rows of a source, and sends them: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.errors import UsageError
from importer.core.ports import Stop
from importer.core.target_kinds import target_kind
from importer.engines import ALONE, Pool, cores
from importer.engines.worker import without_secrets
from importer.journal import Location, known_secret
from importer.profile import Profile

if TYPE_CHECKING:
    from importer.engines.dask import Cluster


JOURNAL = "IMPORTER_JOURNAL"
"""The variable that names the journal of a worker."""


def processes_of(profile: Profile) -> int:
    """How many processes check a large source."""
    chosen = profile.source.processes
    return cores() if chosen == "auto" else chosen


def require_sendable(profile: Profile, *, embedded: bool) -> None:
    """Refuse to send on workers what they could not send.

    Args:
        embedded: rows go to the emulator inside the run.

    Raises:
        UsageError: the journal is a file, or the target is inside this process, or Dask is not installed.
    """
    if profile.engine.kind != "dask":
        return
    here = "To send from this process, use --engine asyncio (or IMPORTER_ENGINE__KIND=asyncio)."
    if not _has_shared_journal(profile):
        raise UsageError(
            "The engine 'dask' sends only where the journal is in PostgreSQL: all workers share it.",
            f"Set IMPORTER_JOURNAL, or [journal] url in the profile. {here}",
        )
    if embedded:
        raise UsageError(
            "The engine 'dask' cannot send to the emulator inside the run: it lives in this process alone.",
            f"Start it as a server, by its own command, and name that as a target. {here}",
        )
    cluster_of(profile)


def _has_shared_journal(profile: Profile) -> bool:
    return bool(profile.journal.url or Location.of_workspace(profile.workspace).url)


def require_files_at_hand(profile: Profile) -> None:
    """Refuse to look for files of documents where they may not be.

    Raises:
        UsageError: rows are checked on other machines.
    """
    if profile.engine.kind == "dask" and profile.engine.scheduler.startswith("tls://"):
        raise UsageError(
            "The files of documents are on this machine, and workers of a scheduler at tls:// may be elsewhere.",
            "Import or check such a file with --engine asyncio, or with --engine dask and no scheduler.",
        )


@contextmanager
def dask_pool(profile: Profile, stop: Stop, secret: bytes | None) -> Iterator[Pool]:
    """Have the workers of the profile's cluster for the length of a block.

    Args:
        secret: of the workspace, which workers have to have; None: there is none.

    Raises:
        UsageError: the cluster cannot be used, or Dask is not installed.
        TryLaterError: the scheduler does not answer, or has no workers.
    """
    from importer.engines.dask import DaskPool  # noqa: PLC0415  # loaded by whoever uses it

    cluster = cluster_of(profile)
    is_named = bool(profile.engine.scheduler)
    pool = DaskPool(cluster, secret, lambda: stop.requested, alone=0 if is_named else ALONE)
    try:
        if is_named:
            pool.start()
        yield pool
    finally:
        pool.close()


def workers_of(profile: Profile, *, sending_to: str = "") -> int:
    """How many workers the scheduler has that a profile names, once they are found to be what is needed.

    Args:
        sending_to: the kind of target that they have to be able to send to; empty: to none.

    Raises:
        UsageError: one is not, or Dask is not installed.
        TryLaterError: the scheduler does not answer, or has none.
    """
    with cluster_of(profile).connected(known_secret(Location.of_workspace(profile.workspace))) as connection:
        if sending_to:
            from importer.engines.dask import require_able  # noqa: PLC0415  # loaded by whoever uses it

            require_able(connection, partial(what_is_not_set, sending_to))
        return connection.workers


def sent_to_by_workers(profile: Profile) -> str:
    """The kind of target that workers would send to; empty: they check only, or the target is not known."""
    try:
        target = profile.target_settings()
    except UsageError:
        return ""
    return target.kind if target.base_url and _has_shared_journal(profile) else ""


def what_is_not_set(kind: str, environ: Mapping[str, str] = os.environ) -> str:
    """Name the variables that this process lacks to send to a kind of target; empty: none. Looks at no value."""
    names = [one.variable for one in target_kind(kind).credentials]
    missing = [] if environ.get(JOURNAL) else [JOURNAL]  # never in a file: it holds no password
    missing += [name for name in names if not environ.get(name) and not environ.get(f"{name}_FILE")]
    if not missing:
        return ""
    are = "is" if len(missing) == 1 else "are"
    listed = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
    return f"{listed} {are} not set in its environment. Set the same there as here."


def cluster_to_send(profile: Profile, environ: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster that a profile names, to send from; errors as of `cluster_of`.

    The workers of this machine alone get what they need of this process's environment by their pipe; any others have
    to have it in their own.
    """
    from importer.engines.dask import LocalCluster  # noqa: PLC0415  # likewise

    if profile.engine.scheduler:
        return cluster_of(profile)
    kept = without_secrets(environ)
    private = {name: value for name, value in environ.items() if name not in kept}
    return LocalCluster(processes_of(profile), {**private, JOURNAL: Location.of_workspace(profile.workspace).url})


def secret_of_worker() -> bytes | None:
    """The secret that the journal has which this worker's environment names; None: it names none, or none has one.

    Raises:
        ImporterError: the journal cannot be read, or its secret is kept elsewhere.
    """
    url = os.environ.get(JOURNAL, "")
    return known_secret(Location(Path(), url)) if url else None


def cluster_of(profile: Profile) -> Cluster:
    """The cluster that a profile names; nothing is started or connected to.

    Raises:
        UsageError: Dask is not installed.
    """
    from importer.engines.dask import Certificates, LocalCluster, NamedCluster, require_dask  # noqa: PLC0415  # likewise

    engine = profile.engine
    require_dask()
    if not engine.scheduler:
        return LocalCluster(processes_of(profile))
    certificates = Certificates(engine.tls_ca, engine.tls_cert, engine.tls_key)
    return NamedCluster(engine.scheduler, certificates, secret_of_worker)
