"""Who a record is: import keys, likenesses, and several rows that are one record. What a contract brings, and hashes.

Keys and likenesses are keyed hashes: they show that two rows are equal, and nothing else about them.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

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


@dataclass(frozen=True, slots=True)
class Likeness:
    """One thing that two records may have in common, by chance or since they are the same.

    Args:
        fields: those that it may be about, the most important one first.
        code: the issue code for rows of one source that have it in common; empty: such rows are not compared.
        words: what it is called in a sentence about records of earlier runs; empty: those are not compared.
    """

    fields: tuple[str, ...]
    code: str = ""
    words: str = ""


class Renewed(NamedTuple):
    """What today's rules make of a body whose key an earlier rule made.

    Args:
        key: today's import key; the same where nothing has changed.
        prints: every likeness that is not blank, those that only today's rules see included.
    """

    key: str
    prints: Sequence[int]


# --------------------------------------------------------------------------- rows that are one record


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A field of the record itself that two rows of a group fill differently, or that is too much for one body.

    Args:
        field: the API's name.
        places: of the two rows in the group.
        code: the issue's.
        text: its sentence, with `{rows}` and `{what}`.
    """

    field: str
    places: tuple[int, int]
    code: str = "group_differs"
    text: str = "Rows {rows} are one business and differ in {what}; write the same into both, or leave one blank."


class Groups(Protocol):
    """How several rows are one record with several members (a business with its contacts)."""

    @property
    def record_type(self) -> str:
        """The record type that rows are grouped to."""
        ...

    @property
    def name_field(self) -> str:
        """The field that names such a record."""
        ...

    @property
    def most(self) -> int:
        """How many rows one record may have."""
        ...

    @property
    def several_mains(self) -> str:
        """The issue code for rows of one record of which several are marked as the main one."""
        ...

    def tells_apart(self, name: str) -> bool:
        """Whether a field belongs to the record itself, so that rows can be grouped by it."""
        ...

    def folded(self, name: str, texts: Sequence[str]) -> list[str]:
        """Write texts of a field so that those are equal which mean the same record; "" where one is blank."""
        ...

    def merge(
        self, bodies: Sequence[Mapping[str, Any]], main: int, *, stamp: str, key: str, alike: Sequence[str] = ()
    ) -> dict[str, Any] | Contradiction:
        """Make one body of the bodies of a group's rows.

        Args:
            bodies: valid request bodies.
            main: place of the row whose member is the main one, and whose spelling is taken.
            stamp: the name under which a body carries the import key; empty: it does not.
            key: the import key of the group.
            alike: fields that the rows are grouped by: equal but for their writing.
        """
        ...


class Identity(Protocol):
    """What a contract knows about who its records are. Pure."""

    @property
    def likenesses(self) -> Mapping[str, Likeness]:
        """The kinds of likeness."""
        ...

    @property
    def reference_field(self) -> str:
        """The field that holds the id that a record has in the source; empty: there is none."""
        ...

    @property
    def personal(self) -> tuple[str, ...]:
        """Kinds of print by which records differ under one reference: one that shares none of them is another."""
        ...

    @property
    def groups(self) -> Groups | None:
        """How several rows are one record; None: every row is a record of its own."""
        ...

    @property
    def key_rule(self) -> int:
        """The rule by which import keys are made today, from 1; raised with every change of a normalisation."""
        ...

    @property
    def changed_fields(self) -> tuple[str, ...]:
        """The fields whose normalisation changed between the rules; empty where there is one rule only."""
        ...

    def prints_of(self, secret: bytes, body: Mapping[str, Any], kinds: Collection[str]) -> dict[str, int]:
        """Hash what a request body has of some kinds of likeness, or personal ones; 0 where it has nothing.

        Args:
            secret: the workspace's key, at most 64 bytes.
        """
        ...

    def renewed(self, secret: bytes, body: Mapping[str, Any], key: str) -> Renewed:
        """Work out today's key and likenesses of a body whose key an earlier rule made."""
        ...

    def former_keys(self, secret: bytes, body: Mapping[str, Any], key: str, region: str | None) -> Iterator[str]:
        """The keys that earlier rules may have given to a row whose body, and key, are of today.

        Args:
            region: the default region of phone numbers.
        """
        ...


class RowIdentities(Protocol):
    """Who the rows of some columns are; what is asked of it is computed then."""

    def keys(self) -> list[str]:
        """The import key of every row."""
        ...

    def likenesses(self) -> dict[str, Sequence[str]]:
        """What every row has for each kind of likeness that has an issue code."""
        ...

    def prints(self) -> dict[str, array[int]]:
        """Hashes of what every row has for each kind, to be compared with earlier runs."""
        ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which rows are ready for what comes after their creation (identity verification).

    Args:
        ready: one entry a row; invalid rows are not ready.
        missing: piece to the number of valid rows that lack it.
    """

    ready: Sequence[bool]
    missing: Mapping[str, int] = field(default_factory=dict)
