"""Keyed hashes: import keys, and likenesses. They show that two rows are equal, and nothing else about them. Pure."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

KEY_BYTES = 16
PRINT_BYTES = 8
SEPARATOR = "\x1f"
"""Is between the parts of an identity; no normalised text holds it."""
_MARK_DIGITS = 8


def key_of(secret: bytes, identity: str) -> str:
    """Hash an identity's text to its import key.

    Args:
        secret: the workspace's key, at most 64 bytes.

    Returns:
        32 hexadecimal characters.
    """
    return hashlib.blake2b(identity.encode(), key=secret, digest_size=KEY_BYTES).hexdigest()


def keys_of(secret: bytes, identities: Iterable[str]) -> list[str]:
    """The same for a whole column of identities."""
    begun = hashlib.blake2b(key=secret, digest_size=KEY_BYTES)

    def key(text: str) -> str:
        hashed = begun.copy()  # begun once, the secret is not hashed again for every row
        hashed.update(text.encode())
        return hashed.hexdigest()

    return list(map(key, identities))


def occurrence_key(key: str, n: int) -> str:
    """Give the n-th row (from 2 on) with the same import key a key of its own, in every run the same one."""
    text = SEPARATOR.join((key, str(n)))
    return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()


# --------------------------------------------------------------------------- likenesses


def prints(secret: bytes, kind: str, texts: Iterable[str]) -> array[int]:
    """Hash a column of texts to 64 bits each; 0 where a text is blank.

    Args:
        secret: the workspace's key, at most 64 bytes: without it nobody can try out addresses or numbers.
    """
    begin, blank = _begun(secret, kind).copy, bytes(PRINT_BYTES)
    digests: list[bytes] = []
    for text in texts:
        if text:
            one = begin()  # begun once, the secret is not hashed again for every text
            one.update(text.encode())
            digests.append(one.digest())
        else:
            digests.append(blank)
    found = array("q")
    found.frombytes(b"".join(digests))
    return found


@lru_cache(64)
def _begun(secret: bytes, kind: str) -> hashlib.blake2b:
    return hashlib.blake2b(f"{kind}{SEPARATOR}".encode(), key=secret, digest_size=PRINT_BYTES)


def person_of(found: Mapping[str, int], kinds: Sequence[str]) -> str:
    """Write down who is under a reference: some digits of each personal likeness.

    Args:
        kinds: `Identity.personal`.
    """
    return "".join([f"{found.get(kind, 0) % 16**_MARK_DIGITS:0{_MARK_DIGITS}x}" for kind in kinds])


def is_another(person: str, other: str) -> bool:
    """Whether two persons have nothing in common; False where nothing of both is known."""
    pairs = zip(_marks(person), _marks(other), strict=False)
    known = [(mine, theirs) for mine, theirs in pairs if int(mine, 16) and int(theirs, 16)]
    return bool(known) and not any(mine == theirs for mine, theirs in known)


def _marks(person: str) -> Sequence[str]:
    return [person[at : at + _MARK_DIGITS] for at in range(0, len(person), _MARK_DIGITS)]
