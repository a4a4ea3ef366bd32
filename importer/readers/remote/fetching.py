"""One remote file becomes a copy on this machine: examined twice, fetched once, and compared with a checksum.

A copy is compared with `NAME.sha256` beside the file, else with the checksum that the store gives, else with a
second reading; a web server may offer none of these. Knows neither workspaces nor runs; moves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from importer.core.errors import InterruptedRunError, SourceError, StillWrittenError, StorageError, UnreachableError
from importer.core.ports import Stop
from importer.readers.remote import checksums
from importer.readers.remote.checksums import Checksum
from importer.readers.remote.store_errors import explained
from importer.readers.remote.stores import Store

SUM_FILE = ".sha256"
_LARGEST_SUM_FILE_BYTES = 65_536
_BLOCK_BYTES = 1 << 20
_STAMPS = ("size", "mtime", "updated", "generation", "ETag", "etag", "LastModified", "Last-Modified", "VersionId")
"""What distinguishes one state of a remote file from another; each store knows some of them."""


class Verification(StrEnum):
    """How a copy was verified."""

    SUM_FILE = "sum_file"
    """It has the checksum in `NAME.sha256` beside the original."""
    STORE = "store"
    """It has the checksum that the store gives."""
    READ_AGAIN = "read_again"
    """A second reading brought the same bytes."""
    SIZE = "size"
    """Only its length is right: there was nothing else to compare it with."""
    NONE = "none"
    """Not even the length is known."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """What is fetched, and within which limits.

    Args:
        shown: the address for people.
        max_bytes: more is refused.
        stop: asked during the transfer; None: nothing stops it.
        with_sum_file: `NAME.sha256` is looked for.
        may_be_empty: a file of no bytes is fetched like any other.
    """

    store: Store
    shown: str
    max_bytes: int
    stop: Stop | None = None
    with_sum_file: bool = True
    may_be_empty: bool = False


def fetch(what: Fetch, files: Any, path: str, to: Path, pause: Callable[[], None]) -> Verification:
    """Copy a file that is unchanged after a pause, and still the same when the copy is complete.

    Args:
        files: the open file system, `path` in it.
        pause: waits between the two comparisons.

    Raises:
        StillWrittenError: it changed meanwhile.
        SourceError: it cannot be used, or the copy is not what the store holds.
        StorageError: the copy cannot be written.
        ImporterError: as `Store.errors_explained`.
    """
    with what.store.errors_explained(f"{what.shown} cannot be fetched"):
        before = files.info(path)
        _require_file(what, before)
        pause()
        _require_same(what, before, files.info(path))
        with _writing(what, to):
            files.get_file(path, str(to), callback=meter(what))
        _require_same(what, before, files.info(path))
        to.chmod(0o600)
        verification = _verified(what, files, path, before, to)
        if verification is Verification.READ_AGAIN:
            _require_same(what, before, files.info(path))
        return verification


def stamps(info: Mapping[str, Any]) -> str:
    """What is equal whenever the same state of a file is asked for."""
    return "|".join(str(info.get(stamp)) for stamp in _STAMPS)


@contextmanager
def _writing(what: Fetch, to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.filename != str(to):
            raise
        reason = (fault.strerror or "unknown error").lower()
        raise StorageError(f"The copy of {what.shown} cannot be written: {reason}.", "Free some space.") from fault


def _require_file(what: Fetch, info: Mapping[str, Any]) -> None:
    if info.get("type") == "directory":
        raise SourceError(f"{what.shown} is a folder, not a file.", "Name the file in it that is to be imported.")
    size = info.get("size")
    if size == 0 and not what.may_be_empty:
        raise SourceError(f"{what.shown} is empty (0 bytes).", "Export the customers again.")
    if size is not None and size > what.max_bytes:
        raise _too_large(what)


def _require_same(what: Fetch, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if stamps(before) != stamps(now):
        raise StillWrittenError(
            f"{what.shown} is still being written: it changed between two checks.",
            "Import it when its upload is done.",
        )


def _too_large(what: Fetch) -> SourceError:
    return SourceError(
        f"{what.shown} is larger than the {what.max_bytes:,} bytes that are allowed.",
        "Split the file, or raise max_file_bytes in [source.limits].",
    )


def meter(what: Fetch) -> Any:
    """Observes a transfer: ends it when too much arrives, or when the run stops."""
    from fsspec.callbacks import Callback  # noqa: PLC0415  # an optional library

    def check(_size: int | None, value: int, **_: Any) -> None:
        _require_going_on(what)
        if value > what.max_bytes:
            raise _too_large(what)

    return Callback(hooks={"check": check})


def _require_going_on(what: Fetch) -> None:
    if what.stop is not None and what.stop.requested:
        raise InterruptedRunError(what.stop.reason)


# --------------------------------------------------------------------------- verifying


def _verified(what: Fetch, files: Any, path: str, info: Mapping[str, Any], copy: Path) -> Verification:
    size = info.get("size")
    if size is not None and copy.stat().st_size != size:
        raise _damaged(what, "its length is not the one that the store gives")
    written = _sum_file(what, files, path) if what.with_sum_file else None
    if written is not None:
        return _compared(what, written, copy, Verification.SUM_FILE)
    given = what.store.checksum(files, path, info)
    if given is not None:
        return _compared(what, given, copy, Verification.STORE)
    if what.store.reads_again:
        again = Checksum(_second_reading(what, files, path), checksums.sha256)
        return _compared(what, again, copy, Verification.READ_AGAIN)
    return Verification.NONE if size is None else Verification.SIZE


def _compared(what: Fetch, wanted: Checksum, copy: Path, by: Verification) -> Verification:
    if wanted.fits(copy):
        return by
    says = {
        Verification.SUM_FILE: f"its SHA-256 is not the one in {what.shown}{SUM_FILE}",
        Verification.STORE: "its checksum is not the one that the store gives",
    }
    raise _damaged(what, says.get(by, "a second reading brought other bytes"))


def _damaged(what: Fetch, why: str) -> SourceError:
    return SourceError(
        f"{what.shown} arrived damaged: the copy is not what the store holds, {why}.", "Try again, or upload it again."
    )


def _sum_file(what: Fetch, files: Any, path: str) -> Checksum | None:
    """The checksum that whoever uploaded the file wrote beside it.

    Raises:
        SourceError: there is such a file without a checksum. On the web it may be some page.
    """
    try:
        if what.store.lists and files.info(path + SUM_FILE).get("size", 0) > _LARGEST_SUM_FILE_BYTES:
            text = ""
        else:
            text = files.cat_file(path + SUM_FILE)[:_LARGEST_SUM_FILE_BYTES].decode("utf-8", "replace")
    except what.store.errors() as fault:
        if what.store.lists and explained(fault, what.store.access).kind is UnreachableError:
            raise
        return None
    found = checksums.of_sum_file(text, path.rpartition("/")[2])
    if found is None and what.store.lists:
        raise SourceError(f"There is no SHA-256 in {what.shown}{SUM_FILE}.", "Write it again, or remove it.")
    return found


def _second_reading(what: Fetch, files: Any, path: str) -> str:
    digest = hashlib.sha256()
    with files.open(path, "rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            _require_going_on(what)
            digest.update(block)
    return digest.hexdigest()
