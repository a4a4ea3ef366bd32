"""Rows on their way from the reader to the journal: read, mapped, checked.

A batch is columnar (`frame`), since a dict per row was measured five times slower. `ordinal` counts data rows from 0
and is the key inside a run; `row` is the number that a person sees in the spreadsheet.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from importer.core.issues import Issue

if TYPE_CHECKING:
    import pandas as pd  # half a second to import: only whoever makes a frame pays for it


@dataclass(frozen=True, slots=True, eq=False)
class RawBatch:
    """Consecutive data rows as text, columnar.

    Args:
        first: ordinal of the first row.
        frame: one column of pandas' `str` type for each column of the source, under its name; a blank cell is "". The
            index holds the row numbers that a person sees, ascending. Never shown: it holds values.
        issues: what reading itself found wrong with rows (ragged, undecodable, error cells).
        surplus: place in the batch to the cells that this row has beyond the source's columns (see `surplus_of`).
    """

    first: int
    frame: pd.DataFrame = field(repr=False)
    issues: Sequence[Issue] = ()
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    _texts: list[list[str]] = field(default_factory=list, init=False, repr=False)
    _packed: list[bytes] = field(default_factory=list, init=False, repr=False)

    @property
    def rows(self) -> list[int]:
        """The row numbers that a person sees."""
        return self.frame.index.tolist()

    @property
    def cells(self) -> list[list[str]]:
        """The columns as lists of texts; made once."""
        if not self._texts:
            self._texts.extend(series.tolist() for _, series in self.frame.items())
        return self._texts

    def packed(self, pack: Callable[[pd.DataFrame], bytes]) -> bytes:
        """The cells as bytes; made once, though the journal keeps them and other processes are sent them.

        Args:
            pack: makes them, of a frame.
        """
        if not self._packed:
            self._packed.append(pack(self.frame))
        return self._packed[0]

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, slots=True)
class Change:
    """One normalisation that altered a value: nothing is changed silently.

    Args:
        rule: the rule that did it (`trim`, `phone_e164`, `email_domain_lower`, …).
        before: the value as it came from the source.
        after: the value as it will be sent.
    """

    ordinal: int
    rule: str
    field: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeColumn:
    """All changes that one rule made in one column of a batch, columnar: a changed column costs no object a row.

    Args:
        ordinals: the rows, ascending; `before` and `after` are as long.
    """

    rule: str
    field: str
    column: str
    ordinals: Sequence[int]
    before: Sequence[str]
    after: Sequence[str]

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, index: int) -> Change:
        return Change(self.ordinals[index], self.rule, self.field, self.column, self.before[index], self.after[index])


class ChangeLog(Sequence[Change]):
    """The changes of a batch, made into `Change` objects only as they are read.

    Pickled, only the totals survive: they are all that a run keeps, and the values of cells need not travel.

    Args:
        columns: the changes.
        counted: totals by rule, field and column of changes that are not here.
    """

    __slots__ = ("_counted", "columns")

    def __init__(
        self, columns: Sequence[ChangeColumn] = (), counted: Mapping[tuple[str, str, str], int] = MappingProxyType({})
    ) -> None:
        self.columns = tuple(columns)
        self._counted = counted

    def totals(self) -> dict[tuple[str, str, str], int]:
        """How many values each rule altered, by rule, field and column."""
        totals = dict(self._counted)
        for one in self.columns:
            place = (one.rule, one.field, one.column)
            totals[place] = totals.get(place, 0) + len(one)
        return totals

    def __reduce__(self) -> tuple[Any, ...]:
        return ChangeLog, ((), self.totals())

    def __len__(self) -> int:
        return sum(map(len, self.columns))

    def __iter__(self) -> Iterator[Change]:
        return (column[index] for column in self.columns for index in range(len(column)))

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        return tuple(self)[index]


@dataclass(frozen=True, slots=True, eq=False)
class MappedBatch:
    """A batch with its columns turned into customer fields, still text.

    Args:
        frame: one column of pandas' `str` type for each field, under the API's dotted name; index as of `raw.frame`.
        columns: API dotted name to the source column(s) it came from, for messages.
        issues: what mapping itself found wrong (an unmapped enum value, a date that does not fit its format).
        changes: what mapping took away before a rule of the profile read a text.
        seen: the columns that fields were looked for in, which `Grouping` counts: the source's, or those that the
            user's own function made of them; None: the source's.
    """

    raw: RawBatch
    frame: pd.DataFrame = field(repr=False)
    columns: Mapping[str, str]
    issues: Sequence[Issue] = ()
    changes: tuple[ChangeColumn, ...] = ()
    seen: pd.DataFrame | None = field(default=None, repr=False)
    _texts: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    def texts(self, name: str) -> list[str]:
        """A field's texts, one a row; made once."""
        if name not in self._texts:
            self._texts[name] = self.frame[name].tolist()
        return self._texts[name]

    def looked_in(self, index: int) -> list[str]:
        """The texts of one of the columns that fields were looked for in."""
        frame = self.raw.frame if self.seen is None else self.seen
        texts: list[str] = frame.iloc[:, index].tolist()
        return texts


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch after validation, one entry per row.

    Args:
        payloads: the request body as UTF-8 JSON in the API's names; None where the row is invalid.
        keys: the import key; None where the row is invalid.
        external_ids: the normalised `externalId`, "" where there is none.
        issues: all errors and warnings of all rows, in row order; an `IssueLog`, where there are many.
        changes: every normalisation that altered a value; a `ChangeLog`, where there are many.
        likenesses: kind (`email`, `phone`, `name_birth`, `business`) to 64 bits of a normalised text a row, 0 where
            blank: equal numbers may mean the same customer. Rows of any verdict have them.
        prints: kind to one keyed hash a row, 0 where blank: what is compared with earlier runs (`customers.likeness`).
        groups: for every row the group of rows that it is one customer with, "" for a row of its own; empty: rows are
            not grouped. Rows of any verdict have it.
        mains: ordinals of rows whose contact is marked as the group's main one.
        idv_ready: for every row whether it has what identity verification asks for; invalid rows have not.
            None: not judged.
        idv_missing: what verification asks for to the number of valid rows of this batch that lack it.
        after: what steps after the create need of a row, as UTF-8 JSON (`core.steps.parts_of`); None where a row has
            nothing for them; empty: no field of such a step is mapped.
        digests: 32 bytes a row: the hash of what is sent of it, its import key aside (`digest_of`), zeros where it is
            invalid; empty: nobody wants them.
    """

    raw: RawBatch
    payloads: Sequence[bytes | None]
    keys: Sequence[str | None]
    external_ids: Sequence[str]
    issues: Sequence[Issue] = ()
    changes: Sequence[Change] = ()
    likenesses: Mapping[str, array[int]] = field(default_factory=dict)
    prints: Mapping[str, array[int]] = field(default_factory=dict)
    groups: Sequence[str] = ()
    mains: Sequence[int] = ()
    idv_ready: Sequence[bool] | None = None
    idv_missing: Mapping[str, int] = field(default_factory=dict)
    after: Sequence[bytes | None] = ()
    digests: bytes = b""


def with_after(body: bytes, after: bytes | None) -> bytes:
    """Join the body of a create and what steps after it send, JSON objects without a name in common."""
    return body[:-1] + b"," + after[1:] if body and after else body


def digest_of(body: bytes, after: bytes | None) -> bytes:
    """SHA-256 of what is sent of a row; arguments as of `with_after`."""
    return sha256(with_after(body, after) if after else body).digest()


@dataclass(frozen=True, slots=True)
class Checked:
    """One row, checked by itself.

    Args:
        body: what is sent; empty where the row has errors.
        key: its import key; empty where it has none.
        changes: what each rule altered, in the order of the fields.
        after: what steps after the create send; empty where they have nothing to send.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    changes: tuple[Change, ...] = ()
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DuplicateVerdict:
    """The result of the search for duplicates in a source.

    Args:
        issues: errors (same import key, unless allowed) and warnings (same email, phone, or name and birth date).
        rekeyed: ordinal to its own import key, for allowed duplicates from the second on.
        groups: ordinals of allowed duplicates, those of one key together.
        leaders: for every ordinal the one that is sent for its group, -1 for a row of its own; empty: rows are
            not grouped.
    """

    issues: Sequence[Issue] = ()
    rekeyed: Mapping[int, str] = field(default_factory=dict)
    groups: Sequence[Sequence[int]] = field(default=(), compare=False)
    leaders: Sequence[int] = ()
