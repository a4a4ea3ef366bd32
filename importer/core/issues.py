"""What is wrong with rows: one issue, and the issues of many rows, which cost no object each.

A file in which every row has an issue has few different ones. So an `IssueLog` keeps each different one once
(`IssueKind`), and two numbers for every row that has it; `Issue` objects are made as they are read.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import repeat
from operator import gt
from typing import TYPE_CHECKING, Any, NamedTuple, overload

if TYPE_CHECKING:
    from importer.core.contract.fields import FieldSpec

_MANY = 20_000
"""Beyond this many issues they are sorted by numpy."""


class Severity(StrEnum):
    """An `error` makes its row invalid, a `warning` does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class IssueCode:
    """One kind of issue. Codes are stable: results and other programs rely on them.

    Args:
        code: stable, lower snake case.
        title: a few words for a table's row.
        message: the sentence about one row, for a person without programming. It may use `{label}`, `{example}`,
            `{max}`, `{values}` and `{condition}` of the field, and `{country}` and `{default}`, the row's country and
            the default one. It never holds a value.
        in_file: how to fix many rows at once in the file, or at the target; empty where only the profile can be
            changed. It may use `{field}` and `{column}`, as the next one.
        in_profile: what whoever keeps the profile may do instead, as the second half of a sentence; empty: nothing.
    """

    code: str
    title: str
    message: str
    in_file: str
    severity: Severity = Severity.ERROR
    in_profile: str = ""

    @classmethod
    def warning(cls, code: str, title: str, message: str, in_file: str, in_profile: str = "") -> IssueCode:
        """Declare an issue that keeps no row out."""
        return cls(code, title, message, in_file, Severity.WARNING, in_profile)

    @property
    def fix(self) -> str:
        """How to fix many rows at once, in the file or in the profile: one sentence."""
        if not self.in_file or not self.in_profile:
            return self.in_file or f"{self.in_profile[0].upper()}{self.in_profile[1:]}"
        return f"{self.in_file.removesuffix('.')}, or {self.in_profile}"

    def sentence(self, spec: FieldSpec | None, countries: Sequence[str] = ()) -> str:
        """Write the sentence about a field; it never holds a value.

        Args:
            spec: the field; None: the sentence as it is declared.
            countries: names of the row's country and of the default one, for the codes that name both.
        """
        if spec is None:
            return self.message
        return self.message.format(
            label=spec.label,
            example=spec.example,
            max=spec.max_chars,
            values=", ".join(spec.values),
            condition=spec.condition,
            country=f"{countries[0]} (the country of its row)" if countries else "the country of its row",
            default=f"{countries[1]} (the default region)" if countries else "the default region",
        )


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with one row: what, where, and how to fix it. Never holds the cell's value.

    Args:
        ordinal: the row's position in the source, from 0.
        code: stable, lower snake case (`phone_invalid`); documented in `core.issue_codes` or by the contract.
        message: a sentence that a person without programming knows how to act on.
        field: the API's dotted name (`primaryPhoneNumber.number`); empty for the row as a whole.
        column: the source column(s) the value came from; empty when there is none.
    """

    ordinal: int
    code: str
    message: str
    field: str = ""
    column: str = ""
    severity: Severity = Severity.ERROR

    @property
    def kind(self) -> IssueKind:
        """The issue without its row."""
        return IssueKind(self.code, self.message, self.field, self.column, self.severity)


class IssueKind(NamedTuple):
    """What issues of many rows have in common; arguments as of `Issue`."""

    code: str
    message: str
    field: str = ""
    column: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class IssueColumn:
    """All issues of one kind, columnar.

    Args:
        ordinals: the rows, ascending.
    """

    kind: IssueKind
    ordinals: Sequence[int]

    def __len__(self) -> int:
        return len(self.ordinals)


class IssueLog(Sequence[Issue]):
    """Issues by row, and of one row in the order they were found.

    Args:
        kinds: the different ones.
        ordinals: the row of every issue, ascending.
        which: the place in `kinds` of every issue.
    """

    __slots__ = ("kinds", "ordinals", "which")

    def __init__(
        self, kinds: Sequence[IssueKind] = (), ordinals: array[int] | None = None, which: array[int] | None = None
    ) -> None:
        self.kinds = tuple(kinds)
        self.ordinals = array("q") if ordinals is None else ordinals
        self.which = array("i") if which is None else which

    @classmethod
    def of(cls, *found: Iterable[Issue]) -> IssueLog:
        """Put issues together; of one row, those of the earlier arguments come first."""
        some = [issues for issues in found if not isinstance(issues, Sequence) or len(issues)]
        if len(some) == 1 and isinstance(some[0], cls):
            return some[0]
        collector = IssueCollector()
        for issues in some:
            collector.extend(issues)
        return collector.log()

    def columns(self) -> list[IssueColumn]:
        """The issues of each kind."""
        by_kind: list[array[int]] = [array("q") for _ in self.kinds]
        for ordinal, number in zip(self.ordinals, self.which, strict=True):
            by_kind[number].append(ordinal)
        return [IssueColumn(kind, ordinals) for kind, ordinals in zip(self.kinds, by_kind, strict=True) if ordinals]

    def invalid(self) -> set[int]:
        """The ordinals of the rows that have an error."""
        errors = [kind.severity is Severity.ERROR for kind in self.kinds]
        if all(errors):
            return set(self.ordinals)
        if not any(errors):
            return set()
        return {ordinal for ordinal, number in zip(self.ordinals, self.which, strict=True) if errors[number]}

    def between(self, first: int, end: int) -> IssueLog:
        """The issues of the rows `first` (included) to `end` (not)."""
        start, stop = bisect_left(self.ordinals, first), bisect_left(self.ordinals, end)
        if stop - start == len(self):
            return self
        return IssueLog(self.kinds, self.ordinals[start:stop], self.which[start:stop])

    def without(self, goes: Callable[[IssueKind], bool], ordinals: Container[int] | None = None) -> IssueLog:
        """The issues that stay when some kinds go.

        Args:
            ordinals: the rows that they go from; None: all.
        """
        going = list(map(goes, self.kinds))
        pairs = enumerate(zip(self.ordinals, self.which, strict=True))
        kept = [at for at, (row, number) in pairs if not (going[number] and (ordinals is None or row in ordinals))]
        if len(kept) == len(self):
            return self
        return IssueLog(
            self.kinds,
            array("q", map(self.ordinals.__getitem__, kept)),
            array("i", map(self.which.__getitem__, kept)),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return IssueLog, (self.kinds, self.ordinals, self.which)

    def __len__(self) -> int:
        return len(self.ordinals)

    def __iter__(self) -> Iterator[Issue]:
        kinds = self.kinds
        return (Issue(ordinal, *kinds[number]) for ordinal, number in zip(self.ordinals, self.which, strict=True))

    @overload
    def __getitem__(self, index: int) -> Issue: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Issue]: ...
    def __getitem__(self, index: int | slice) -> Issue | Sequence[Issue]:
        if isinstance(index, slice):
            return tuple(self)[index]
        return Issue(self.ordinals[index], *self.kinds[self.which[index]])

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # its arrays can change

    def __repr__(self) -> str:
        return f"IssueLog.of({list(self)!r})"


class IssueCollector:
    """Gathers issues in any order of rows; `log` puts them in order."""

    __slots__ = ("_kinds", "_numbers", "_ordinals", "_which")

    def __init__(self) -> None:
        self._kinds: list[IssueKind] = []
        self._numbers: dict[IssueKind, int] = {}
        self._ordinals = array("q")
        self._which = array("i")

    def add(self, ordinal: int, kind: IssueKind) -> None:
        """Take one issue."""
        self._ordinals.append(ordinal)
        self._which.append(self._number(kind))

    def add_all(self, ordinals: Sequence[int], kind: IssueKind) -> None:
        """Take an issue that many rows have."""
        self._ordinals.extend(ordinals)
        self._which.extend(repeat(self._number(kind), len(ordinals)))

    def extend(self, issues: Iterable[Issue]) -> None:
        """Take many issues."""
        if isinstance(issues, IssueLog):
            numbers = list(map(self._number, issues.kinds))
            self._ordinals.extend(issues.ordinals)
            self._which.extend(map(numbers.__getitem__, issues.which))
            return
        for issue in issues:
            self.add(issue.ordinal, issue.kind)

    def forget_kinds(self) -> None:
        """Compare what follows with no kind that came before: where nearly all differ, it takes memory for nothing."""
        self._numbers.clear()

    def log(self) -> IssueLog:
        """All issues by row; those of one row in the order in which they came."""
        ordinals, which = self._ordinals, self._which
        if any(map(gt, ordinals, ordinals[1:])):
            ordinals, which = _sorted(ordinals, which)
        return IssueLog(self._kinds, ordinals, which)

    def _number(self, kind: IssueKind) -> int:
        number = self._numbers.get(kind)
        if number is None:
            number = self._numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        return number


def _sorted(ordinals: array[int], which: array[int]) -> tuple[array[int], array[int]]:
    """Sort issues by row; those of one row stay in their order."""
    if len(ordinals) > _MANY:
        import numpy as np  # noqa: PLC0415 - takes longer than sorting a few

        order = np.argsort(np.frombuffer(ordinals, "int64"), kind="stable")
        taken = (np.frombuffer(ordinals, "int64")[order], np.frombuffer(which, "int32")[order])
        return array("q", taken[0].tobytes()), array("i", taken[1].tobytes())
    places = sorted(range(len(ordinals)), key=ordinals.__getitem__)
    return array("q", map(ordinals.__getitem__, places)), array("i", map(which.__getitem__, places))
