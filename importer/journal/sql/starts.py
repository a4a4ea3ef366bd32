"""How many requests were started lately, per scope, over all runs: for limits that outlast a run. Counts only."""

from __future__ import annotations

from collections.abc import Callable

from importer.journal.sql.database import Connection, Database
from importer.journal.sql.group_commit import GroupCommit

SLOT_S = 10
KEPT_S = 86_400.0 + 2 * SLOT_S


def started_within(journal: Connection, scope: str, now: float, window_s: float) -> int:
    """How many starts of a scope a rolling window still holds, as the limiter counts them: a slot leaves it whole.

    Args:
        now: seconds since the epoch.
    """
    (count,) = journal.execute(
        "SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM starts WHERE scope = ? AND slot > ?",
        (scope, now - SLOT_S - window_s),
    ).fetchone()
    return int(count)


class Starts:
    """The starts of one scope.

    Args:
        scope: target and account: what a server counts together.
        now: seconds since the epoch.
    """

    def __init__(self, database: Database, scope: str, commits: GroupCommit, now: Callable[[], float]) -> None:
        self._db = database
        self._scope = scope
        self._commits = commits
        self._now = now
        self._slot = 0

    async def charge(self, starts: int) -> float:
        """Add starts to the slot of this moment, durably; what is given back comes off the slot last charged.

        Args:
            starts: how many; negative to give back.

        Returns:
            0: nobody is refused.
        """
        if starts > 0:
            self._slot = int(self._now() // SLOT_S) * SLOT_S
        slot = self._slot
        await self._commits.submit(lambda tx: self._add(tx, slot, starts))
        return 0.0

    def _add(self, tx: Connection, slot: int, starts: int) -> None:
        tx.execute(
            "INSERT INTO starts VALUES (?, ?, ?)"
            " ON CONFLICT (scope, slot) DO UPDATE SET count = starts.count + excluded.count",
            (self._scope, slot, starts),
        )

    def earlier(self) -> list[tuple[float, int]]:
        """Seconds since the end of each slot of the last day, and its count, the oldest first; drops older ones."""
        now = self._now()
        with self._db.transaction() as tx:
            tx.execute("DELETE FROM starts WHERE slot < ?", (now - KEPT_S,))
            found = tx.execute(
                "SELECT slot, count FROM starts WHERE scope = ? AND count > 0 ORDER BY slot", (self._scope,)
            ).fetchall()
        return [(now - slot - SLOT_S, count) for slot, count in found]
