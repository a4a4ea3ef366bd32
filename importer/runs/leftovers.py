"""What a program that was killed leaves in a workspace, and how the next one finds and removes it.

Copies of sources and the journal of a dry run lie in folders that their program holds a lock on. The kernel lets go of
a lock when its program ends, however it ends; a folder of such a kind that nobody holds is left over.
(`filelock` holds files; one beside each folder would be left over itself.)
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from importer.core.errors import JournalError, StorageError
from importer.journal import LOADING, Database, Runs

SPOOL_NAME = "spool"
"""The folder of a workspace for copies of sources."""
CHECKED_NAME = "checked.sqlite3"
"""The journal of a dry run, in its directory."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder while the block runs.

    Raises:
        OSError: it is not there, or its file system has no locks.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether a program that lives holds the lock of a folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def private_folder(spool: Path | None) -> Iterator[Path]:
    """A folder for the copy of a source, which goes when the block ends.

    Args:
        spool: where it lies; None: the system's folder for temporary files.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        if spool is not None:
            spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(spool)
        folder = Path(tempfile.mkdtemp(prefix="copy-", dir=spool))
        held_open = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(f"No copy of the source can be kept in {spool}: {reason}.", "Check --workspace.") from error
    try:
        fcntl.flock(held_open, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held_open)


def tidy(workspace: Path) -> None:
    """Remove everything that is left over in a workspace; harmless where there is none, or where nothing can be."""
    with suppress(OSError):
        sweep(workspace / SPOOL_NAME)
        for journal in workspace.glob(f"*/{CHECKED_NAME}"):
            if not (journal.parent / "report.json").exists():
                _remove_unless_held(journal.parent, only_if=_is_unfinished)


def sweep(spool: Path) -> None:
    """Remove the copies of programs that have ended. Harmless where there is no spool."""
    for folder in spool.glob("copy-*"):
        _remove_unless_held(folder)


def _remove_unless_held(folder: Path, *, only_if: Callable[[Path], bool] = lambda _: True) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if only_if(folder):
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def _is_unfinished(directory: Path) -> bool:
    """Whether a dry run was cut off before every row was checked: nothing can be made of it."""
    try:
        with closing(Database(directory / CHECKED_NAME, writes=False)) as database:
            runs = Runs(database)
            return all(runs.find(run_id).phase == LOADING for _, run_id in runs.ids())
    except JournalError:
        return True
