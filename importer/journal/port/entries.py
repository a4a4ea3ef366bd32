"""What a journal keeps beside its runs: receipts, places of files, accounts; and how personal data is purged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from importer.journal.entries import AccountMatch, Place, StoredReceipt
from importer.journal.runs import Purgeable


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

    def rows_digest(self, run: int) -> str:
        """SHA-256 over how every row of a run ended: a purge leaves it as it is, and nothing else may change it."""
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
