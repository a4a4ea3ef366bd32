"""Sources that lie elsewhere: fetched to a private copy, proved whole, and gone when the run is over.

A file that somebody is still uploading is not touched. Credentials come from where each kind of store looks
for them by itself (ssh keys and agent, AWS and Google settings, .netrc) and stand in no message: an address is
shown without user, password and query. Knows no run and no customer.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from importer.errors import InterruptedRunError, SourceError, StorageError, TryLaterError, UsageError
from importer.ports import Stop
from importer.profile import Profile
from importer.stores import STORES, Store, why

SPOOL_NAME = "spool"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_STAMPS = ("size", "mtime", "updated", "generation", "ETag", "etag", "LastModified", "Last-Modified", "VersionId")
"""What tells one state of a remote file from another; each store knows some of them."""

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Local:
    """A source as a file of this machine.

    Args:
        path: where it can be read.
        origin: where it came from, for people and the journal; never a secret.
    """

    path: Path
    origin: str


def is_remote(source: Path | str) -> bool:
    """Whether a source is an address, not a path."""
    return isinstance(source, str) and _ADDRESS.match(source) is not None


@contextmanager
def local_copy(
    source: Path | str,
    profile: Profile,
    pause: Callable[[float], None],
    *,
    spool: Path | None = None,
    stop: Stop | None = None,
) -> Iterator[Local]:
    """Have a source on this machine while the block lasts; a path is taken as it is. Blocks.

    Args:
        pause: waits so many seconds.
        spool: the folder for the copy; None: the system's for temporary files.
        stop: asked while fetching.

    Raises:
        UsageError: the address cannot be used, or its library is not installed.
        SourceError: it is not there, not ours to read, too large, or came broken.
        TryLaterError: it is still being uploaded.
        StorageError: the copy cannot be written.
    """
    if not is_remote(source):
        yield Local(Path(source), str(Path(source).absolute()))
        return
    store, address = _store(str(source))
    with _place(spool) as folder:
        path = folder / _name(address)
        _fetch(_Fetch(store, str(source), shown(str(source)), profile, stop), path, pause)
        yield Local(path, shown(str(source)))


def shown(address: str) -> str:
    """An address without user, password, query and fragment: any of them may be a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _store(address: str) -> tuple[Store, SplitResult]:
    scheme = address.partition("://")[0].lower()
    if scheme not in STORES:
        known = ", ".join(f"{name}://" for name in STORES)
        raise UsageError(f"A source cannot be read from '{scheme}://'.", f"Known are {known} and paths.")
    parts = _split(address)
    if parts is None:
        raise UsageError(
            f"The {scheme}:// address of the source names no file.", f"Write it like {STORES[scheme].example}."
        )
    if scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise UsageError(
            f"The source at {parts.hostname} would be fetched by plain http, where anyone on the way can read along.",
            "Write its address with https://.",
        )
    return STORES[scheme], parts


def _split(address: str) -> SplitResult | None:
    """Take an address apart; None when it names no file at all."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and bool(parts.path.strip("/")) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _name(address: SplitResult) -> str:
    name = unquote(address.path.rstrip("/").rpartition("/")[2])
    return re.sub(r"[\x00-\x1f/\\]", "_", name).lstrip(".")[:200] or "source"


# --------------------------------------------------------------------------- fetching


@dataclass(frozen=True, slots=True)
class _Fetch:
    store: Store
    address: str
    shown: str
    profile: Profile
    stop: Stop | None

    @property
    def max_bytes(self) -> int:
        return self.profile.source.limits.max_file_bytes


def _fetch(fetch: _Fetch, to: Path, pause: Callable[[float], None]) -> None:
    """Copy a file that two looks find unchanged, and that is still the same when the copy is there."""
    try:
        with fetch.store.opened(fetch.address, fetch.profile.remote.silence_s) as (files, path):
            before = files.info(path)
            _require_file(fetch, before)
            pause(fetch.profile.remote.settle_s)
            _require_same(fetch, before, files.info(path))
            files.get_file(path, str(to), callback=_meter(fetch))
            _require_same(fetch, before, files.info(path))
    except fetch.store.faults() as fault:
        if isinstance(fault, OSError) and fault.filename == str(to):
            reason = (fault.strerror or "unknown error").lower()
            raise StorageError(f"The copy of {fetch.shown} cannot be written: {reason}.", "Free some space.") from fault
        reason, mend = why(fault, fetch.store)
        raise SourceError(f"{fetch.shown} cannot be fetched: {reason}.", mend) from None
    to.chmod(0o600)
    _require_whole(fetch, before, to)


def _require_file(fetch: _Fetch, info: Mapping[str, Any]) -> None:
    if info.get("type") == "directory":
        raise SourceError(f"{fetch.shown} is a folder, not a file.", "Name the file in it that is to be imported.")
    size = info.get("size")
    if size == 0:
        raise SourceError(f"{fetch.shown} is empty (0 bytes).", "Export the customers again.")
    if size is not None and size > fetch.max_bytes:
        raise _too_large(fetch)


def _require_same(fetch: _Fetch, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if [str(before.get(stamp)) for stamp in _STAMPS] != [str(now.get(stamp)) for stamp in _STAMPS]:
        raise TryLaterError(
            f"{fetch.shown} is still being written: it changed from one look to the next.",
            "Import it when its upload is done.",
        )


def _require_whole(fetch: _Fetch, info: Mapping[str, Any], copy: Path) -> None:
    """The copy has the size and, where the store tells one, the hash of the original."""
    size, wanted = info.get("size"), _promised_md5(info)
    arrived = copy.stat().st_size
    with copy.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if (size is not None and arrived != size) or (wanted and wanted != found):
        raise SourceError(f"{fetch.shown} came broken: the copy is not what the store holds.", "Try again.")


def _promised_md5(info: Mapping[str, Any]) -> str:
    """The MD5 that the store tells; empty where it tells none (an S3 ETag of a file sent in parts is none)."""
    told = info.get("md5Hash") or info.get("Content-MD5")
    if told:
        try:
            return base64.b64decode(str(told), validate=True).hex()
        except binascii.Error:
            return ""
    tag = str(info.get("ETag", "")).strip('"')
    return tag if "LastModified" in info and _MD5.fullmatch(tag) and not info.get("SSEKMSKeyId") else ""


def _too_large(fetch: _Fetch) -> SourceError:
    return SourceError(
        f"{fetch.shown} is larger than the {fetch.max_bytes:,} bytes that are allowed.",
        "Split the file, or raise max_file_bytes in [source.limits].",
    )


def _meter(fetch: _Fetch) -> Any:
    """Watches a transfer: ends it when too much comes, or when the run stops."""
    from fsspec.callbacks import Callback  # noqa: PLC0415  # an optional library

    def check(_size: int | None, value: int, **_: Any) -> None:
        if fetch.stop is not None and fetch.stop.requested:
            raise InterruptedRunError(fetch.stop.reason)
        if value > fetch.max_bytes:
            raise _too_large(fetch)

    return Callback(hooks={"check": check})


# --------------------------------------------------------------------------- where copies lie


@contextmanager
def _place(spool: Path | None) -> Iterator[Path]:
    """A private folder that goes when the block ends; those of killed programs go when the next one comes."""
    try:
        if spool is not None:
            spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(spool)
        folder = Path(tempfile.mkdtemp(prefix="copy-", dir=spool))
        held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(f"No copy of the source can be kept in {spool}: {reason}.", "Check --workspace.") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep(spool: Path) -> None:
    """Remove the copies of programs that no longer live: nobody holds their lock. Harmless where there is no spool."""
    for folder in spool.glob("copy-*"):
        try:
            held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(held)
