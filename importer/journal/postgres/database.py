"""One journal in PostgreSQL, open: its transactions, and what takes the place of the care of a file. Knows no row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg

from importer.core.commands import Commands
from importer.core.errors import JournalError
from importer.journal.location import Location
from importer.journal.postgres import held_leases, leases
from importer.journal.postgres.connection import PostgresConnection
from importer.journal.postgres.errors import hint, reason
from importer.journal.postgres.lots import PostgresLots
from importer.journal.postgres.migrations import WRITERS, bring_up_to_date
from importer.journal.postgres.shared_state import PostgresSharedState
from importer.journal.sql.commit_count import CommitCount, lost_commits_error
from importer.journal.sql.database import Attach, Carried, Database, Earlier
from importer.journal.sql.lost_runs import lost_run_error, lost_runs

_COUNTED = "journal"
_SILENT_S = 10.0
"""A program may be silent for so long in a brief transaction; the others wait for three times as long."""
_COMMITS = "(SELECT commits FROM integrity)"
_RESTORE = "Let the server take over that has them, or restore a backup that does."


@contextmanager
def guarded(location: Location, done: str, commands: Commands) -> Iterator[None]:
    """Turn PostgreSQL's errors into one that says which journal could not be `done`."""
    try:
        yield
    except psycopg.Error as error:
        goes_on = "" if done == "opened" else f"`{commands.resume('last')}` then goes on with a run that had begun."
        raise JournalError(
            f"The journal {location.place} cannot be {done}: {reason(error)}.",
            hint(error, goes_on),
        ) from error


class PostgresDatabase:
    """A session with one journal. Implements `sql.database.Database`.

    Args:
        writes: False looks at it only; it is made all the same where there is none.
        commands: composes the commands that errors name; None: those of the workspace.

    Raises:
        JournalError: it cannot be reached, or was written by a newer program.
    """

    def __init__(self, location: Location, *, writes: bool = True, commands: Commands | None = None) -> None:
        self.commands = commands or Commands(location.folder)
        self.writes = writes
        self.attach: Attach = lend
        self._location = location
        silent_s = min(location.lease_s, _SILENT_S)
        self._brief = f"SET LOCAL idle_in_transaction_session_timeout TO {silent_s * 1_000:.0f}; "
        self._count = CommitCount(location.folder / _COUNTED)
        self._commits = self._count.read()
        with self.guarded("opened"):
            self.connection = PostgresConnection(
                location.url,
                location.password(),
                writes=writes,
                patience_s=location.lease_s,
                is_silent=lambda waited_s: held_leases.is_silent(location.url, waited_s),
            )
            try:
                bring_up_to_date(self.connection, location.place)
            except BaseException:
                self.connection.close()
                raise

    @property
    def folder(self) -> Path:
        return self._location.folder

    def guarded(self, done: str) -> AbstractContextManager[None]:
        return guarded(self._location, done, self.commands)

    @contextmanager
    def transaction(self, *, brief: bool = False) -> Iterator[PostgresConnection]:
        """As every database's: all who write wait for it, and for a brief one for a lease, or 10 s, at most.

        A program whose lease was taken over is refused before it writes; so is one whose journal has lost commits, as
        a standby has that took over before it had received them.
        """
        with self.guarded("written"):
            held = held_leases.held(self._location.url)
            begin = f"{self._brief if brief else ''}{WRITERS}; {leases.still_ours(held)}, {_COMMITS}"
            still, commits = self.connection.begin(begin)[0]
            try:
                leases.require_all(still, held, self._location.place, self.commands)
                self._require_all_commits(commits)
                yield self.connection
                self.connection.commit(f"UPDATE integrity SET commits = {commits + 1}")
            except BaseException:
                self.connection.roll_back()
                raise
        self._commits = commits + 1
        self._count.write(self._commits)

    def may_send(self) -> bool:
        if held_leases.lost(self._location.url):
            raise leases.taken_over(self._location.place, self.commands)
        if held_leases.over_for_s(self._location.url) > self._location.lease_s:
            raise leases.not_renewed(self._location.place, self.commands)
        return held_leases.trusted(self._location.url)

    def carried(self) -> Carried:
        with self.guarded("read"):
            secrets = self.connection.execute("SELECT secret FROM former_secrets ORDER BY fingerprint").fetchall()
            chains = self.connection.execute(
                "SELECT receipts_after, previous FROM carried WHERE receipts_after IS NOT NULL"
            ).fetchall()
        return Carried([secret for (secret,) in secrets], dict(chains))

    def lots(self, run: int) -> PostgresLots:
        return PostgresLots(self, self._location, run)

    def shared_state(self, scope: str) -> PostgresSharedState:
        return PostgresSharedState(self, self._location, scope)

    def keep(self) -> None:
        """Nothing to do: every commit waits for the disk."""

    def overwrite_deleted(self) -> None:
        """Nothing to do: what is deleted goes when its table is vacuumed."""

    def wipe(self, tables: Iterable[str]) -> None:
        """Vacuum them. The log of commits is the server's, which keeps it as long as its owner says."""
        with self.guarded("written"):
            for table in tables:
                self.connection.execute(f"VACUUM {table}")

    def require_integrity(self) -> None:
        self.check_integrity()

    def _require_all_commits(self, commits: int) -> None:
        if commits < self._commits:
            raise lost_commits_error(self._location.place, self._commits - commits, _RESTORE, self.commands)

    def check_integrity(self) -> None:
        with self.guarded("read"):
            accepted, commits = self.connection.execute("SELECT accepted, commits FROM integrity").fetchone()
            self._require_all_commits(commits)
            lost = [one for one in lost_runs(self.connection, self.folder) if one not in json.loads(accepted)]
        if lost:
            raise lost_run_error(self._location.place, lost[0], self.commands)

    def accept_as_it_is(self, *, gives_up_runs: bool = False) -> None:  # noqa: ARG002
        """Accept what the database knows and what it has; a copy of the folders needs nothing else."""
        with self.guarded("read"):
            (self._commits,) = self.connection.execute("SELECT commits FROM integrity").fetchone()
        with self.transaction() as tx:
            tx.execute("UPDATE integrity SET accepted = ?", (json.dumps(lost_runs(tx, self.folder)),))

    def close(self) -> None:
        self.connection.close()


@contextmanager
def lend(database: Database, journal: Location, scope: str) -> Iterator[Earlier]:
    """Have a journal in PostgreSQL at hand for the comparisons of a dry run, which is a file. An `Attach`."""
    remote = PostgresDatabase(journal, writes=False, commands=database.commands)

    def rows(run: int) -> str:
        """The rows of the dry run in a table of the session, as they are now."""
        found = database.connection.execute(
            "SELECT run, ordinal, state, key, leader FROM rows WHERE run = ? AND state <> 'invalid'", (run,)
        )
        remote.connection.execute("DROP TABLE IF EXISTS pg_temp.checked_rows")
        remote.connection.execute(
            'CREATE TEMPORARY TABLE checked_rows (run bigint, ordinal bigint, state text, key text COLLATE "C",'
            " leader bigint, PRIMARY KEY (run, ordinal))"
        )
        remote.connection.copy("checked_rows (run, ordinal, state, key, leader)", found)
        remote.connection.execute("ANALYZE checked_rows")
        return "checked_rows"

    try:
        with remote.guarded("read"):
            scopes = [one for (one,) in remote.connection.execute("SELECT DISTINCT scope FROM runs")]
        yield Earlier(remote, [scope] if scope else scopes, is_own=False, lend=rows)
    finally:
        remote.close()
