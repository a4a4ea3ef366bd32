"""Personal data goes for good: out of the tables, out of the file's free pages, out of the write-ahead log.

What stays is what later runs and audits need: ids, import keys, states, counts, hashes. Removes no
directory and decides about no run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from importer.core.errors import BusyError
from importer.core.states import RowState
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.runs import FINISHED

_OPEN = (RowState.READY, RowState.SENDING, RowState.UNSENT, RowState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Purgeable:
    """A run whose personal data is still there.

    Args:
        ended_at: when it ended; when it began, where it never ended. Seconds since the epoch.
        resumable: it has not finished, or some of its rows may still be sent or looked up.
    """

    run: int
    run_id: str
    source: str
    ended_at: float
    resumable: bool


def purgeable(database: Database, before: float) -> list[Purgeable]:
    """Every run with personal data that ended before a moment, oldest first."""
    marks = ",".join("?" * len(_OPEN))
    with database.guarded("read"):
        found = database.connection.execute(
            "SELECT run, run_id, source, coalesce(ended_at, started_at) AS ended, phase != ? OR EXISTS"
            f" (SELECT 1 FROM rows WHERE rows.run = runs.run AND state IN ({marks}))"
            " FROM runs WHERE purged_at IS NULL AND ended < ? ORDER BY run",
            (FINISHED, *(state.value for state in _OPEN), before),
        ).fetchall()
    return [
        Purgeable(run, run_id, source, ended_at, bool(resumable)) for run, run_id, source, ended_at, resumable in found
    ]


def scopes(database: Database) -> list[str]:
    """Every target and account that a run of this journal sent to."""
    with database.guarded("read"):
        found = database.connection.execute("SELECT DISTINCT scope FROM runs ORDER BY scope").fetchall()
    return [scope for (scope,) in found]


def purge_rows(database: Database, runs: Sequence[int], now: float) -> None:
    """Take the cells, the request bodies and what was noted of the source out of runs, overwriting them."""
    _overwrite_what_is_deleted(database)
    with database.transaction() as tx:
        for run in runs:
            for table in ("sent", "members", "resent"):  # without its body no row can be looked for
                tx.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
            tx.execute("UPDATE batches SET cells = NULL, payloads = NULL, surplus = NULL WHERE run = ?", (run,))
            tx.execute(
                "UPDATE runs SET columns = '[]', facts = '{}', profile = NULL, purged_at = ? WHERE run = ?", (now, run)
            )


def wipe(database: Database) -> None:
    """Write the file anew without its free pages, and empty the write-ahead log: both may hold what was deleted.

    Raises:
        BusyError: another program reads the journal, so the log cannot be emptied now.
        JournalError: the file cannot be written; the tables no longer hold the data, its free pages may.
    """
    _overwrite_what_is_deleted(database)
    with database.guarded("written"):
        database.connection.execute("VACUUM")
        busy, *_ = database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise BusyError(
            f"Another program is reading the journal {database.path}: what was purged still stands in its log.",
            "Purge again when that program is done.",
        )


def _overwrite_what_is_deleted(database: Database) -> None:
    with database.guarded("written"):
        database.connection.execute("PRAGMA secure_delete=ON")
