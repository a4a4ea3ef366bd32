"""The rows of a draft as they are now: those of its last check, with the corrections made since. Changes nothing.

Whose duplicate a row is is judged anew among the rows that had duplicates at the check, or have other cells since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from importer.core.corrections import Correction
from importer.core.issues import IssueCollector, IssueKind, IssueLog
from importer.journal import Draft
from importer.runs.drafts.checked_rows import CheckedRows, Row, by_place
from importer.runs.drafts.recent import Recent
from importer.runs.drafts.rechecking import ChangedRow, Rechecking
from importer.runs.drafts.row_checks import Verdict

_MOST_HELD = 2
_MOST_JUDGED = 10_000
"""Of more rows than this with duplicates, whose duplicate each is is not judged anew for each correction."""


@dataclass(frozen=True, eq=False)
class CorrectedRows:
    """The rows of a draft.

    Args:
        checked: as they were at the last check.
        corrections: place to the corrections of now, by column.
        changed: place to the row, of rows that are not as they were checked.
        gone: number to the corrections of rows that were left out at the last check already, by column.
        found: places that were looked for already, by what they were looked for.
    """

    checked: CheckedRows
    corrections: Mapping[int, Mapping[str, Correction]]
    changed: Mapping[int, ChangedRow]
    gone: Mapping[int, Mapping[str, Correction]]
    found: dict[Hashable, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, rechecking: Rechecking, corrections: Sequence[Correction]) -> CorrectedRows:
        """Lay corrections over checked rows."""
        checked = rechecking.checked
        now = by_place(checked.numbers, corrections)
        gone: dict[int, dict[str, Correction]] = defaultdict(dict)
        for one in corrections:
            if checked.place(one.row) is None:
                gone[one.row][one.column] = one
        return cls(checked, now, rechecking.changed(now), gone)

    def rows(self, places: Sequence[int]) -> list[Row]:
        """Rows as they are now.

        Args:
            places: ascending.
        """
        found = zip(places, self.checked.rows(places), strict=True)
        return [self.changed[place].row if place in self.changed else row for place, row in found]

    def verdicts(self, places: Sequence[int]) -> list[Verdict]:
        """What checking rows by themselves gives, as they are now.

        Args:
            places: ascending.
        """
        unchanged = [place for place in places if place not in self.changed]
        then = dict(zip(unchanged, self.checked.verdicts(unchanged), strict=True))
        return [then[place] if place in then else self.changed[place].alone for place in places]

    def original(self, place: int, column: str) -> str | None:
        """What the source holds in a cell that is read as another text; None: it is read as it is."""
        one = self.corrections.get(place, {}).get(column)
        return None if one is None or one.before == one.after else one.before

    @cached_property
    def corrected_places(self) -> Sequence[int]:
        """The places of the rows with cells that are read as another text, ascending."""
        found = self.corrections.items()
        return sorted(place for place, cells in found if any(one.before != one.after for one in cells.values()))

    @cached_property
    def left_out(self) -> Sequence[int]:
        """The places of the rows without any text left, which no reader takes for rows, ascending."""
        return [place for place, one in self.changed.items() if one.row.is_blank]

    # ------------------------------------------------------------------ issues

    @cached_property
    def issues(self) -> IssueLog:
        """What is wrong with all rows; the ordinal of each issue is the place of its row."""
        if not self.changed:
            return self.checked.issues
        judged, codes = self._duplicates_now(), self.checked.checks.duplicate_codes

        def is_judged(kind: IssueKind) -> bool:
            return judged is not None and kind.code in codes

        found = IssueCollector()
        found.extend(self.checked.issues.without(lambda _: True, self.changed).without(is_judged))
        for place, one in self.changed.items():
            for kind in one.issues:
                if not is_judged(kind):
                    found.add(place, kind)
        found.extend(judged or ())
        return found.log()

    def with_issue(self, test: Callable[[IssueKind], bool]) -> list[int]:
        """The places of the rows with an issue that passes a test, ascending."""
        passes = list(map(test, self.issues.kinds))
        pairs = zip(self.issues.ordinals, self.issues.which, strict=True)
        return sorted({place for place, number in pairs if passes[number]})

    @cached_property
    def possible_duplicates(self) -> list[int]:
        """The places of the rows that had duplicates at the check, or are not as they were then; ascending."""
        return sorted({*self.checked.duplicates, *self.changed}.difference(self.left_out))

    def know_duplicates(self) -> None:
        """Check the rows that may be duplicates by themselves now, so that no correction has to wait for it."""
        if len(places := self.possible_duplicates) <= _MOST_JUDGED:
            self.verdicts(places)

    def _duplicates_now(self) -> IssueLog | None:
        """Whose duplicate each row is now; None: there are too many to judge that for each correction."""
        places = self.possible_duplicates
        if len(places) > _MOST_JUDGED:
            return None
        numbers = [self.checked.numbers[place] for place in places]
        judged = IssueCollector()
        for issue in self.checked.checks.duplicates_among(numbers, self.verdicts(places)):
            judged.add(places[issue.ordinal], issue.kind)
        return judged.log()


class RecentRows:
    """The rows of the drafts that were looked at last, held in memory.

    Args:
        workspace: that of their checks.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._checked, self._corrected = Recent(_MOST_HELD), Recent(_MOST_HELD)

    def of(self, draft: Draft, corrections: Callable[[], Sequence[Correction]]) -> CorrectedRows:
        """The rows of a draft that was checked.

        Args:
            corrections: gives those of the draft.

        Raises:
            UsageError: its check is gone.
            JournalError: it cannot be read.
        """
        run_id = draft.facts.checked_run

        def corrected() -> CorrectedRows:
            rechecking = self._checked.get(run_id, lambda: Rechecking.of(self._workspace, run_id))
            return CorrectedRows.of(rechecking, corrections())

        return self._corrected.get((draft.id, run_id, draft.edits), corrected)
