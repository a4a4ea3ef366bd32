"""How the rows of a draft are checked again without its file: each by itself, and whose duplicate each is."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, cast

import pandas as pd

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.contract import Contract
from importer.core.frames import raw_batch
from importer.core.issue_codes.checking import DUPLICATE_IN_FILE
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import Issue, IssueKind, IssueLog
from importer.profile import ValidationSettings
from importer.runs.kept_profile import contract_of_run, kept_profile
from importer.runs.rechecker import Rechecker
from importer.runs.registry import OpenedRun
from importer.validation import DuplicateJudge

_TOGETHER = 4_096
"""Rows that are checked together."""


class Asked(NamedTuple):
    """A row that is to be checked by itself.

    Args:
        reading: what reading found wrong with it.
    """

    number: int
    cells: tuple[str, ...]
    reading: tuple[IssueKind, ...] = ()

    @classmethod
    def of(cls, number: int, cells: tuple[str, ...], issues: Iterable[IssueKind]) -> Asked:
        """Ask for a row with some issues, of which reading has found some."""
        return cls(number, cells, tuple(kind for kind in issues if kind.code in READING_CODES))


class Verdict(NamedTuple):
    """What checking one row by itself gives.

    Args:
        key: its import key; None where it is invalid.
        likenesses: kind of likeness to the number of its text; kinds that are blank are left out.
    """

    issues: tuple[IssueKind, ...]
    key: str | None = None
    likenesses: Mapping[str, int] = {}


@dataclass(frozen=True, eq=False)
class RowChecks:
    """The checks of one dry run, put together again.

    Args:
        columns: of the source.
        rechecker: None: an earlier program kept too little to check a row again.
        duplicates: what becomes of rows with one import key.
    """

    contract: Contract
    columns: Sequence[str]
    rechecker: Rechecker | None
    duplicates: Literal["reject", "first", "allow"]

    @classmethod
    def of(cls, run: OpenedRun) -> RowChecks:
        """Put together what a dry run has kept."""
        kept = kept_profile(run.stored)
        chosen = kept.settings.get("validation", {}).get("duplicates") if kept else None
        policy = cast("Literal['reject', 'first', 'allow']", chosen or ValidationSettings().duplicates)
        rechecker = Rechecker.of(run.journal, run.stored)
        return cls(contract_of_run(run.stored), run.summary.columns, rechecker, policy)

    def verdicts(self, rows: Sequence[Asked]) -> list[Verdict]:
        """Check rows, each by itself."""
        parts = (rows[at : at + _TOGETHER] for at in range(0, len(rows), _TOGETHER))
        return [verdict for part in parts for verdict in self._checked(part)]

    def _checked(self, rows: Sequence[Asked]) -> Iterator[Verdict]:
        if self.rechecker is None:
            yield from (Verdict(row.reading) for row in rows)
            return
        reading = [Issue(place, *kind) for place, row in enumerate(rows) for kind in row.reading]
        cells = list(zip(*(row.cells for row in rows), strict=True))
        numbers = [row.number for row in rows]
        checked = self.rechecker.check(raw_batch(0, numbers, cells, tuple(reading), names=self.columns))
        issues: dict[int, list[IssueKind]] = defaultdict(list)
        for issue in checked.issues:
            issues[issue.ordinal].append(issue.kind)
        for place in range(len(rows)):
            alike = {kind: numbers[place] for kind, numbers in checked.likenesses.items() if numbers[place]}
            yield Verdict(tuple(issues[place]), checked.keys[place], alike)

    # ------------------------------------------------------------------ duplicates

    @cached_property
    def duplicate_codes(self) -> frozenset[str]:
        """The codes of what is found by comparing the rows of a file."""
        alike = self.contract.identity.likenesses.values()
        return frozenset({DUPLICATE_IN_FILE.code, *(one.code for one in alike if one.code)})

    def duplicates_among(self, numbers: Sequence[int], verdicts: Sequence[Verdict]) -> IssueLog:
        """Say whose duplicate each of some rows is.

        Args:
            numbers: of the rows, ascending; the ordinals of the issues are places in here.
        """
        columns = self.rechecker.mapper.columns if self.rechecker else {}
        judge = DuplicateJudge(self.contract, self.duplicates, columns=columns)
        judge.observe(_batch(numbers, verdicts))
        return IssueLog.of(judge.judge().issues)


def _batch(numbers: Sequence[int], verdicts: Sequence[Verdict]) -> CheckedBatch:
    """Verdicts as the judge of duplicates takes them."""
    kinds = {kind for one in verdicts for kind in one.likenesses}
    return CheckedBatch(
        RawBatch(0, pd.DataFrame(index=list(numbers))),
        payloads=(),
        keys=[one.key for one in verdicts],
        external_ids=(),
        likenesses={kind: array("q", [one.likenesses.get(kind, 0) for one in verdicts]) for kind in kinds},
    )
