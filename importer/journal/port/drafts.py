"""The journal of drafts: apart from that of runs, since a draft is changed while runs are under way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from importer.core.corrections import Correction
from importer.journal.drafts import Act, Change, Draft, DraftFacts


class Drafts(Protocol):
    """The drafts of one workspace, or of a team, opened.

    What is changed is on the disk when a method returns: all of it, or nothing.

    Every method raises JournalError where the drafts cannot be read or written, and UsageError where there is no draft
    of this id. Whoever changes a draft may say which version was `seen`: where it is another one by now, BusyError is
    raised and nothing is changed; None changes whichever there is.
    """

    def add(self, draft: Draft, act: Act) -> None:
        """Keep a new draft."""
        ...

    def all(self) -> list[Draft]:
        """Every draft, the one that was changed last first."""
        ...

    def find(self, draft: str) -> Draft:
        """One draft, by its id."""
        ...

    def note(
        self, draft: str, facts: DraftFacts, act: Act, *, seen: int | None = None, drops_corrections: bool = False
    ) -> Draft:
        """Add what is set of these facts to what is known of a draft.

        Args:
            drops_corrections: take all its corrections back: they are of cells that are read otherwise now.
        """
        ...

    def correct(self, draft: str, corrections: Sequence[Correction], act: Act, *, seen: int | None = None) -> Draft:
        """Add corrections as one change; they come after those that the cells had."""
        ...

    def undo(self, draft: str, act: Act, *, seen: int | None = None) -> Draft:
        """Take the newest change back that was not taken back yet.

        Raises:
            UsageError: there is none.
        """
        ...

    def corrections(self, draft: str, rows: Collection[int] | None = None) -> list[Correction]:
        """What is read instead of what the file holds: one correction a cell, by row and column.

        A cell that was put back as the file has it has none. One that was confirmed as it is, and nothing else, has.

        Args:
            rows: of these rows only; None: of all.
        """
        ...

    def changes(self, draft: str) -> list[Change]:
        """Every change, the newest first, those that were taken back too."""
        ...

    def acts(self, draft: str) -> list[Act]:
        """Who did what, from the beginning."""
        ...

    def unchanged_since(self, before: float) -> list[Draft]:
        """Drafts that nobody has changed since a moment, seconds since the epoch; the oldest first."""
        ...

    def remove(self, drafts: Sequence[str]) -> None:
        """Remove drafts with everything that is known of them, overwriting it. Harmless where one is not there."""
        ...

    def close(self) -> None:
        """Close it; harmless when called twice."""
        ...
