"""Files of a run that its rows cannot give: the plans by which it was sent, and its corrections.

They are in its directory, and in its journal too: another host of a team, or whoever has lost the directory, has them.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from importer.core.atomic_files import storage_error, write_file
from importer.journal import Journal, Location, open_journal

CORRECTIONS = "corrections.csv"
"""Name of the corrections in the directory of a run."""


def keep(journal: Journal, run: int, path: Path) -> None:
    """Have the journal keep a file that is in the directory of a run.

    Raises:
        StorageError: it cannot be read.
        JournalError: the journal cannot be written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise storage_error(error, path.parent) from error
    journal.files.keep(run, path.name, content)


def keep_all(location: Location) -> None:
    """Have the journal of a workspace keep what runs of earlier programs have in their directories alone.

    Raises:
        StorageError, JournalError: as of `keep`; or the journal has lost what was written last.
    """
    with closing(open_journal(location)) as journal:
        journal.require_integrity()
        for run, run_id in journal.runs.ids():
            known = journal.files.names(run)
            for name in (*(one.file for one in journal.runs.facts(run).plans), CORRECTIONS):
                path = location.folder / run_id / name
                if name not in known and path.is_file():
                    keep(journal, run, path)


def put_back(journal: Journal, run: int, directory: Path) -> None:
    """Write the files again that the directory of a run lacks; the directory is made where it is not there.

    Raises:
        StorageError: it cannot be written.
    """
    for name in journal.files.names(run):
        path, content = directory / name, journal.files.of(run, name)
        if content is None or path.exists():
            continue
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_file(path, content)
        except OSError as error:
            raise storage_error(error, directory) from error
