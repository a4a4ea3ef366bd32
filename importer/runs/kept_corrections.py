"""The corrections of a run's source, kept with the run: they outlast the file of the user."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from importer.core.atomic_files import storage_error, write_file
from importer.core.corrections import Correction
from importer.journal import Journal, StoredRun
from importer.profile import SourceLimits
from importer.readers import read_corrections
from importer.runs.kept_files import CORRECTIONS
from importer.runs.kept_profile import kept_profile
from importer.runs.wiring.sources import LocalSource


def keep_corrections(corrections: Path | None, directory: Path) -> Path | None:
    """Copy the corrections of a source into the directory of its run.

    Args:
        corrections: None: it has none.

    Returns:
        The copy; None: there is none.

    Raises:
        StorageError: they cannot be written.
    """
    if corrections is None or not corrections.is_file():  # rows of a dry run are imported without their source
        return None
    try:
        write_file(directory / CORRECTIONS, corrections.read_bytes())
    except OSError as error:
        raise storage_error(error, directory) from error
    return directory / CORRECTIONS


def kept_corrections(journal: Journal, run: int, directory: Path) -> list[Correction]:
    """Return the corrections that are kept with a run.

    Args:
        directory: the run's, which may be on another host.

    Raises:
        SourceError: somebody has damaged their file.
    """
    path = directory / CORRECTIONS
    if path.is_file():
        return list(read_corrections(path, SourceLimits()).all)
    content = journal.files.of(run, CORRECTIONS)
    if content is None:
        return []
    with TemporaryDirectory(prefix="importer-") as folder:
        (Path(folder) / CORRECTIONS).write_bytes(content)
        return list(read_corrections(Path(folder) / CORRECTIONS, SourceLimits()).all)


def corrections_of(stored: StoredRun) -> Path | None:
    """The file of the corrections of a run's source, where its owner has it; None: it has none."""
    kept = kept_profile(stored)
    path = kept.settings.get("source", {}).get("corrections") if kept else None
    return Path(path) if path else None


def content_now(stored: StoredRun, path: Path) -> str:
    """Hash the content of a run's source as it is now, its corrections included.

    Raises:
        SourceError: one of them cannot be read.
    """
    return LocalSource(path, corrections=corrections_of(stored)).content_hash()
