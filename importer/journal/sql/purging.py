"""Personal data goes for good: out of the tables, and out of what the database keeps of deleted rows.

What stays is what later runs and audits need: ids, import keys, states, counts, hashes. Removes no
directory and decides about no run.
"""

from __future__ import annotations

from collections.abc import Sequence

from importer.core.states import RowState
from importer.journal.runs import FINISHED, Purgeable
from importer.journal.sql.database import Database
from importer.journal.sql.steps import HAS_OPEN_STEPS, IS_CHANGE

_PURGED = ("batches", "sent", "members", "resent", "steps", "run_files", "runs")
"""Tables that hold personal data until a purge."""
_OPEN = (RowState.READY, RowState.SENDING, RowState.UNSENT, RowState.UNKNOWN)


class Purging:
    """Takes personal data out of one journal. Implements `port.Purging`.

    A run with open steps can be resumed. Purged all the same, its steps stay as they are, since its receipt is about
    them; they can no longer be done, and nothing looks for them.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def purgeable(self, before: float) -> list[Purgeable]:
        marks = ",".join("?" * len(_OPEN))
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT run, run_id, source, coalesce(ended_at, started_at), phase != ? OR EXISTS"
                f" (SELECT 1 FROM rows WHERE rows.run = runs.run AND state IN ({marks})), {HAS_OPEN_STEPS}"
                " FROM runs WHERE purged_at IS NULL AND coalesce(ended_at, started_at) < ? ORDER BY run",
                (FINISHED, *(state.value for state in _OPEN), before),
            ).fetchall()
        return [
            Purgeable(run, run_id, source, ended_at, bool(rows_left or steps_left), bool(steps_left))
            for run, run_id, source, ended_at, rows_left, steps_left in found
        ]

    def purge(self, runs: Sequence[int], now: float) -> None:
        self._db.overwrite_deleted()
        with self._db.transaction() as tx:
            for run in runs:
                for table in ("sent", "members", "resent", "run_files"):  # without its body no row can be looked for
                    tx.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
                tx.execute(
                    "UPDATE batches SET cells = NULL, payloads = NULL, surplus = NULL, after = NULL WHERE run = ?",
                    (run,),
                )
                tx.execute("UPDATE steps SET detail = '[]' WHERE run = ? AND step = 'update'", (run,))
                tx.execute(f"UPDATE steps SET reference = '' WHERE run = ? AND {IS_CHANGE}", (run,))
                tx.execute(
                    "UPDATE runs SET columns = '[]', facts = '{}', profile = NULL, purged_at = ? WHERE run = ?",
                    (now, run),
                )

    def wipe(self) -> None:
        self._db.overwrite_deleted()
        self._db.wipe(_PURGED)
