"""How many requests were started lately, per scope, over all runs: for limits that outlast a run. Counts only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from importer.journal.port.delivery import CHARGED_FOR_S
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.group_commit import GroupCommit

SLOT_S = 10
KEPT_S = 86_400.0 + 2 * SLOT_S
_FINE_S, _SHORT_S = 1, 600.0
"""Where a shared limit is for less time than that, slots are so much shorter. All end where one of `SLOT_S` would end
that began at their number: whoever reads them need not know."""
_LEAVING = "SELECT slot, count FROM starts WHERE scope = ? AND slot > ? ORDER BY slot"


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
        limits: counts, and the seconds in which no more may start, by the clock of the database: what is charged is
            refused beyond them. Empty: nothing is refused.
    """

    def __init__(
        self,
        database: Database,
        scope: str,
        commits: GroupCommit,
        now: Callable[[], float],
        limits: Sequence[tuple[int, float]] = (),
    ) -> None:
        self._db = database
        self._scope = scope
        self._commits = commits
        self._now = now
        self._limits = limits
        self._width_s = _FINE_S if min((per_s for _, per_s in limits), default=math.inf) < _SHORT_S else SLOT_S
        self._slot = 0

    async def charge(self, starts: int) -> float:
        """Add starts to the slot of this moment, durably; what is given back comes off the slot last charged.

        Args:
            starts: how many; negative to give back.

        Returns:
            0 where they are added; for how many seconds they are refused where they are not.
        """
        if self._limits:
            refused_s: float = await self._commits.submit(lambda tx: self._charge_within(tx, starts))
            return refused_s
        if starts > 0:
            self._slot = int(self._now() // SLOT_S) * SLOT_S
        slot = self._slot
        await self._commits.submit(lambda tx: self._add(tx, slot, starts))
        return 0.0

    def _charge_within(self, tx: Connection, starts: int) -> float:
        """Add starts that no limit refuses: they count until a window after they have to have started."""
        if starts > 0:
            (now,) = tx.execute(tx.dialect.now).fetchone()
            if (refused_s := max(self._refused_s(tx, now, starts, *limit) for limit in self._limits)) > 0:
                return refused_s
            tx.execute("DELETE FROM starts WHERE scope = ? AND slot < ?", (self._scope, now - KEPT_S))
            self._slot = (int((now + CHARGED_FOR_S) // self._width_s) + 1) * self._width_s - SLOT_S
        self._add(tx, self._slot, starts)
        return 0.0

    def _refused_s(self, tx: Connection, now: float, starts: int, count: int, per_s: float) -> float:
        surplus = started_within(tx, self._scope, now, per_s) + starts - count
        if surplus <= 0:
            return 0.0
        for slot, leaving in tx.execute(_LEAVING, (self._scope, now - SLOT_S - per_s)):
            surplus -= leaving
            if surplus <= 0:
                return float(slot + SLOT_S + per_s - now)
        return per_s

    def _add(self, tx: Connection, slot: int, starts: int) -> None:
        tx.execute(
            "INSERT INTO starts VALUES (?, ?, ?)"
            " ON CONFLICT (scope, slot) DO UPDATE SET count = starts.count + excluded.count",
            (self._scope, slot, starts),
        )

    def earlier(self) -> list[tuple[float, int]]:
        """Seconds since the end of each slot of the last day, and its count, the oldest first; drops older ones."""
        now = self._now()
        with self._db.transaction(brief=True) as tx:
            tx.execute("DELETE FROM starts WHERE slot < ?", (now - KEPT_S,))
            found = tx.execute(
                "SELECT slot, count FROM starts WHERE scope = ? AND count > 0 ORDER BY slot", (self._scope,)
            ).fetchall()
        return [(now - slot - SLOT_S, count) for slot, count in found]
