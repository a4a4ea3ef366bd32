"""What happens in a Dask worker: batches are mapped and checked, one at a time, and one long task beside. Logs nothing.

A task never fails there: an exception may hold a cell, and Dask would log it. What cannot be done is done by the
process that asked for it, which then meets the exception itself.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from threading import Lock, Thread
from typing import Any, Self

from importer.core.errors import ImporterError
from importer.core.runtime import rare_collections
from importer.engines.dask.sealed import Peer, Sealed, opened, sealed
from importer.engines.worker import without_secrets

SECRET_VARIABLE = "IMPORTER_SECRET"  # noqa: S105  # a name
_SECRET_BYTES = 32
_GRACE_S = 5.0
_CODE = "import sys; sys.path[:] = {path!r}; from importer.engines.dask.worker import main; main()"
_ONE_AT_A_TIME = Lock()
"""Whoever starts a worker may give it many threads; what checks a batch is made for one."""
_ONE_LONG_TASK = Lock()


class _Secret:
    """The workspace's secret: what this worker was started with, and what was found last."""

    given: bytes | None = None
    found: bytes | None = None


def own_secret(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """The secret of this worker: what it was started with, or its environment; None: it has none, or a wrong one.

    IMPORTER_SECRET is hexadecimal digits; the file of IMPORTER_SECRET_FILE holds those, or the bytes themselves.
    """
    return _Secret.given or _from(environ)


def _from(environ: Mapping[str, str]) -> bytes | None:
    text, file = environ.get(SECRET_VARIABLE, ""), environ.get(f"{SECRET_VARIABLE}_FILE", "")
    with suppress(OSError, ValueError):
        content = Path(file).expanduser().read_bytes() if file and not text else b""
        found = content if len(content) == _SECRET_BYTES else bytes.fromhex(text or content.decode("ascii"))
        return found if len(found) == _SECRET_BYTES else None
    return None


def about(asked_by: Peer) -> Peer:
    """What this worker is: its versions, and which secret it has."""
    try:
        return Peer.here(_secret_for(asked_by))
    except ImporterError as error:
        return Peer.here(None, said=error.message)


def _secret_for(asked_by: Peer) -> bytes | None:
    """The secret of this worker, looked for again where it is not that of who asks: the workspace may be another."""
    if not asked_by.key:
        return None
    if _Secret.found is None or Peer.here(_Secret.found).key != asked_by.key:
        _Secret.found = own_secret() or (asked_by.find() if asked_by.find else None)
    return _Secret.found


def work_on(asked_by: Peer, work: Sealed, item: Sealed) -> Sealed | None:
    """Do work on an item; None: this worker cannot."""
    try:
        with _ONE_AT_A_TIME:
            secret = _secret_for(asked_by)
            if asked_by != Peer.here(secret):
                return None
            return sealed(_work_of(work, secret)(opened(item)))
    except Exception:  # noqa: BLE001  # whatever it was: the process that asked meets it, too
        return None


def work_long(asked_by: Peer, task: Sealed) -> str:
    """Do what takes long, beside whatever else this worker does; as `answer`.

    One is done at a time: meanwhile another one is as good as done, and is asked for again later.
    """
    if not _ONE_LONG_TASK.acquire(blocking=False):
        return ""
    try:
        from distributed import secede  # noqa: PLC0415  # a second, and only for whoever uses it

        secede()  # its thread is no longer one of those that wait for work
        return answer(asked_by, task)
    finally:
        _ONE_LONG_TASK.release()


def answer(asked_by: Peer, question: Sealed) -> str:
    """Do work that gives a sentence; one says why it cannot be done. Empty: all is well.

    Args:
        asked_by: this worker has to be of the same versions.
    """
    if asked_by.versions != Peer.here(None).versions:
        return "It has not the same versions of this program and its libraries."
    try:
        said: str = opened(question)()
    except ImporterError as error:
        return f"{error.message} {error.hint}".strip()
    except Exception as error:  # noqa: BLE001  # whatever it was: Dask would log it, and it may hold a cell
        return f"It stopped with an error ({type(error).__name__})."
    return said


@lru_cache(maxsize=1)
def _work_of(work: Sealed, secret: bytes | None) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = opened(work, secret)
    return made


# --------------------------------------------------------------------------- workers of a local cluster


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """What a worker on this machine is started with.

    Args:
        scheduler: its address.
        security: the certificates of the cluster, as arguments of `distributed.Security`.
        folder: for its files.
        secret: the workspace's; None: there is none.
        environ: variables that it has beside those that every process may have.
    """

    scheduler: str
    security: Mapping[str, Any]
    folder: str
    secret: bytes | None
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """A worker process on this machine. It ends with its pipe: never after the process that it works for."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, how: Start) -> Self:
        """Start a fresh interpreter; neither its command line nor its environment holds a secret.

        Raises:
            OSError: the system refuses another process.
        """
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-c", _CODE.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=without_secrets(os.environ),
        )
        assert process.stdin is not None  # noqa: S101  # asked for: for the type checker
        with suppress(OSError):  # it has ended: nobody will hear of it
            process.stdin.write(pickle.dumps(how))
            process.stdin.flush()
        return cls(process)

    def end(self) -> None:
        """End it, and wait until it has ended; kill it where that takes long."""
        assert self.process.stdin is not None  # noqa: S101  # asked for: for the type checker
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> None:
    """Work for the process at the other end of standard input, until that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the one we work for decides
    how: Start = pickle.load(sys.stdin.buffer)  # noqa: S301  # the process that started us
    Thread(target=_end_with_pipe, args=(how.folder,), daemon=True).start()
    _Secret.given = how.secret
    os.environ.update(how.environ)
    with rare_collections():
        asyncio.run(_serve(how))


def _end_with_pipe(folder: str) -> None:
    sys.stdin.buffer.read()
    rmtree(folder, ignore_errors=True)  # whoever made it may have been killed
    os._exit(0)


async def _serve(how: Start) -> None:
    from distributed import Security, Worker  # noqa: PLC0415  # a second, and only for whoever uses it

    worker = Worker(
        how.scheduler,
        nthreads=1,
        memory_limit=0,
        dashboard=False,
        local_directory=how.folder,
        host="127.0.0.1",
        protocol="tls://",
        security=Security(**how.security),
    )
    async with worker:
        await worker.finished()
