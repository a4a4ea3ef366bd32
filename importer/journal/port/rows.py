"""The rows of one run: taken in, read back, found by their numbers, and taken back changed."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from importer.core.outcomes import Attempt
from importer.core.ports import Intake, Numbers
from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState
from importer.journal.entries import ChangeTotal
from importer.journal.facts import RunFacts, VerificationFacts
from importer.journal.location import Location
from importer.journal.matching import Comparison
from importer.journal.revisions import IssueChange, ProfileNow, Revision


class RunIntake(Intake, Protocol):
    """The rows of one run on their way to being ready."""

    @property
    def keyed(self) -> bool:
        """Whether every row is kept with its import key."""
        ...

    @property
    def keeps_bodies(self) -> bool:
        """Whether the request bodies are kept."""
        ...

    @property
    def idv(self) -> VerificationFacts:
        """How many recorded rows are ready for identity verification, and what others lack; empty: not judged."""
        ...

    def numbers(self, typecode: str) -> Numbers:
        """A column of numbers for all rows, kept beside the journal while they are read."""
        ...

    def restart(self) -> None:
        """Forget what an earlier, unfinished loading left behind.

        Raises:
            BusyError: the run is beyond its loading: its rows may have been sent.
        """
        ...

    def compare(self, journal: Location, secret: bytes, how: Comparison) -> None:
        """In a dry run: compare the rows with what another journal knows, leaving that as it is.

        Args:
            journal: of a workspace; its secret made the keys of these rows.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    def invalid(self) -> array[int]:
        """The ordinals of the rows that are not sent, ascending."""
        ...

    def known(self, scope: str, journal: Location | None = None) -> Iterator[int]:
        """The ordinals of the rows whose customers earlier runs created, ascending; followers in groups left out.

        Args:
            scope: where they were created.
            journal: another one that knows them; None: this one.
        """
        ...

    def compare_and_remember(self, scope: str, secret: bytes, how: Comparison) -> None:
        """Compare the rows with what this journal knows of a scope, and keep what they have for later runs."""
        ...


class Replay(Protocol):
    """One run, read back. Reads only."""

    def results(self) -> Iterator[RowResult]:
        """Every row of the source in source order, with everything known about it."""
        ...

    def batches(self) -> Iterator[ResultBatch]:
        """The same, columnar: what the results are written from."""
        ...

    def batch(self, first: int) -> ResultBatch:
        """The stored batch that begins with this ordinal."""
        ...

    def endings(self) -> Iterator[tuple[str, RowState, str]]:
        """The import key, state and customer id of every row that has a key."""
        ...

    def row(self, row: int) -> RowResult | None:
        """The data row with this number in the spreadsheet; None when there is none."""
        ...

    def payload(self, ordinal: int) -> bytes:
        """The request body of a row, or of its group; empty where it has none (invalid, or purged)."""
        ...

    def attempts(self, ordinal: int) -> list[Attempt]:
        """Every request that was made for a row, or for its group, in order."""
        ...

    def changes(self) -> list[ChangeTotal]:
        """What normalisation altered, totalled, the most frequent first."""
        ...

    def group(self, ordinal: int) -> list[int]:
        """The numbers of all rows that are one customer with this one, the one that speaks for them first."""
        ...

    def leaders(self) -> dict[int, int]:
        """To every row that is not done and one customer with others, the ordinal of the one that is sent for them."""
        ...

    def key(self, ordinal: int) -> str:
        """The import key of a row, or of its group; empty for rows without one."""
        ...


class RunRows(Protocol):
    """The rows of one run, found by their numbers. Reads only; holds a few batches, and the numbers of all rows."""

    def __len__(self) -> int: ...

    def find(self, row: int) -> RowResult | None:
        """The row with this number; None where the run has none."""
        ...

    def at(self, ordinal: int) -> RowResult:
        """The row at this place in the source."""
        ...

    def number_of(self, ordinal: int) -> int:
        """The number that a person sees of a row."""
        ...

    def batches(self) -> Iterator[ResultBatch]:
        """All rows, batch by batch."""
        ...

    def leaders(self) -> dict[int, int]:
        """To every row that is not done and one customer with others, the ordinal of the one that is sent for them."""
        ...

    def payload(self, ordinal: int) -> bytes:
        """The request body of a row; empty where it has none."""
        ...


class Returns(Protocol):
    """Writes what came back for one run."""

    def write(
        self,
        revisions: Sequence[Revision],
        *,
        issues: IssueChange,
        prints: Mapping[str, Mapping[int, int]],
        how: Comparison,
        facts: RunFacts,
        profile: ProfileNow | None,
        brought: Mapping[int, bytes],
    ) -> None:
        """Write rows as they came back, all in one commit.

        Args:
            revisions: in the order of their ordinals, each row once.
            prints: kind of likeness to ordinal to a keyed hash: what is compared with earlier runs.
            facts: what the run notes.
            profile: None: the run keeps its own.
            brought: ordinals of other rows to what they bring for the steps after their creates from now on.

        Raises:
            JournalError: a row is no longer in the state that it was judged in, or cannot be opened from it; or the
                journal cannot be written. The run is as it was.
        """
        ...

    def keys_in_use(self, keys: frozenset[str], but: frozenset[int]) -> dict[str, int]:
        """Which of these import keys other rows of the run have, with one of those rows' ordinals.

        Args:
            but: rows that are about to have another key.
        """
        ...
