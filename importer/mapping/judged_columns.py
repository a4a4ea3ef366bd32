"""Fields whose columns are judged as a whole, and then read in one way (day first? decimal comma?). Guesses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

from importer.core.errors import SourceError
from importer.core.sources import Detected
from importer.mapping.edits import Edit, chained
from importer.mapping.plans import FieldPlan
from importer.mapping.source_cells import SourceColumns
from importer.mapping.text_columns import Column, edited

Choice = TypeVar("Choice", bound=str)
Verdict = Detected | SourceError | None
"""What was found out about one column, or why it cannot be read; None: there is nothing to decide."""


class Evidence(Protocol):
    """What one column says about the way in which it is written."""

    def observe(self, texts: Iterable[str], row_of: Callable[[str], int]) -> None:
        """See the different texts of one batch of the column; `row_of` gives the first row that holds a text."""
        ...

    @property
    def settled(self) -> bool:
        """Whether everything seen so far can be read already."""
        ...

    @property
    def choice(self) -> str | None:
        """The way that is proved; None: none is, or several are."""
        ...


Found = TypeVar("Found", bound=Evidence)


@dataclass(slots=True)
class _Judged(Generic[Choice, Found]):
    """A field of which the way is still open, or given."""

    plan: FieldPlan
    given: Choice | None
    before: Edit | None
    evidence: Found

    @property
    def choice(self) -> Choice | None:
        return self.given or cast("Choice | None", self.evidence.choice)


@dataclass(slots=True)
class JudgedColumns(Generic[Choice, Found]):
    """The fields of one source and one kind that name no way of writing.

    Args:
        make_evidence: makes what a column's texts are shown to.
        reads: makes the step that reads texts of a field that are written in a way; None: in no known one.
        word: words what was found out about one column, or nothing; gets plan, evidence and what was given.
        plain: whether a whole column needs no look.
        choices: the way in which each field is read, as far as settled; None: none was needed.
        edits: to each field of `choices` the step that reads it.
    """

    make_evidence: Callable[[FieldPlan], Found]
    reads: Callable[[FieldPlan, Choice | None], Edit]
    word: Callable[[FieldPlan, Found, Choice | None], Detected | None]
    plain: Callable[[Column[Any]], bool]
    choices: dict[str, Choice | None] = field(default_factory=dict)
    edits: dict[str, Edit] = field(default_factory=dict)
    _columns: list[_Judged[Choice, Found]] = field(default_factory=list)

    def add(self, plan: FieldPlan, given: Choice | Literal["auto"], before: Edit | None) -> None:
        """Take a field.

        Args:
            given: the way that the profile names; `auto`: the column is judged.
            before: the steps of its rule that come first.
        """
        way = None if given == "auto" else given
        self._columns.append(_Judged(plan, way, before, self.make_evidence(plan)))

    def __len__(self) -> int:
        return len(self._columns)

    def observe(self, source: SourceColumns) -> None:
        """See a batch."""
        for one in self._columns:
            column, _ = source.texts(one.plan, bare=True)
            if one.before is not None:
                column, _ = edited(column, one.before)
            if not self.plain(column):
                one.evidence.observe(column.unique().tolist(), partial(_first_row, column))

    @property
    def settled(self) -> bool:
        """Whether everything seen so far can be read already."""
        return all(one.given is not None or one.evidence.settled for one in self._columns)

    def settle(self) -> None:
        """Read every column in the way that is proved by now, or given."""
        for one in self._columns:
            if one.plan.name not in self.choices or self.choices[one.plan.name] != one.choice:
                self._read(one, one.choice)

    def settle_as(self, choices: Mapping[str, Choice | None]) -> None:
        """Read columns in ways that were settled before; fields not in `choices` stay open."""
        for one in self._columns:
            if one.plan.name in choices:
                self._read(one, choices[one.plan.name])

    def _read(self, one: _Judged[Choice, Found], choice: Choice | None) -> None:
        last = self.reads(one.plan, choice)
        self.edits[one.plan.name] = chained([one.before, last]) if one.before else last
        self.choices[one.plan.name] = choice

    def decided(self) -> list[Detected]:
        """Word what was found out.

        Raises:
            SourceError: nothing decides how to read a column.
        """
        return [note for one in self._columns if (note := self.word(one.plan, one.evidence, one.given))]

    def verdicts(self) -> list[tuple[FieldPlan, Verdict]]:
        """The same for each field alone, and nothing is raised."""
        return [(one.plan, self._verdict(one)) for one in self._columns]

    def _verdict(self, one: _Judged[Choice, Found]) -> Verdict:
        try:
            return self.word(one.plan, one.evidence, one.given)
        except SourceError as error:
            return error


def _first_row(column: Column[Any], text: str) -> int:
    return int(column.index[int((column == text).argmax())])
