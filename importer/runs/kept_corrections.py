"""The corrections of a run's source, kept beside its files: they outlast the file of the user."""

from __future__ import annotations

from pathlib import Path

from importer.core.atomic_files import storage_error, write_file
from importer.core.corrections import Correction
from importer.journal import StoredRun
from importer.profile import SourceLimits
from importer.readers import read_corrections
from importer.runs.kept_profile import kept_profile
from importer.runs.wiring.sources import LocalSource

NAME = "corrections.csv"


def keep_corrections(corrections: Path | None, directory: Path) -> None:
    """Copy the corrections of a source into the directory of its run.

    Args:
        corrections: None: it has none.

    Raises:
        StorageError: they cannot be written.
    """
    if corrections is None or not corrections.is_file():  # rows of a dry run are imported without their source
        return
    try:
        write_file(directory / NAME, corrections.read_bytes())
    except OSError as error:
        raise storage_error(error, directory) from error


def kept_corrections(directory: Path) -> list[Correction]:
    """Return the corrections that are kept in the directory of a run.

    Raises:
        SourceError: somebody has damaged their file.
    """
    path = directory / NAME
    return list(read_corrections(path, SourceLimits()).all) if path.is_file() else []


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
