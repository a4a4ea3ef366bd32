"""A journal, opened: everything else is reached from it. Also receipts, places of files, accounts, and purging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from importer.core.contract import Contract
from importer.core.states import RowState
from importer.journal.entries import AccountMatch, Place, StoredReceipt
from importer.journal.matching import Merging
from importer.journal.port.delivery import RunBlocking, RunDelivery, RunToSend
from importer.journal.port.lots import RunLots
from importer.journal.port.rows import Replay, Returns, RunIntake, RunRows
from importer.journal.port.runs import EarlierRuns, Runs
from importer.journal.port.shared_state import SharedState
from importer.journal.port.steps import RunSteps
from importer.journal.runs import Purgeable, StoredRun


class Receipts(Protocol):
    """The chain of receipts: each holds the hash of the one before. Only ever appended."""

    def add(self, run: int, made_at: float, body: Callable[[int, str], Mapping[str, Any]]) -> StoredReceipt:
        """Append to the chain.

        Args:
            body: makes its content from the receipt's number and the hash of the one before.
        """
        ...

    def of(self, run: int) -> StoredReceipt | None:
        """The newest receipt of a run; None when it has none."""
        ...

    def all(self) -> list[StoredReceipt]:
        """The chain, from its beginning."""
        ...

    def chains(self) -> Mapping[int, str]:
        """The numbers of receipts after which those of a workspace follow that was carried here, to their hashes."""
        ...

    def rows_digest(self, run: int) -> str:
        """SHA-256 over how every row of a run ended: a purge leaves it as it is, and nothing else may change it."""
        ...


class Files(Protocol):
    """Files of runs that their rows cannot give, as they are in the directories of the runs."""

    def keep(self, run: int, name: str, content: bytes) -> None:
        """Keep a file; one of the same name is replaced."""
        ...

    def names(self, run: int) -> list[str]:
        """The names of the files of a run."""
        ...

    def of(self, run: int, name: str) -> bytes | None:
        """What a file holds; None: there is none of that name."""
        ...


class Plans(Protocol):
    """Plans that people sign, as their files are."""

    def keep(self, sha256: str, made_at: float, expires_at: float, merge: Callable[[bytes | None], bytes]) -> None:
        """Keep a plan, and drop those that had expired when it was made; times in seconds since the epoch.

        Args:
            merge: makes its content from the one that is there; given None where there is none.
        """
        ...

    def good_at(self, now: float, beginning: str = "") -> list[bytes]:
        """The contents of plans that have not expired, whose hash begins so."""
        ...


class Places(Protocol):
    """Where the inbox put files: one line for every folder that was made for a file."""

    def add(self, place: Place) -> None:
        """Keep where a file went."""
        ...

    def drop(self, folders: Sequence[Path]) -> None:
        """Forget folders that are no longer there."""
        ...

    def of(self, run: int) -> list[Place]:
        """Where the file of a run is, copies of it that came later included; the oldest first."""
        ...

    def before(self, before: float) -> list[Place]:
        """Everything that was put away before a moment, seconds since the epoch."""
        ...


class Accounts(Protocol):
    """The accounts of API keys: a person's answer is remembered."""

    def match(self, server: str, named: str, proposed: str, api_key: str) -> AccountMatch:
        """Find out which account a key is for.

        Args:
            server: as `same_server` writes it.
            named: the account's name in the profile; empty: none was given.
            proposed: the scope of an account that is new here.
        """
        ...

    def bind(self, server: str, api_key: str, scope: str) -> None:
        """Remember the account of a key."""
        ...

    def rename(self, before: str, after: str) -> None:
        """Move everything that is known of one scope to another; no run may work in either."""
        ...


class Purging(Protocol):
    """Takes personal data out of runs. What stays is what later runs and audits need."""

    def purgeable(self, before: float) -> list[Purgeable]:
        """Every run with personal data that ended before a moment, oldest first."""
        ...

    def purge(self, runs: Sequence[int], now: float) -> None:
        """Take the cells, the request bodies and what was noted of the source out of runs, overwriting them."""
        ...

    def wipe(self) -> None:
        """Write the file anew without its free pages, and empty the write-ahead log: both may hold what was deleted.

        Raises:
            BusyError: another program reads the journal, so the log cannot be emptied now.
            JournalError: the file cannot be written; the tables no longer hold the data, its free pages may.
        """
        ...


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
    def files(self) -> Files:
        """Files of runs that their rows cannot give."""
        ...

    @property
    def plans(self) -> Plans:
        """Plans that people sign."""
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

    def shared_state(self, scope: str) -> SharedState:
        """What all who send to an account agree on.

        Raises:
            UsageError: the journal is a file, which other hosts do not reach.
        """
        ...

    def lots(self, run: int) -> RunLots:
        """The rows of a run in lots, for several programs to send.

        Raises:
            UsageError: the journal is a file, which other hosts do not reach.
        """
        ...

    def replay(self, run: int, *, show_open: bool = False) -> Replay:
        """Read a run back.

        Args:
            show_open: show rows that a pass has left open as what they are (`states.LEFT_OPEN`).
        """
        ...

    def rows(self, run: int) -> RunRows:
        """The rows of a run, found by their numbers."""
        ...

    def steps(self, run: int) -> RunSteps:
        """The steps after the creates of a run."""
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
        """Accept the journal as complete and as the original from now on.

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
