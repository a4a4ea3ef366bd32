"""What a program that was killed leaves in a workspace, and how the next one finds and removes it.

Copies of sources and the journal of a dry run are in folders that their program holds a lock on. The kernel releases
a lock when its program ends, however it ends; a folder of such a kind that nobody holds is left over.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from importer.core.errors import JournalError, StorageError
from importer.core.locks import is_locked, locked
from importer.journal import LOADING, Location, open_journal

SPOOL_NAME = "spool"
"""The folder of a workspace for copies of sources."""
INBOXES_NAME = "inboxes"
"""The folder of a workspace for what an inbox at an address keeps on this machine: copies under way, and claims."""


def is_held(folder: Path) -> bool:
    """Whether a running program holds the lock of a folder; False where that cannot be found out."""
    try:
        return is_locked(folder)
    except OSError:
        return False


def size_of(folder: Path) -> int:
    """How many bytes the files in a folder have; 0 where there is none."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def private_folder(spool: Path | None) -> Iterator[Path]:
    """A folder for the copy of a source, which goes when the block ends.

    Args:
        spool: where it is; None: the system's folder for temporary files.

    Raises:
        StorageError: it cannot be made.
    """
    with ExitStack() as until_the_end:
        try:
            if spool is not None:
                spool.mkdir(mode=0o700, parents=True, exist_ok=True)
                sweep(spool)
            folder = Path(tempfile.mkdtemp(prefix="copy-", dir=spool))
            until_the_end.enter_context(locked(folder, waits=True))
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            message = f"No copy of the source can be kept in {spool}: {reason}."
            raise StorageError(message, "Check --workspace.") from error
        until_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def tidy(workspace: Path) -> None:
    """Remove everything that is left over in a workspace; harmless where there is none, or where nothing can be."""
    with suppress(OSError):
        sweep(workspace / SPOOL_NAME)
        for journal in Location.of_dry_runs(workspace):
            if not (journal.folder / "report.json").exists():
                _remove_unless_held(journal.folder, only_if=_is_unfinished)


def sweep(spool: Path) -> None:
    """Remove the copies of programs that have ended. Harmless where there is no spool."""
    for folder in spool.glob("copy-*"):
        _remove_unless_held(folder)


def _remove_unless_held(folder: Path, *, only_if: Callable[[Path], bool] = lambda _: True) -> None:
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder))
        except OSError:  # a program works in it, or it is gone
            return
        if only_if(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_unfinished(directory: Path) -> bool:
    """Whether a dry run was cut off before every row was checked: nothing can be made of it."""
    try:
        with closing(open_journal(Location.of_dry_run(directory), writes=False)) as journal:
            runs = journal.runs
            return all(runs.find(run_id).phase == LOADING for _, run_id in runs.ids())
    except JournalError:
        return True
