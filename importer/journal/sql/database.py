"""What the statements of a journal need of the database behind them. Protocols, and the words that differ.

Statements are written once, in SQL that SQLite (3.35 or newer) and PostgreSQL both read: values are bound as `?` or
`:name`, an upsert names its columns, a subquery's word that only one of them knows is a `Dialect`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from importer.core.commands import Commands
from importer.journal.location import Location
from importer.journal.port.lots import Message, RunLots
from importer.journal.port.shared_state import SharedState


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the databases write in different words.

    Args:
        now: selects the seconds since the epoch, by the clock of the database.
        numbers: selects every number of a bound JSON array as `value`; `words` every text of one.
        records: the rows of a bound JSON array of objects, in the types of a table; empty: there is no such word.
        index: asks for one index by its name, after the name of a table; empty: the database chooses itself.
    """

    now: str
    numbers: str
    words: str
    records: str = ""
    index: str = ""

    def by_index(self, name: str) -> str:
        """What asks for an index in a statement."""
        return self.index.format(name)


class Cursor(Protocol):
    """What a statement gives: rows as tuples, each to be read once."""

    @property
    def rowcount(self) -> int:
        """How many rows were inserted, updated or deleted."""
        ...

    def fetchone(self) -> Any:
        """The next row; None: there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """Every row that is left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""
        ...


class Connection(Protocol):
    """An open connection; in a transaction where `Database.transaction` has given it."""

    @property
    def dialect(self) -> Dialect:
        """The words of this database."""
        ...

    def execute(self, statement: str, values: Any = ..., /) -> Cursor:
        """Run a statement.

        Args:
            values: one for every `?`, or by name.
        """
        ...

    def executemany(self, statement: str, rows: Iterable[Any], /) -> Any:
        """Run a statement that gives no rows, once for each of these values."""
        ...


class Storage(Protocol):
    """A database, open."""

    @property
    def connection(self) -> Connection:
        """Reads what is committed, and what the transaction under way has written."""
        ...

    def transaction(self, *, brief: bool = False) -> AbstractContextManager[Connection]:
        """Run a block as one commit: all of it is kept, or nothing. No other program writes meanwhile.

        Args:
            brief: next to nothing is done between its statements. Where others have to wait for a program that hangs
                there, it is given up soon.

        Raises:
            JournalError: the database cannot be written.
        """
        ...

    def guarded(self, done: str) -> AbstractContextManager[None]:
        """Turn the database's errors into a JournalError that says what could not be `done`."""
        ...

    def wipe(self, tables: Iterable[str]) -> None:
        """Give up what is kept of rows that were deleted or replaced in these tables, as far as this program can.

        Raises:
            BusyError: another program reads them, so that this cannot be done now.
        """
        ...

    def close(self) -> None:
        """Close it; harmless when called twice."""
        ...


Attach = Callable[["Database", Location, str], AbstractContextManager["Earlier"]]
"""Has another journal at hand while a block runs: given a database, that journal, and the scope that customers are
looked for in (empty: every one). Its secret is the one that the keys in the database were made with."""


class Carried(NamedTuple):
    """What workspaces have brought that were carried into a journal with runs of its own.

    Args:
        secrets: that keys of theirs were made with, beside the journal's own.
        chains: the number of the receipt after which their receipts follow, to its hash.
    """

    secrets: Sequence[bytes] = ()
    chains: Mapping[int, str] = MappingProxyType({})


NOTHING_CARRIED = Carried()


class Lots(RunLots, Protocol):
    """The lots of one run, as whoever sends some of them needs them. In a transaction that the caller holds."""

    def take(self, tx: Connection, lease: str) -> tuple[int, int] | None:
        """Take the next lot that nobody sends: the ordinals of its first and its last row; None: there is none."""
        ...

    def give_up_done(self, tx: Connection, lease: str) -> int:
        """Drop the lots of one sender that have no row left; returns how many lots anybody has."""
        ...

    def say(self, tx: Connection, message: Message) -> None:
        """Leave a message."""
        ...


class Database(Storage, Protocol):
    """One journal's database, open."""

    commands: Commands
    writes: bool
    attach: Attach

    def carried(self) -> Carried:
        """What was carried into it up to now; asked where a run is compared, or begins to send.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    @property
    def folder(self) -> Path:
        """Where large columns of numbers are put aside while a source is checked."""
        ...

    def overwrite_deleted(self) -> None:
        """Have what is deleted from now on overwritten, where the database can."""
        ...

    def require_integrity(self) -> None:
        """Refuse to go on with a journal that has lost what was written last, or that is a copy."""
        ...

    def check_integrity(self) -> None:
        """The same, and nothing is written."""
        ...

    def accept_as_it_is(self, *, gives_up_runs: bool = False) -> None:
        """Accept the journal as complete and as the original from now on."""
        ...

    def may_send(self) -> bool:
        """Whether no other program can have taken over what this one works on.

        Raises:
            JournalError: another one has.
        """
        ...

    def lots(self, run: int) -> Lots:
        """The lots of a run.

        Raises:
            UsageError: only this host reaches the database.
        """
        ...

    def shared_state(self, scope: str) -> SharedState:
        """What all who send to an account agree on; errors as of `lots`."""
        ...

    def keep(self) -> None:
        """Put what was written without waiting for the disk safely there."""
        ...


@dataclass(frozen=True, slots=True)
class Earlier:
    """Where earlier runs are looked up.

    Args:
        database: that they are in: the one of the run itself, or one that can be asked about the run's rows, too.
        scopes: where customers are looked for.
        where: goes before the names of their tables; empty: they are in the tables of the run itself.
        is_own: they are in the journal of the run itself, which is one of its runs.
        lend: names a table of the rows of a run (run, ordinal, state, key, leader) that `database` can join.
    """

    database: Database
    scopes: Sequence[str]
    where: str = ""
    is_own: bool = True
    lend: Callable[[int], str] = lambda _: "rows"
