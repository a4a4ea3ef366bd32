"""A Dask cluster of this machine alone: it is started with a run, and ends with it.

A Dask worker runs whatever it is sent: nobody else can reach these, not even other users of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from importer.engines.dask.connection import Connection, quiet
from importer.engines.dask.sealed import Peer
from importer.engines.dask.worker import LocalWorker, Start

if TYPE_CHECKING:
    from distributed import Security

_SETTINGS = {
    # A task counts as suspect each time that a worker dies with it in its queue, innocent or not. One more try each: a
    # batch that kills workers ends two of them, and is then done in this process, as one that was merely nearby is.
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.worker.profile.enabled": False,
    "distributed.diagnostics.nvml": False,
}


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """Worker processes of this machine, which nobody else can reach: they know a certificate that nobody else has.

    Args:
        workers: how many.
        environ: what they need of this process's environment, and no other process may see.
    """

    workers: int
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def peer(self, secret: bytes | None) -> Peer:
        return Peer.here(secret)

    @contextmanager
    def connected(self, secret: bytes | None) -> Iterator[Connection]:
        with quiet(), ExitStack() as stack:
            import dask  # noqa: PLC0415  # a second, and only for whoever uses it
            from distributed import Client, Security  # noqa: PLC0415
            from distributed import LocalCluster as Scheduler  # noqa: PLC0415

            security = Security.temporary()
            # Dask looks for modules in its folder: nobody else may write there.
            folder = stack.enter_context(TemporaryDirectory(prefix="importer-dask-", ignore_cleanup_errors=True))
            stack.enter_context(dask.config.set({**_SETTINGS, "temporary-directory": folder}))
            there = stack.enter_context(
                Scheduler(
                    n_workers=0,
                    processes=False,
                    protocol="tls://",
                    host="127.0.0.1",
                    dashboard_address=None,
                    security=security,
                )
            )
            with suppress(OSError):  # the system refuses another process: there are fewer
                for _ in range(self.workers):
                    how = Start(there.scheduler_address, _as_arguments(security), folder, secret, self.environ)
                    worker = LocalWorker.start(how)
                    stack.callback(worker.end)
            connection = Connection(Client(there, set_as_default=False, direct_to_workers=True))
            stack.callback(connection.close)
            yield connection


def _as_arguments(security: Security) -> dict[str, Any]:
    names = ("tls_ca_file", "tls_worker_key", "tls_worker_cert")
    return {"require_encryption": True, **{name: getattr(security, name) for name in names}}
