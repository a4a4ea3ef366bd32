"""A file that a browser sends becomes the file of a draft: streamed to the disk, complete or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from importer.core.atomic_files import sync
from importer.core.errors import EmptySourceError, SourceError, StorageError, UsageError
from importer.core.runtime import in_a_thread
from importer.journal import CheckChoices, Draft, DraftFacts, Reading
from importer.readers import STDIN, require_readable
from importer.runs.drafts.drafts import SOURCES, DraftService
from importer.runs.wiring import make_directory

RETURNED = "returned"
"""The folder of a draft for files that are only looked at."""
_MOST_NAME_BYTES = 200
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what is not seen, or ends a line."""


async def receive(
    service: DraftService,
    draft: str,
    name: str,
    chunks: AsyncIterator[bytes],
    *,
    by: str,
    most_bytes: int,
    seen: int | None = None,
) -> Draft:
    """Take a file into a draft, instead of an earlier one; what was chosen for that one is gone with it.

    Args:
        name: the file's, as the person has it; it is kept.
        chunks: its bytes; only one chunk at a time is in memory.
        by: the person.
        most_bytes: the largest file that is taken.
        seen: as of `DraftService.editable`.

    Raises:
        UsageError: the name cannot be used; or as of `DraftService.editable`.
        SourceError: it is empty, larger, or of a kind that no reader takes; nothing of it is left.
        BusyError: somebody else has changed the draft meanwhile; nothing of it is left.
        StorageError: it cannot be written.
    """
    found = await in_a_thread(partial(service.editable, draft, seen))
    folder = service.folder(found) / SOURCES / secrets.token_hex(4)
    path = folder / _usable(name)
    try:
        for each in (*reversed(folder.parents[:3]), folder):
            make_directory(each)
        size = await _save(path, chunks, most_bytes)
        return await in_a_thread(partial(_take_over, service, found, path, size, by))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _not_kept(error) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@asynccontextmanager
async def received_file(
    service: DraftService, draft: Draft, name: str, chunks: AsyncIterator[bytes], *, most_bytes: int
) -> AsyncIterator[Path]:
    """Have a file that came in for a draft, and is not its source, while the block lasts; arguments as of `receive`.

    Raises:
        UsageError, SourceError, StorageError: as of `receive`.
    """
    folder = service.folder(draft) / RETURNED / secrets.token_hex(4)
    path = folder / _usable(name)
    try:
        for each in (folder.parent.parent, folder.parent, folder):
            make_directory(each)
        await _save(path, chunks, most_bytes)
        yield path
    except OSError as error:
        raise _not_kept(error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _usable(name: str) -> str:
    """Return a name that a file of ours can have, as it is.

    Raises:
        UsageError: it names another folder, is too long, or holds what is not shown.
    """
    is_shown = not any(unicodedata.category(char) in _NOT_SHOWN or char in "/\\" for char in name)
    if not name or name in {".", "..", STDIN} or not is_shown or len(name.encode()) > _MOST_NAME_BYTES:
        raise UsageError(
            "The name of the file is too long, or holds a slash or a character that cannot be seen.",
            "Rename the file, and upload it again.",
        )
    return name


async def _save(path: Path, chunks: AsyncIterator[bytes], most_bytes: int) -> int:
    """Write a file as it comes in."""
    size = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=1 << 20) as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise SourceError(
                    f"'{path.name}' is larger than the {most_bytes:,} bytes that are allowed.", "Split the file."
                )
            await in_a_thread(partial(file.write, chunk))
    if not size:
        raise EmptySourceError(f"'{path.name}' is empty (0 bytes).", "Export the customers again.")
    return size


def _take_over(service: DraftService, draft: Draft, path: Path, size: int, by: str) -> Draft:
    """Note a file that is complete, and remove the earlier one."""
    for written in (path, path.parent, path.parent.parent):
        sync(written)
    require_readable(path, service.profile.source)
    act = service.act(by, "received", bytes=size)
    facts = _facts_of(path, size).merged(DraftFacts.here(service.workspace))
    noted = service.note(draft, facts, act, drops_corrections=True)
    _remove_others(path.parent)
    return noted


def _facts_of(path: Path, size: int) -> DraftFacts:
    """Everything anew: what was chosen was chosen for the earlier file."""
    return DraftFacts(
        file=path.name,
        kept_in=path.parent.name,
        size_bytes=size,
        reading=Reading(),
        rules=None,
        validation=CheckChoices(),
        checked_run="",
        plan="",
        stage="upload",
    )


def _remove_others(folder: Path) -> None:
    """Remove earlier files, and what a program left that was killed while a file came in."""
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _not_kept(error: OSError) -> StorageError:
    reason = (error.strerror or "unknown error").lower()
    return StorageError(f"The file cannot be kept in the workspace: {reason}.", "Check the disk and its permissions.")
