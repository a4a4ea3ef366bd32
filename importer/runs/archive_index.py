"""Where the file of a run is now, and what is beside it.

The inbox moves a file away from the path that it was read from, and another one of the same name arrives the next
day: a path says little about a run. Files that the inbox archived are searched where it put them, and what is
beside them is written again when the run goes on by hand.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from importer.core.atomic_files import AtomicFiles, storage_error
from importer.core.commands import FRAME
from importer.core.errors import ExitCode, StorageError
from importer.journal import Journal, Place, RunFacts, StoredRun
from importer.results import Report, keep_edited
from importer.runs import archive
from importer.runs.kept_corrections import content_now
from importer.runs.wiring.remote_sources import is_remote

WHY = "why.txt"


def put(journal: Journal, stored: StoredRun | None, place: Place) -> None:
    """Keep where the inbox is about to put a file, so that nothing that a kill leaves there is forgotten.

    Args:
        stored: its run; None where it never became one.
    """
    journal.places.add(place)
    if stored is not None and not place.returned:
        # What is written anew from now on (`retry`, `export`) marks the cells of that file.
        journal.runs.note(stored.run, RunFacts(path=str(place.source)))


def outgrown(journal: Journal, stored: StoredRun) -> None:
    """Record that the file of a run went on growing, and is the file of another run now."""
    journal.runs.note(stored.run, RunFacts(outgrown=True))


def source_of(journal: Journal, stored: StoredRun) -> Path | None:
    """Return the file of a run; where it was changed, the changed one.

    Returns:
        None when it is gone (what is under its path, if anything, is another one), when it was fetched from an address,
        or when the source was a DataFrame.

    Raises:
        SourceError: a file cannot be read.
    """
    header = stored.header
    if header.path == FRAME or is_remote(header.path):
        return None
    origin, put_away = (
        Path(header.path),
        [place.source for place in journal.places.of(stored.run) if not place.returned],
    )
    if not put_away and not stored.facts.outgrown and stored.purged_at is None:
        return origin
    there = [path for path in (*put_away, origin) if path.is_file()]
    same = next((path for path in there if content_now(stored, path) == header.content_hash), None)
    return same or next((path for path in there if path != origin), None)


def keep_edited_beside(journal: Journal, stored: StoredRun) -> None:
    """Rename files that somebody fixed where the inbox had put them, before they are written again."""
    written = journal.runs.facts(stored.run).files
    for place in _with_results(journal, stored):
        keep_edited(place.folder, {archive.unlike(place.file, name): digest for name, digest in written.items()})


def renew(journal: Journal, stored: StoredRun, report: Report) -> None:
    """Write the files of a run again wherever the inbox put them; a run that ended well moves to the archive.

    Raises:
        StorageError: a folder cannot be written; the run's own directory is whole.
    """
    for place in _with_results(journal, stored):
        _write_again(place, report)
        if report.state == "finished" and report.exit_code != ExitCode.BALANCE:
            _ended_well(journal, stored, place)


def _write_again(place: Place, report: Report) -> None:
    try:
        with AtomicFiles(place.folder) as files:
            for path in filter(Path.is_file, report.files.values()):
                shutil.copyfile(path, files.path(archive.unlike(place.file, path.name)))
    except StorageError as error:
        raise StorageError(
            f"The run {report.run_id} is done, but its files in {place.folder} are those of the last time."
            f" {error.message}",
            f"`{report.commands.show(report.run_id)}` shows how it ended and where its files are.",
        ) from error


def _with_results(journal: Journal, stored: StoredRun) -> list[Place]:
    """Return the folders that hold results: those named after the run. Copies of its file that came later have none."""
    run_id = stored.header.run_id
    own = (place for place in journal.places.of(stored.run) if archive.tag_of(place.folder.name) == run_id)
    return [place for place in own if place.folder.is_dir()]


def _ended_well(journal: Journal, stored: StoredRun, place: Place) -> None:
    """Remove the note why the file was put aside, and move its folder from the failed to the archive."""
    try:
        (place.folder / archive.unlike(place.file, WHY)).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, place.folder) from error
    if place.folder.parent == place.archive:
        return
    moved = replace(place, folder=archive.free(place.archive / place.folder.name))
    put(journal, stored, moved)
    with suppress(OSError):  # into another file system: it stays, and is as true there
        place.folder.rename(moved.folder)
    gone, left = (place, moved) if moved.folder.is_dir() else (moved, place)
    journal.places.drop([gone.folder])
    put(journal, stored, left)
