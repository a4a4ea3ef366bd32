"""Runs, as the journal registers them. Every method raises JournalError where it cannot be read or written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from importer.core.results import RunSummary
from importer.core.sources import SourceInfo
from importer.core.states import RowState
from importer.journal.facts import RunFacts
from importer.journal.runs import Ahead, KnownFrom, RunHeader, RunStatistics, StoredRun


class Runs(Protocol):
    """The register of runs: begin one, find one, end one."""

    def any(self) -> bool:
        """Whether there is a run."""
        ...

    def begin(self, header: RunHeader, facts: RunFacts | None = None) -> StoredRun:
        """Register a new run, durably.

        Args:
            facts: what it notes from its beginning; None: nothing.
        """
        ...

    def opened(self, run: int, info: SourceInfo) -> None:
        """Keep what the source turned out to be."""
        ...

    def note(self, run: int, facts: RunFacts) -> None:
        """Add what is set of these facts to what the run has noted."""
        ...

    def keep_profile(self, run: int, profile: str) -> None:
        """Keep the run's effective profile, JSON without secrets; it is purged with the run."""
        ...

    def facts(self, run: int) -> RunFacts:
        """What `note` has kept."""
        ...

    def forget(self, run: int) -> None:
        """Drop a run that was refused before its first request."""
        ...

    def reopen(self, run: int, states: Sequence[RowState], but: Iterable[int] = ()) -> None:
        """Open the rows that ended in one of `states` for another pass; their old delivery errors go.

        Args:
            but: ordinals of rows that stay as they are.
        """
        ...

    def enter(self, run: int, phase: str) -> None:
        """Move a run to its next phase; running again clears how it ended before."""
        ...

    def end(self, run: int, *, phase: str, exit_code: int, ended_at: float) -> None:
        """Record how a run ended."""
        ...

    def find(self, name: str) -> StoredRun:
        """The run with an id that begins with `name`; `last` is the newest.

        Raises:
            UsageError: there is none, or more than one.
        """
        ...

    def summaries(self) -> list[RunSummary]:
        """All runs, newest first."""
        ...

    def ids(self) -> list[tuple[int, str]]:
        """The number and id of every run, oldest first."""
        ...

    def summary(self, run: int) -> RunSummary:
        """One run."""
        ...

    def scopes(self) -> list[str]:
        """Every target and account that a run of this journal sent to."""
        ...

    def has_resent(self, run: int) -> bool:
        """Whether a run has rows that were sent again and are to be looked at again."""
        ...

    def unsent_beside(self, run: int) -> int:
        """How many rows wait that are not sent themselves: another row of their group is."""
        ...

    def counts(self, run: int) -> dict[str, int]:
        """Rows per state, states without rows left out, and `read`: the rows loaded."""
        ...


class EarlierRuns(Protocol):
    """What later runs ask about earlier ones: of the same content, account or profile."""

    def of_content(self, scope: str, content_hash: str, sheet: str) -> list[StoredRun]:
        """The runs that sent the same content, under whatever profile, the newest first.

        Args:
            sheet: of a workbook the one that was read: another sheet has other rows.
        """
        ...

    def newest_with(self, scope: str, content_hash: str) -> StoredRun | None:
        """The newest import of the same content, under whatever profile and at whatever stage."""
        ...

    def continuing(self, run_id: str, target: str) -> str:
        """The id of the newest import that a dry run went on to at a target; empty when there is none."""
        ...

    def has_sent(self, run: int) -> bool:
        """Whether a run knows of customers: such as it created, may have created, or found."""
        ...

    def knows_profile(self, profile_hash: str) -> bool:
        """Whether a source was ever read to its end under this profile."""
        ...

    def known_from(self, run: int) -> list[KnownFrom]:
        """From which earlier runs customers are known that this one took as existing without a request."""
        ...

    def ahead(self, stored: StoredRun, *, stopped: bool = False) -> Ahead:
        """What a run has before it. Reads every waiting row's key: seconds for millions of rows.

        Args:
            stopped: count what `resume` opens again as well.
        """
        ...

    def quiet_s(self, run: int, scope: str, now: float) -> float:
        """For how many seconds at least no other run of a scope has sent; one that was cut off may just have.

        Args:
            run: the one that asks: it was not begun when the others sent.
        """
        ...

    def started_within(self, scope: str, now: float, window_s: float) -> int:
        """How many requests of a scope count against a limit of this many seconds, whichever runs made them."""
        ...

    def run_statistics(self, scope: str) -> list[RunStatistics]:
        """The last runs of an account that finished, the newest first; purged ones have no requests left to count."""
        ...

    def with_resent(self, target: str) -> list[str]:
        """The ids of all runs of a target that have ended and have rows to look at again, the oldest first."""
        ...

    def with_open_steps(self, target: str, due_by: float | None = None) -> list[str]:
        """The ids of all imports of a target that have ended and have steps left to do, the oldest first.

        Purged runs are left out: what their steps would send is gone.

        Args:
            due_by: leave out those of which every open step is to be looked at later than this, seconds since the
                epoch; None: leave out none.
        """
        ...
