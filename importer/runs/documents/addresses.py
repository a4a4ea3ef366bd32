"""Addresses of documents: read only if they lie below one that the profile lists. Compares parts, never strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from importer.core.errors import ProfileError
from importer.readers.remote.stores import STORES

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\\\x00-\x1f\x7f]+")
_CHAIN = "::"
"""The library of stores reads what is behind it as another address, a file of this machine among them."""
_PORTS = {"https": 443, "http": 80, "sftp": 22}
NOT_ALLOWED = "document_address"
"""The code of the issue."""
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


class Address(NamedTuple):
    """The parts of an address that decide whether it is allowed."""

    scheme: str
    host: str
    port: int | None
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllowedAddresses:
    """The addresses that documents may be read from."""

    prefixes: tuple[Address, ...] = ()

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> AllowedAddresses:
        """Take the profile's list.

        Raises:
            ProfileError: an entry of it cannot be used.
        """
        return cls(tuple(map(_prefix, prefixes)))

    def allow(self, text: str) -> bool:
        """Whether an address is below one of the list."""
        address = _parsed(text)
        return address is not None and any(
            address[:3] == one[:3]
            and len(address.folders) > len(one.folders)
            and address.folders[: len(one.folders)] == one.folders
            for one in self.prefixes
        )


def is_address(text: str) -> bool:
    """Whether a cell names an address rather than a file, usable or not."""
    return "://" in text


def file_name(address: str) -> str:
    """The last part of an address's path, which has the extension of its file."""
    return unquote(urlsplit(address).path).rpartition("/")[2]


def _prefix(text: str) -> Address:
    found = _parsed(text.rstrip("/"))
    if found is None or urlsplit(text).query:
        raise ProfileError(
            f"documents.addresses: entry {_shown(text)} cannot be used.",
            "Write addresses like https://files.example.com/scans, without user, password, query and fragment; plain "
            "http is for this machine alone.",
        )
    return found


def _shown(text: str) -> str:
    return f"'{text.rpartition('@')[2].partition('?')[0]}'"


def _parsed(text: str) -> Address | None:
    """Take an address apart; None: it is not one, or parts of it could be read in two ways."""
    if _ADDRESS.fullmatch(text) is None or _CHAIN in text:
        return None
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in STORES or not host or "@" in parts.netloc or parts.fragment:
        return None
    if scheme == "http" and host not in _THIS_MACHINE:
        return None
    folders = _folders(parts.path)
    return None if folders is None else Address(scheme, host, port or _PORTS.get(scheme), folders)


def _folders(path: str) -> tuple[str, ...] | None:
    """The parts of a path as a server reads them; None: one of them leads upwards, or hides a separator."""
    raw = path.removeprefix("/").split("/") if path.strip("/") else []
    folders = tuple(map(unquote, raw))
    twice = tuple(map(unquote, folders))  # some servers decode once more
    hidden = any(re.search(r"[/\\\x00-\x1f\x7f]", one) for one in (*folders, *twice))
    upwards = any(one.partition(";")[0] in {"", ".", ".."} for one in (*folders, *twice))
    return None if hidden or upwards else folders
