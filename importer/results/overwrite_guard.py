"""No result is written over a source, and no file that a person fixed is overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from importer.core.errors import StorageError, UsageError
from importer.profile.settings import ResultsSettings

_OURS = ("results.", "rejects.", "id-map.", "report.", "receipt.", "run.log.")
_FIXED_BY_PEOPLE = ("rejects", "annotated")


def check_out(settings: ResultsSettings, source: Path) -> None:
    """Refuse a folder for the results that cannot take them, before anything is sent.

    Args:
        source: the file that is about to be read; nothing may be written over it.

    Raises:
        UsageError: a result would replace the source.
        StorageError: the folder cannot be made or written.
    """
    out = settings.out
    if out is None:
        return
    if source.absolute().parent.resolve() == out.resolve() and _is_ours(source.name):
        raise UsageError(
            f"The results would be written over the source '{source.name}' in '{out}'.",
            "Choose another folder with --out.",
        )
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = out / ".importer-write-test"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise StorageError(
            f"The results cannot be written to '{out}': {(error.strerror or 'unknown error').lower()}.",
            "Choose another folder with --out.",
        ) from error


def _is_ours(name: str) -> bool:
    return name.startswith(_OURS) or name.endswith(".annotated.xlsx")


def digests(files: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of every file that people fix, by its name."""
    return {path.name: _digest(path) for kind, path in files.items() if kind in _FIXED_BY_PEOPLE}


def keep_edited(directory: Path, written: Mapping[str, str]) -> list[Path]:
    """Rename files that were edited since they were written, so that writing them again loses nothing.

    Args:
        written: the digests at that time, by name (see `digests`).

    Returns:
        Their new paths: `rejects.edited-1.csv`.
    """
    kept: list[Path] = []
    for name, digest in written.items():
        path = directory / name
        if path.exists() and _digest(path) != digest:
            kept.append(path.rename(_free_name(path)))
    return kept


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.stem}.edited-{number}{path.suffix}") for number in range(1, 10_000))
    return next(name for name in names if not name.exists())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
