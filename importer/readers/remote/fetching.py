"""One remote file becomes a copy on this machine: looked at twice, fetched once, and compared with a checksum.

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
from importer.readers.remote.faults import why
from importer.readers.remote.stores import Store

SUM_FILE = ".sha256"
_LARGEST_SUM_FILE_BYTES = 65_536
_BLOCK_BYTES = 1 << 20
_STAMPS = ("size", "mtime", "updated", "generation", "ETag", "etag", "LastModified", "Last-Modified", "VersionId")
"""What distinguishes one state of a remote file from another; each store knows some of them."""


class Proof(StrEnum):
    """Why a copy is believed to be the original."""

    SUM_FILE = "sum_file"
    """It has the sum that stands in `NAME.sha256` beside the original."""
    STORE = "store"
    """It has the checksum that the store gives."""
    READ_AGAIN = "read_again"
    """A second reading brought the same bytes."""
    SIZE = "size"
    """Only its length is right: there was nothing else to hold it against."""
    NONE = "none"
    """Not even the length is known."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """What is fetched, and within which bounds.

    Args:
        shown: the address for people.
        max_bytes: more is refused.
        stop: asked under way; None: nobody stops it.
        with_sum_file: `NAME.sha256` is looked for.
        may_be_empty: a file of no bytes is fetched like any other.
    """

    store: Store
    shown: str
    max_bytes: int
    stop: Stop | None = None
    with_sum_file: bool = True
    may_be_empty: bool = False


def fetch(what: Fetch, files: Any, path: str, to: Path, pause: Callable[[], None]) -> Proof:
    """Copy a file that two looks find unchanged, and that is still the same when the copy is there.

    Args:
        files: the open file system, `path` in it.
        pause: waits between the two looks.

    Raises:
        StillWrittenError: it changed meanwhile.
        SourceError: it cannot be used, or the copy is not what the store holds.
        StorageError: the copy cannot be written.
        ImporterError: as `Store.faults_named`.
    """
    with what.store.faults_named(f"{what.shown} cannot be fetched"):
        before = files.info(path)
        _require_file(what, before)
        pause()
        _require_same(what, before, files.info(path))
        with _writing(what, to):
            files.get_file(path, str(to), callback=meter(what))
        _require_same(what, before, files.info(path))
        to.chmod(0o600)
        proof = _proven(what, files, path, before, to)
        if proof is Proof.READ_AGAIN:
            _require_same(what, before, files.info(path))
        return proof


def stamps(info: Mapping[str, Any]) -> str:
    """What two looks at the same state of a file agree in."""
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
            f"{what.shown} is still being written: it changed from one look to the next.",
            "Import it when its upload is done.",
        )


def _too_large(what: Fetch) -> SourceError:
    return SourceError(
        f"{what.shown} is larger than the {what.max_bytes:,} bytes that are allowed.",
        "Split the file, or raise max_file_bytes in [source.limits].",
    )


def meter(what: Fetch) -> Any:
    """Watches a transfer: ends it when too much comes, or when the run stops."""
    from fsspec.callbacks import Callback  # noqa: PLC0415  # an optional library

    def check(_size: int | None, value: int, **_: Any) -> None:
        _require_going_on(what)
        if value > what.max_bytes:
            raise _too_large(what)

    return Callback(hooks={"check": check})


def _require_going_on(what: Fetch) -> None:
    if what.stop is not None and what.stop.requested:
        raise InterruptedRunError(what.stop.reason)


# --------------------------------------------------------------------------- proving


def _proven(what: Fetch, files: Any, path: str, info: Mapping[str, Any], copy: Path) -> Proof:
    size = info.get("size")
    if size is not None and copy.stat().st_size != size:
        raise _broken(what, "its length is not the one that the store gives")
    written = _sum_file(what, files, path) if what.with_sum_file else None
    if written is not None:
        return _held_against(what, written, copy, Proof.SUM_FILE)
    promised = what.store.promise(files, path, info)
    if promised is not None:
        return _held_against(what, promised, copy, Proof.STORE)
    if what.store.reads_again:
        again = Checksum(_second_reading(what, files, path), checksums.sha256)
        return _held_against(what, again, copy, Proof.READ_AGAIN)
    return Proof.NONE if size is None else Proof.SIZE


def _held_against(what: Fetch, wanted: Checksum, copy: Path, proof: Proof) -> Proof:
    if wanted.fits(copy):
        return proof
    says = {
        Proof.SUM_FILE: f"its SHA-256 is not the one in {what.shown}{SUM_FILE}",
        Proof.STORE: "its checksum is not the one that the store gives",
    }
    raise _broken(what, says.get(proof, "a second reading brought other bytes"))


def _broken(what: Fetch, why: str) -> SourceError:
    return SourceError(
        f"{what.shown} came broken: the copy is not what the store holds, {why}.", "Try again, or upload it again."
    )


def _sum_file(what: Fetch, files: Any, path: str) -> Checksum | None:
    """The sum that whoever uploaded the file wrote beside it.

    Raises:
        SourceError: there is such a file, but no sum in it. On the web there may be a page in its place.
    """
    try:
        if what.store.lists and files.info(path + SUM_FILE).get("size", 0) > _LARGEST_SUM_FILE_BYTES:
            text = ""
        else:
            text = files.cat_file(path + SUM_FILE)[:_LARGEST_SUM_FILE_BYTES].decode("utf-8", "replace")
    except what.store.faults() as fault:
        if what.store.lists and why(fault, what.store.access).kind is UnreachableError:
            raise
        return None
    found = checksums.of_sum_file(text, path.rpartition("/")[2])
    if found is None and what.store.lists:
        raise SourceError(f"There is no SHA-256 in {what.shown}{SUM_FILE}.", "Write it anew, or remove it.")
    return found


def _second_reading(what: Fetch, files: Any, path: str) -> str:
    digest = hashlib.sha256()
    with files.open(path, "rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            _require_going_on(what)
            digest.update(block)
    return digest.hexdigest()
