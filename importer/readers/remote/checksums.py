"""What a copy is compared with: checksums of files, and the forms in which stores and people write them.

Reads local files only; `importer.readers.remote.store_checksums` asks each kind of store for its checksum.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 1 << 20
_SHA256 = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
_DIGESTS = {"sha-512": "sha512", "sha-256": "sha256", "md5": "md5"}
"""The names of RFC 9530 and RFC 3230, the strongest first."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """The checksum of the original, and how to compute that of a copy.

    Args:
        wanted: in hexadecimal, lower case.
        of: computes the same kind of checksum of a file.
    """

    wanted: str
    of: Callable[[Path], str]

    def fits(self, copy: Path) -> bool:
        """Whether a copy has this checksum."""
        return self.of(copy) == self.wanted


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return _hashed(path, "sha256")


def hashed(algorithm: str, wanted: str) -> Checksum:
    """A plain hash, by its name in `hashlib`; `wanted` in hexadecimal."""
    return Checksum(wanted.lower(), lambda path: _hashed(path, algorithm))


def encoded(algorithm: str, wanted: str) -> Checksum | None:
    """A plain hash whose wanted value is written in base64; None when that cannot be read."""
    try:
        return hashed(algorithm, base64.b64decode(wanted, validate=True).hex())
    except binascii.Error:
        return None


def crc32(wanted: str) -> Checksum | None:
    """A CRC-32 in base64, as S3 writes it."""
    try:
        return Checksum(base64.b64decode(wanted, validate=True).hex(), _crc32)
    except binascii.Error:
        return None


def in_parts(wanted: str, sizes: Sequence[int]) -> Checksum:
    """The checksum of a file that was sent to S3 in parts: the MD5 of the MD5s of its parts.

    Args:
        wanted: in hexadecimal, without the number of parts.
        sizes: of the parts, in bytes.
    """
    return Checksum(wanted.lower(), lambda path: _parts_md5(path, sizes))


def of_header(value: str) -> Checksum | None:
    """The strongest checksum in a `Repr-Digest` or `Digest` header; None when there is none that is known."""
    given = dict(_entries(value))
    known = (encoded(ours, given[name]) for name, ours in _DIGESTS.items() if name in given)
    return next((found for found in known if found is not None), None)


def of_sum_file(text: str, name: str) -> Checksum | None:
    """The checksum in a `NAME.sha256` file, as `sha256sum` writes it; None when there is none for this name.

    Args:
        name: of the file that is meant, where the sum file lists several.
    """
    lines = [line for line in text.splitlines() if _SHA256.search(line)]
    meant = [line for line in lines if name in line] if len(lines) > 1 else lines
    found = _SHA256.search(meant[0]) if meant else None
    return hashed("sha256", found[0]) if found else None


def _entries(value: str) -> Iterator[tuple[str, str]]:
    for entry in value.split(","):
        name, _, given = entry.strip().partition("=")
        yield name.lower(), given.strip(":")


def _hashed(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _crc32(path: Path) -> str:
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            value = zlib.crc32(block, value)
    return f"{value:08x}"


def _parts_md5(path: Path, sizes: Sequence[int]) -> str:
    whole = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        for size in sizes:
            part, left = hashlib.md5(usedforsecurity=False), size
            while left and (block := stream.read(min(left, _BLOCK_BYTES))):
                part.update(block)
                left -= len(block)
            whole.update(part.digest())
    return whole.hexdigest()
