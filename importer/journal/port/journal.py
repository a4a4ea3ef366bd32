"""A journal, opened: everything else is reached from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from importer.core.contract import Contract
from importer.core.states import RowState
from importer.journal.matching import Merging
from importer.journal.port.delivery import RunBlocking, RunDelivery, RunToSend
from importer.journal.port.entries import Accounts, Places, Purging, Receipts
from importer.journal.port.rows import Replay, Returns, RunIntake, RunRows
from importer.journal.port.runs import EarlierRuns, Runs
from importer.journal.runs import StoredRun


class Journal(Protocol):
    """A journal, opened. Every method raises JournalError where it cannot be read or written."""

    @property
    def writes(self) -> bool:
        """Whether it may be written to; else it is only looked at."""
        ...

    @property
    def runs(self) -> Runs:
        """The register of runs."""
        ...

    @property
    def earlier(self) -> EarlierRuns:
        """What later runs ask about earlier ones."""
        ...

    @property
    def receipts(self) -> Receipts:
        """The chain of receipts."""
        ...

    @property
    def places(self) -> Places:
        """Where the inbox put files."""
        ...

    @property
    def purging(self) -> Purging:
        """Takes personal data out of runs."""
        ...

    def accounts(self, secret: bytes) -> Accounts:
        """The accounts of API keys.

        Args:
            secret: the workspace's: without it keys cannot be guessed.
        """
        ...

    def intake(
        self,
        run: int,
        contract: Contract,
        *,
        valid_state: RowState = RowState.READY,
        keyed: bool = True,
        merging: Merging | None = None,
        keeps_bodies: bool = False,
    ) -> RunIntake:
        """The rows of a run on their way to being ready.

        Args:
            contract: what the records are.
            valid_state: what a row without errors becomes: `ready`, or `valid` in a dry run, which sends nothing and
                so keeps no request bodies.
            keyed: keep every row with its import key. A dry run that compares itself with nothing need not: it keeps
                the rows with errors only, and those that it does not list are valid.
            merging: how the bodies of rows that are one customer become one; None: rows are not grouped.
            keeps_bodies: keep the request bodies of a dry run, too.
        """
        ...

    def delivery(
        self,
        sending: RunToSend,
        now: Callable[[], float],
        target_now: Callable[[], float] | None = None,
        *,
        run_blocking: RunBlocking = ...,
    ) -> RunDelivery:
        """The journal of a run while its rows are sent.

        Args:
            now: seconds since the epoch, by our own clock.
            target_now: the same by the target's clock, as far as that is known: rows are marked with it as being
                sent. None: as `now`.
            run_blocking: how a commit is kept off the event loop.
        """
        ...

    def replay(self, run: int, *, as_it_stands: bool = False) -> Replay:
        """Read a run back.

        Args:
            as_it_stands: show rows that a pass has left open as what they are (`states.LEFT_OPEN`).
        """
        ...

    def rows(self, run: int) -> RunRows:
        """The rows of a run, found by their numbers."""
        ...

    def returns(self, stored: StoredRun) -> Returns:
        """Write what came back for a run."""
        ...

    def require_integrity(self) -> None:
        """Refuse to go on with a journal that has lost what was written last, or that is a copy.

        Raises:
            JournalError: it has, or is.
        """
        ...

    def check_integrity(self) -> None:
        """The same, and nothing is written."""
        ...

    def accept_as_it_is(self, *, gives_up_runs: bool = False) -> None:
        """Take the journal for whole and for the original from now on.

        Args:
            gives_up_runs: it is a copy: leave its runs to the workspace that it was copied from.
        """
        ...

    def keep(self) -> None:
        """Put what was written without waiting for the disk safely there; later commits wait for it."""
        ...

    def close(self) -> None:
        """Close it; harmless when called twice."""
        ...
