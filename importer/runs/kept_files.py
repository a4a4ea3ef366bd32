"""Files of a run that its rows cannot give: the plans by which it was sent, and its corrections.

They are in its directory, and in its journal too: another host of a team, or whoever has lost the directory, has them.
"""

from __future__ import annotations

from pathlib import Path

from importer.core.atomic_files import storage_error, write_file
from importer.journal import Journal
from importer.runs.wiring import make_directory


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


def put_back(journal: Journal, run: int, directory: Path) -> None:
    """Write the files again that the directory of a run lacks; the directory is made where it is not there.

    Raises:
        StorageError: it cannot be written.
    """
    for name in journal.files.names(run):
        path, content = directory / name, journal.files.of(run, name)
        if content is None or path.exists():
            continue
        make_directory(directory)
        try:
            write_file(path, content)
        except OSError as error:
            raise storage_error(error, directory) from error
