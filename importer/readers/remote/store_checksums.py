"""The checksum that each kind of store gives for the bytes that it holds.

One function per kind, the strongest checksum first; None where the store gives nothing that a copy can be compared
with. They raise the errors of the store's library, as any other request to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from importer.readers.remote import checksums
from importer.readers.remote.checksums import Checksum

_MD5 = re.compile(r"[0-9a-f]{32}")
_IN_PARTS = re.compile(r"([0-9a-f]{32})-(\d+)")
_MOST_PARTS_ASKED = 1000


def nothing(_files: Any, _path: str, _info: Mapping[str, Any]) -> Checksum | None:
    """The protocol has no checksums (SFTP: no server in use has the extension for them)."""
    return None


def google(_files: Any, _path: str, info: Mapping[str, Any]) -> Checksum | None:
    """Google gives the MD5; not of objects that were composed of others."""
    return checksums.encoded("md5", str(info["md5Hash"])) if info.get("md5Hash") else None


def amazon(files: Any, path: str, info: Mapping[str, Any]) -> Checksum | None:
    """S3 gives what the sender asked for; else the ETag is an MD5, of the whole or of the parts' MD5s.

    Not where the object is encrypted with a key of the customer's: its ETag is not a checksum then.
    Source: the S3 user guide, "Checking object integrity".
    """
    bucket, key, _ = files.split_path(path)
    head = files.call_s3("head_object", Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    given = _given(head)
    if given is not None:
        return given
    tag = str(head.get("ETag", "")).strip('"')
    if head.get("SSEKMSKeyId") or head.get("SSECustomerAlgorithm"):
        return None
    parts = _IN_PARTS.fullmatch(tag)
    if parts is None:
        return checksums.hashed("md5", tag) if _MD5.fullmatch(tag) else None
    sizes = _part_sizes(files, bucket, key, int(parts[2]), int(info["size"]))
    return checksums.in_parts(parts[1], sizes) if sizes else None


def _given(head: Mapping[str, Any]) -> Checksum | None:
    """A checksum of the whole object; of one that was sent in parts it may be one of the parts' checksums instead."""
    whole = "COMPOSITE" if "-" in str(head.get("ETag")) else "FULL_OBJECT"
    if head.get("ChecksumType", whole) != "FULL_OBJECT":
        return None
    if head.get("ChecksumSHA256"):
        return checksums.encoded("sha256", str(head["ChecksumSHA256"]))
    return checksums.crc32(str(head["ChecksumCRC32"])) if head.get("ChecksumCRC32") else None


def _part_sizes(files: Any, bucket: str, key: str, count: int, size: int) -> list[int]:
    """The size of each part: nearly always all but the last are equal; [] where the store does not say."""

    def asked(number: int) -> int:
        head = files.call_s3("head_object", Bucket=bucket, Key=key, PartNumber=number)
        return int(head["ContentLength"])

    first = asked(1)
    if not 0 < first <= size or count > _MOST_PARTS_ASKED:
        return []
    if math.ceil(size / first) == count and (count == 1 or asked(count) == size - first * (count - 1)):
        return [first] * (count - 1) + [size - first * (count - 1)]
    sizes = [first, *(asked(number) for number in range(2, count + 1))]
    return sizes if sum(sizes) == size else []


def web(files: Any, path: str, info: Mapping[str, Any]) -> Checksum | None:
    """Web servers may give one in `Repr-Digest` (RFC 9530), `Digest` (RFC 3230) or `Content-MD5`."""
    for given in (_repr_digest(files, path), str(info.get("Digest", ""))):
        found = checksums.of_header(given)
        if found is not None:
            return found
    return checksums.encoded("md5", str(info["Content-MD5"])) if info.get("Content-MD5") else None


def _repr_digest(files: Any, path: str) -> str:
    """Asked for separately, since the library keeps the older headers only."""
    from fsspec.asyn import sync  # noqa: PLC0415  # an optional library

    async def ask() -> str:
        session = await files.set_session()
        wanted = {"Accept-Encoding": "identity", "Want-Repr-Digest": "sha-256=10, sha-512=5"}
        request = {**files.kwargs, "headers": wanted, "allow_redirects": True}
        async with session.head(files.encode_url(path), **request) as answer:
            return ", ".join(answer.headers.getall("Repr-Digest", []))

    return str(sync(files.loop, ask))
