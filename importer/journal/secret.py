"""The workspace's secret: import keys are keyed hashes, so that the journal holds no personal data.

It is a file beside the journal with mode 0600. Losing it means that rows of earlier runs are no longer
recognised, so it is made once and never replaced.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from importer.core.atomic_files import create_once
from importer.core.errors import JournalError
from importer.journal.location import Location

SECRET_BYTES = 32
_NAME = "import-key.secret"


def secret_path(workspace: Path) -> Path:
    """Where the secret of a workspace is."""
    return workspace / _NAME


def has_secret(workspace: Path) -> bool:
    """Whether the workspace has a secret already, as far as can be seen."""
    return os.access(workspace / _NAME, os.F_OK)


def check_memory(journal: Location) -> None:
    """Refuse a workspace that has a secret and no journal: it has lost the memory of what it created.

    A journal is always made before the secret, so that no other history leads here.

    Raises:
        JournalError: the journal is gone, or empty.
    """
    if has_secret(journal.folder) and not (journal.exists and journal.path.stat().st_size):
        raise JournalError(
            f"The journal {journal.path} is gone, and with it the memory of which customers were created.",
            f"Restore it from a backup. To start again without them, remove {journal.folder / _NAME} too.",
        )


def workspace_secret(workspace: Path, *, has_runs: bool = False) -> bytes:
    """The secret of a workspace, made when there is none yet.

    Args:
        has_runs: whether the journal knows runs: their keys were made with a secret that must still be there.

    Raises:
        JournalError: it cannot be read or made, is damaged, or is gone.
    """
    path = workspace / _NAME
    if has_runs and not path.exists():
        raise JournalError(
            f"The workspace's secret {path} is gone: what earlier runs created would not be recognised.",
            "Restore it from a backup.",
        )
    try:
        return _read(path) if path.exists() else _make(path)
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise JournalError(
            f"The workspace's secret {path} cannot be used: {(error.strerror or 'unknown error').lower()}.",
            "Free some space there." if is_full else "Check that the workspace can be read and written by you.",
        ) from error


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise JournalError(
            f"The workspace's secret {path} is damaged.",
            "Restore it from a backup: without it, rows of earlier runs are not recognised.",
        )
    return secret


def _make(path: Path) -> bytes:
    create_once(path, secrets.token_bytes(SECRET_BYTES))
    return _read(path)
