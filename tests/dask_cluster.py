"""A real Dask cluster of the tests: a scheduler and workers as processes of their own, on free ports of loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 100.0
_PLAIN = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0", "--host", "127.0.0.1")


def doubled(number: int) -> tuple[int, int]:
    """Work that says where it was done."""
    return number * 2, os.getpid()


def slowly_doubled(number: int) -> tuple[int, int]:
    """Work that takes long enough for a worker to be ended in the middle of it."""
    Event().wait(0.1)
    return doubled(number)


def fails_on_thirteen(number: int) -> tuple[int, int]:
    """Work that fails, with what no log may hold."""
    if number == 13:
        raise LookupError("Ann Example")
    return doubled(number)


class DaskCluster:
    """One cluster; whoever has started it stops it.

    Args:
        folder: of its logs.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.folder = folder
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._tls: list[str] = []

    def start(self, workers: int, environ: Mapping[str, str] | None = None) -> None:
        """Start a scheduler and workers, and wait until it knows them."""
        self._start("scheduler", "--port", str(self.port), "--no-jupyter")
        self._await("scheduler", "Scheduler at:", 1)
        for number in range(1, workers + 1):
            self.start_worker(number, environ)
        self.wait_for_workers(workers)

    def use_certificates(self) -> dict[str, str]:
        """Have a certificate that scheduler, workers and clients share; return the keys of `[engine]` for it."""
        from distributed import Security

        made, keys = Security.temporary(), {}
        for key, of in (("tls_ca", "tls_ca_file"), ("tls_cert", "tls_client_cert"), ("tls_key", "tls_client_key")):
            path = self.folder / f"{key}.pem"
            path.write_text(getattr(made, of))
            keys[key] = str(path)
        self._tls = ["--tls-ca-file", keys["tls_ca"], "--tls-cert", keys["tls_cert"], "--tls-key", keys["tls_key"]]
        self._tls += ["--protocol", "tls"]
        self.address = f"tls://127.0.0.1:{self.port}"
        return keys

    def start_worker(self, number: int, environ: Mapping[str, str] | None = None, scheduler: str = "") -> None:
        """Start a worker.

        Args:
            scheduler: the address at which it finds the scheduler; empty: the scheduler's own.
        """
        place = scheduler or self.address
        self._start("worker", place, "--no-nanny", "--nthreads", "1", log=f"worker{number}", environ=environ)

    def wait_for_workers(self, count: int) -> None:
        """Wait until the scheduler knows so many."""
        self._await("scheduler", "Register worker", count)

    def log(self, of: str) -> str:
        return (self.folder / of).read_text(errors="replace")

    def send(self, which: int, what: signal.Signals) -> None:
        """Send a signal to the scheduler (0) or to a worker (1, 2, …)."""
        self.processes[which].send_signal(what)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def _start(self, what: str, *more: str, log: str = "", environ: Mapping[str, str] | None = None) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("IMPORTER_", "DASK_"))}
        with (self.folder / (log or what)).open("wb") as file:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", what, *more, *_PLAIN, *self._tls],
                    cwd=self.folder,
                    env={**own, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **(environ or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                )
            )

    def _await(self, of: str, words: str, times: int) -> None:
        until = time.monotonic() + _PATIENCE_S
        while self.log(of).count(words) < times:
            assert time.monotonic() < until, self.log(of)
            Event().wait(0.05)


@contextmanager
def cluster_in(folder: Path) -> Iterator[DaskCluster]:
    """A cluster that is not started yet, for a block; it is ended whatever happens.

    Args:
        folder: as of `DaskCluster`; it is made.
    """
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    folder.mkdir()
    cluster = DaskCluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def dask_cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """A cluster of one test."""
    with cluster_in(tmp_path / "cluster") as cluster:
        yield cluster
