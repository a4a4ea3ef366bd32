"""How columns are matched to a contract's fields: what a name means, what a column could be, who gets which field.

The values that the mapping and a contract pass to each other, and what a contract brings. Reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from importer.core.contract.fields import FieldSpec, Kind

if TYPE_CHECKING:
    from importer.core.batches import RawBatch
    from importer.core.sources import Detected

Part = Literal["given", "family"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one name of a column means.

    Args:
        field: the API's name of the field; or a name in round brackets, for what is not a field and becomes some.
        score: how sure the name alone is, 0 to 1.
        group: columns of one group belong together (the address `home`); empty for a column on its own.
        implies: a field and its value that follow from the name (`Mobile Phone` is a MOBILE).
    """

    field: str
    score: float
    group: str = ""
    implies: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that one column could be.

    Args:
        index: the column's place in the source, from 0.
        meaning: the field, and what goes with it.
        score: 0 to 1.
        why: the reason, for people; never a value.
    """

    index: int
    meaning: Meaning
    score: float
    why: str

    @property
    def field(self) -> str:
        """The API's name."""
        return self.meaning.field

    def of(self, name: str, factor: float = 1.0) -> Candidate:
        """The same column as another field; what its name implies stays.

        Args:
            factor: what the score is multiplied by.
        """
        return replace(self, meaning=replace(self.meaning, field=name), score=round(self.score * factor, 2))


class Look(Protocol):
    """What the sample of one column looks like."""

    @property
    def texts(self) -> Sequence[str]:
        """The cells that are not blank, stripped."""
        ...

    @property
    def filled(self) -> float:
        """Share of cells that are not blank; 1 where nothing was seen."""
        ...

    @property
    def distinct(self) -> float:
        """Share of different texts; 1 where nothing was seen."""
        ...

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the texts that pass a test; 0 where there are none."""
        ...


@dataclass(slots=True)
class Choice:
    """The state of one matching: which column has which field, why others do not, and what goes with the fields.

    Args:
        columns: the source's.
        seen: what each of them looks like.
        taken: field to its column.
        refused: place of a column to the best score that it had, and the reason why it is not used.
        constants: field to its value, and the reason.
        blank: field to what its blank cells mean.
        parts: field to the part of a whole name that it gets.
        joined: field to the places of several columns that fill it, in order.
        stripped: field to the sign that is taken away around its cells.
        stand_ins: name of what is not a field (a house number) to the field that its column fills with others.
        notes: what is worth saying about it.
        partial: rows change records that exist, so that a part of an address or of a record is enough.
    """

    columns: Sequence[str]
    seen: Sequence[Look]
    taken: dict[str, Candidate] = field(default_factory=dict)
    refused: dict[int, tuple[float, str]] = field(default_factory=dict)
    constants: dict[str, tuple[str, str]] = field(default_factory=dict)
    blank: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    joined: dict[str, tuple[int, ...]] = field(default_factory=dict)
    stripped: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[str, str] = field(default_factory=dict)
    notes: list[Detected] = field(default_factory=list)
    partial: bool = False

    def rank(self, candidate: Candidate) -> float:
        """Prefer the surer name, and among names as sure the column with more in it."""
        return candidate.score * (0.6 + 0.4 * self.seen[candidate.index].filled)

    def refuse(self, candidate: Candidate, why: str) -> None:
        """Remember the first reason why a column is not used."""
        self.refused.setdefault(candidate.index, (candidate.score, why))

    def drop(self, name: str, why: str) -> None:
        """Take a field away again."""
        candidate = self.taken.pop(name, None)
        if candidate is not None:
            self.refuse(candidate, why)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What columns are called that hold a contract's fields. The mapping folds all names before it compares them.

    Args:
        names: every name, and what it means; the API's own names and the labels of fields among them.
        spelled: the names that misspelled ones are compared with, and what they mean.
        not_ours: names that look near to one of ours and are something else.
        other_people: words that make a column of addresses, numbers or dates somebody else's.
        by_content: what a column without a known name is taken for where its cells are plainly of a kind, and how
            sure that is.
    """

    names: Callable[[], Iterable[tuple[str, Meaning]]]
    spelled: Callable[[], Iterable[str]]
    not_ours: Callable[[], Iterable[str]] = tuple
    other_people: Collection[str] = ()
    by_content: Mapping[Kind, tuple[str, float]] = field(default_factory=dict)


class Matching(Protocol):
    """What a contract knows about columns: their names, and what goes together. Pure; keeps nothing between sources."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The names of columns."""
        ...

    def looked_at(self, candidate: Candidate, column: str, look: Look) -> Candidate:
        """Read a candidate in the light of its cells; the mapping itself compares cells with the kind of a field.

        Args:
            column: the column's name, folded.
        """
        ...

    def readings(self, found: list[Candidate], choice: Choice) -> list[Candidate]:
        """Read the candidates that are sure enough as the fields of one kind of record, and refuse the others."""
        ...

    def settle(self, found: Sequence[Candidate], choice: Choice, sample: RawBatch | None) -> None:
        """Complete a choice: constants, parts of names, columns that are joined, what blank cells mean.

        Args:
            found: all candidates, those without a field, too.
            sample: the first rows; None: names alone decide.
        """
        ...

    def shared_with(self, name: str) -> str:
        """The field of another record type that the same column may fill; empty: none."""
        ...

    def needs_one_of(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        """The fields, of some, of which a row must have one for a constant of this field to mean something."""
        ...

    def said_by(self, name: str) -> tuple[str, ...]:
        """The fields that say how a field's text is read (the country of a phone number), the strongest first."""
        ...

    def understands(self, spec: FieldSpec) -> Callable[[str], object] | None:
        """The test whether validation understands a word of a field, for kinds with words; None: any text will do."""
        ...
