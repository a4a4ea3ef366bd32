"""Sources at an address: fetched to a private copy, which is verified, and removed when the run is over.

A file that somebody is still uploading is not touched. Credentials come from where each kind of store looks
for them by itself (ssh keys and agent, AWS and Google settings, .netrc) and are in no message: an address is
shown without user, password and query. Knows no run and no customer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from importer.core.errors import UsageError
from importer.core.ports import Stop
from importer.profile import Profile
from importer.readers.remote.fetching import Fetch, Verification, fetch
from importer.readers.remote.stores import STORES, Store
from importer.runs.leftovers import private_folder

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A source as a file of this machine.

    Args:
        path: where it can be read.
        origin: where it came from, for people and the journal; never a secret.
        verification: how the copy was verified; None for a file of this machine.
    """

    path: Path
    origin: str
    verification: Verification | None = None

    @property
    def warning(self) -> str:
        """A sentence about a copy that could hardly be verified; empty otherwise."""
        warnings = {
            Verification.SIZE: f"Only the size of {self.origin} could be checked: its server gives no hash of it.",
            Verification.NONE: f"Neither size nor hash of {self.origin} could be checked: its server gives none.",
        }
        return "" if self.verification is None else warnings.get(self.verification, "")


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
) -> Iterator[LocalCopy]:
    """Have a source on this machine while the block lasts; a path is taken as it is. Blocks.

    Args:
        pause: waits this many seconds.
        spool: the folder for the copy; None: the system's for temporary files.
        stop: asked while fetching.

    Raises:
        UsageError: the address cannot be used, or its library is not installed.
        SourceError: it is missing, too large, or arrived damaged.
        AccessError: the credentials or their rights are refused.
        TryLaterError: it is still being uploaded, or its server cannot be reached.
        StorageError: the copy cannot be written.
    """
    if not is_remote(source):
        yield LocalCopy(Path(source), str(Path(source).absolute()))
        return
    store, address = store_of(str(source))
    # A signed query is valid for the path that it belongs to, and for no other file beside it.
    what = Fetch(store, shown(str(source)), profile.source.limits.max_file_bytes, stop, with_sum_file=not address.query)
    with private_folder(spool) as folder:
        path, settle = folder / _name(address), partial(pause, profile.remote.settle_s)
        with (
            store.errors_explained(f"{what.shown} cannot be fetched"),
            store.opened(str(source), profile.remote.silence_s) as (files, there),
        ):
            verification = fetch(what, files, there, path, settle)
        yield LocalCopy(path, what.shown, verification)


def shown(address: str) -> str:
    """An address without user, password, query and fragment: any of them may be a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def store_of(address: str, *, folder: bool = False) -> tuple[Store, SplitResult]:
    """The kind of store that an address is in, and its parts.

    Args:
        folder: a folder is meant, which may be the root.

    Raises:
        UsageError: there is no such kind, or the address names nothing.
    """
    scheme = address.partition("://")[0].lower()
    if scheme not in STORES:
        known = ", ".join(f"{name}://" for name in STORES)
        raise UsageError(f"A source cannot be read from '{scheme}://'.", f"Known are {known} and paths.")
    parts = _split(address)
    if parts is None or not (folder or parts.path.strip("/")):
        raise UsageError(
            f"The {scheme}:// address of the source names no {'folder' if folder else 'file'}.",
            f"Write it like {STORES[scheme].example}.",
        )
    if scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise UsageError(
            f"The source at {parts.hostname} would be fetched by plain http, where anyone on the way can read along.",
            "Write its address with https://.",
        )
    return STORES[scheme], parts


def _split(address: str) -> SplitResult | None:
    """Take an address apart; None when it names no host."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _name(address: SplitResult) -> str:
    name = unquote(address.path.rstrip("/").rpartition("/")[2])
    return re.sub(r"[\x00-\x1f/\\]", "_", name).lstrip(".")[:200] or "source"
