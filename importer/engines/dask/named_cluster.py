"""The workers of a scheduler that somebody runs, and whether rows may be sent to them.

A Dask worker runs whatever it is sent, so rows go to a cluster only that nobody else reaches, or with certificates; and
only to workers that check them exactly as this process does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from importer.core.errors import TryLaterError, UsageError
from importer.core.labels import counted
from importer.core.loopback import is_loopback
from importer.engines.dask.connection import Connection, quiet
from importer.engines.dask.sealed import Finder, Peer
from importer.engines.dask.worker import SECRET_VARIABLE, about

if TYPE_CHECKING:
    from distributed import Security

_CONNECT_S = 10.0
"""How long a scheduler, and then its first worker, is waited for."""
_INTRODUCTION_S = 20.0
"""How long workers have to say what they are: one that loads the program for the first time takes seconds."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What this program shows a scheduler; None: what Dask's own settings name (`distributed.comm.tls`).

    Args:
        authority: the certificate of who signed those of the cluster.
        own: this program's certificate.
        key: its private key.
    """

    authority: Path | None = None
    own: Path | None = None
    key: Path | None = None

    def security(self) -> Security:
        """Give them to Dask.

        Raises:
            UsageError: one is missing.
        """
        from distributed import Security  # noqa: PLC0415  # a second, and only for whoever uses it

        given = {"tls_ca_file": self.authority, "tls_client_cert": self.own, "tls_client_key": self.key}
        found = Security(
            require_encryption=True, **{name: str(path) for name, path in given.items() if path is not None}
        )
        for name, key in (("tls_ca_file", "tls_ca"), ("tls_client_cert", "tls_cert"), ("tls_client_key", "tls_key")):
            path = getattr(found, name)
            if path is None and name != "tls_client_key":  # which may be in the certificate's file
                raise UsageError(
                    f"A scheduler at tls:// needs a certificate: {key} is not set.",
                    f"Set [engine] {key}, or Dask's own setting.",
                )
            if path is not None and not Path(path).is_file():
                raise UsageError(f"There is no file '{path}'.", f"Correct [engine] {key}, or Dask's own setting.")
        return found


@dataclass(frozen=True, slots=True)
class NamedCluster:
    """The workers of a scheduler that somebody runs.

    Args:
        address: of the scheduler, tcp:// on this machine, tls:// anywhere.
        find: how a worker finds the workspace's secret that was not started with it; None: it does not look for it.
    """

    address: str
    certificates: Certificates = field(default_factory=Certificates)
    find: Finder | None = None

    def peer(self, secret: bytes | None) -> Peer:
        return Peer.here(secret, self.find)

    @contextmanager
    def connected(self, secret: bytes | None) -> Iterator[Connection]:
        with quiet(), ExitStack() as stack:
            connection = self._connection()
            stack.callback(connection.close)
            self._introduce(connection, self._workers(connection), self.peer(secret))
            yield connection

    def _connection(self) -> Connection:
        from distributed import Client  # noqa: PLC0415  # a second, and only for whoever uses it

        security = self.certificates.security() if self.address.startswith("tls://") else None
        try:
            client = Client(self.address, security=security, timeout=_CONNECT_S, set_as_default=False)
        except Exception as error:  # noqa: BLE001  # whatever Dask raises
            raise TryLaterError(
                f"No Dask scheduler answers at {self.address} ({type(error).__name__}).",
                f"Start it, or correct [engine] scheduler{self._of_certificates}.",
            ) from None
        return Connection(client)

    @property
    def _of_certificates(self) -> str:
        return " and the certificates" if self.address.startswith("tls://") else ""

    def _workers(self, connection: Connection) -> int:
        """How many workers it has, when there is at least one.

        Raises:
            TryLaterError: there is none.
            UsageError: one is reached without encryption, and not on this machine.
        """
        until = monotonic() + _CONNECT_S
        while not connection.workers:
            if monotonic() > until:
                raise TryLaterError(
                    f"The Dask scheduler at {self.address} has no workers.", f"Start one: dask worker {self.address}"
                )
            connection.pause()
        found = connection.identity()
        require_private(self.address, [found["address"], *found["workers"]])
        return len(found["workers"])

    def _introduce(self, connection: Connection, workers: int, here: Peer) -> None:
        """Compare what workers are with what this process is; one that says nothing now is asked again with its work.

        Raises:
            TryLaterError: none says anything.
            UsageError: one is another program, or has not the same secret.
        """
        answers = connection.ask_all(about, here, wait_s=_INTRODUCTION_S)
        for place, answer in answers.items():
            if answer.exception() is not None:
                raise UsageError(
                    f"The Dask worker {place} cannot load this program ({type(answer.exception()).__name__}).",
                    "Install the same version, with the group 'dask', where scheduler and workers run.",
                )
            compare(place, answer.result(), here)
        if not answers:
            raise TryLaterError(
                f"None of the workers of the Dask scheduler at {self.address} answers.",
                f"Look at their logs: it has {counted(workers, 'worker')}.",
            )


def require_private(address: str, places: Iterable[str]) -> None:
    """Refuse a cluster that other machines reach without a certificate.

    Args:
        places: the addresses of its scheduler and its workers, as they say themselves.

    Raises:
        UsageError: one of them is not encrypted, and not of this machine alone.
    """
    for place in places:
        if not (place.startswith("tls://") or is_loopback(place)):
            raise UsageError(
                f"The Dask cluster at {address} can be reached from other machines without encryption, at {place}.",
                "A Dask worker runs whatever it is sent: start scheduler and workers with --host 127.0.0.1, or with "
                "certificates at tls://.",
            )


def compare(place: str, there: Peer, here: Peer) -> None:
    """Refuse a worker that would not check rows as this process does.

    Args:
        place: the worker's address.

    Raises:
        UsageError: it is another program, or has not the same secret.
    """
    versions, key = dict(there.versions), there.key
    for name, version in here.versions:
        if versions.get(name) != version:
            raise UsageError(
                f"The Dask worker {place} has {name} {versions.get(name, 'none')}, and this process has {version}.",
                "Install the same versions everywhere: what is checked there has to be what is checked here.",
            )
    if there.said:
        raise UsageError(f"The Dask worker {place} does not find the secret of this workspace: {there.said}")
    if here.key and key != here.key:
        what = "another secret than this workspace" if key else "no secret"
        raise UsageError(
            f"The Dask worker {place} has {what}: customers would not be recognised.",
            f"Start it with {SECRET_VARIABLE}_FILE, which names a copy of the workspace's secret (import-key.secret, "
            f"or the team's {SECRET_VARIABLE}), or with IMPORTER_JOURNAL, where that journal has it.",
        )
