"""Who a record is: what a contract brings to recognise records again, and several rows that are one record.

The keyed hashes are in `keyed_hashes`.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


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

    def distinguishes(self, name: str) -> bool:
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
            bodies: valid request bodies, each with what steps after the create send under the names of these steps;
                so is what is made of them.
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

    def keys_under(self, secrets: Sequence[bytes], body: Mapping[str, Any], key: str) -> Sequence[str]:
        """The key of a row as each of these secrets makes it, one of which has made its key.

        Returns:
            One for each secret; nothing where it cannot be found out how the key came from the body.
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
