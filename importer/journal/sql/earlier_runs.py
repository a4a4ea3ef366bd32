"""What later runs ask about earlier ones: of the same content, account or profile."""

from __future__ import annotations

import json
import math

from importer.journal.runs import FINISHED, LOADING, RUNNING, STOPPED, Ahead, KnownFrom, RunStatistics, StoredRun
from importer.journal.sql.database import Database
from importer.journal.sql.groups import SPEAKS
from importer.journal.sql.runs import stored_run
from importer.journal.sql.starts import started_within
from importer.journal.sql.steps import HAS_DUE_STEPS

_RUNS = 5
"""This many runs are enough for an estimate."""


class EarlierRuns:
    """What later runs ask about earlier ones. Implements `port.EarlierRuns`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of_content(self, scope: str, content_hash: str, sheet: str) -> list[StoredRun]:
        with self._db.guarded("read"):
            rows = self._db.connection.execute(
                "SELECT run_id FROM runs WHERE scope = ? AND content_hash = ? AND sheet = ? AND phase IN (?, ?, ?)"
                " ORDER BY run DESC",
                (scope, content_hash, sheet, RUNNING, FINISHED, STOPPED),
            ).fetchall()
        return [stored_run(self._db, run_id) for (run_id,) in rows]

    def newest_with(self, scope: str, content_hash: str) -> StoredRun | None:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT run_id, facts FROM runs WHERE scope = ? AND content_hash = ? ORDER BY run DESC",
                (scope, content_hash),
            ).fetchall()
        newest = next((run_id for run_id, facts in found if not json.loads(facts).get("job")), "")
        return stored_run(self._db, newest) if newest else None

    def continuing(self, run_id: str, target: str) -> str:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT run_id, facts FROM runs WHERE target = ? AND facts LIKE ? ORDER BY run DESC",
                (target, f"%{run_id}%"),
            ).fetchall()
        return next((one for one, facts in found if json.loads(facts).get("continues") == run_id), "")

    def has_sent(self, run: int) -> bool:
        with self._db.guarded("read"):
            (found,) = self._db.connection.execute(
                "SELECT EXISTS (SELECT 1 FROM rows WHERE run = ? AND state IN"
                " ('created', 'existing', 'sending', 'unknown'))",
                (run,),
            ).fetchone()
        return bool(found)

    def knows_profile(self, profile_hash: str) -> bool:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT EXISTS (SELECT 1 FROM runs WHERE profile_hash = ? AND phase != ?)", (profile_hash, LOADING)
            ).fetchone()
        return bool(found[0])

    def known_from(self, run: int) -> list[KnownFrom]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT u.run_id, count(*), min(i.since), max(i.since) FROM rows r"
                " JOIN runs mine ON mine.run = r.run"
                " LEFT JOIN rows l ON l.run = r.run AND l.ordinal = r.leader"
                " JOIN identities i ON i.scope = mine.scope AND i.key = coalesce(r.key, l.key) AND i.run <> r.run"
                " JOIN runs u ON u.run = i.run"
                " WHERE r.run = ? AND r.state = 'existing' AND r.attempts = 0 GROUP BY u.run ORDER BY u.run",
                (run,),
            ).fetchall()
        return [KnownFrom(*one) for one in found]

    def ahead(self, stored: StoredRun, *, stopped: bool = False) -> Ahead:
        run, scope = stored.run, stored.header.scope
        ready, doubt = ("ready", "unsent" if stopped else ""), ("sending", "unknown" if stopped else "")
        with self._db.guarded("read"):
            waiting, known, others = self._db.connection.execute(
                "SELECT count(*), count(CASE WHEN k.state IN ('created', 'existing') THEN 1 END),"
                " count(CASE WHEN k.state IN ('sending', 'unknown') THEN 1 END)"
                " FROM rows r LEFT JOIN identities i ON i.scope = ? AND i.key = r.key"
                " LEFT JOIN rows k ON k.run = i.run AND k.ordinal = i.ordinal"
                " WHERE r.run = ? AND r.state IN (?, ?) AND (r.leader IS NULL OR r.leader = r.ordinal)",
                (scope, run, *ready),
            ).fetchone()
            (in_doubt,) = self._db.connection.execute(
                f"SELECT count(*) FROM rows WHERE run = ? AND state IN (?, ?) AND {SPEAKS}", (run, *doubt)
            ).fetchone()
        return Ahead(creates=waiting - known, known=known, in_doubt=in_doubt + others)

    def quiet_s(self, run: int, scope: str, now: float) -> float:
        with self._db.guarded("read"):
            (last,) = self._db.connection.execute(
                "SELECT max(coalesce(ended_at, ?)) FROM runs WHERE scope = ? AND run <> ? AND dry_run = 0",
                (now, scope, run),
            ).fetchone()
        return math.inf if last is None else max(0.0, now - last)

    def started_within(self, scope: str, now: float, window_s: float) -> int:
        with self._db.guarded("read"):
            return started_within(self._db.connection, scope, now, window_s)

    def run_statistics(self, scope: str) -> list[RunStatistics]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT source, facts,"
                " (SELECT CAST(coalesce(sum(length), 0) AS BIGINT) FROM batches b WHERE b.run = r.run),"
                " (SELECT count(*) FROM attempts a WHERE a.run = r.run)"
                " FROM runs r WHERE scope = ? AND phase = ? AND purged_at IS NULL ORDER BY run DESC LIMIT ?",
                (scope, FINISHED, _RUNS),
            ).fetchall()
        return [
            RunStatistics(source, json.loads(facts).get("size_bytes", 0), rows, requests)
            for source, facts, rows, requests in found
        ]

    def with_resent(self, target: str) -> list[str]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT run_id FROM runs WHERE target = ? AND purged_at IS NULL AND phase IN ('finished', 'stopped')"
                " AND EXISTS (SELECT 1 FROM resent WHERE resent.run = runs.run) ORDER BY run",
                (target,),
            ).fetchall()
        return [run_id for (run_id,) in found]

    def with_open_steps(self, target: str, due_by: float | None = None) -> list[str]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT run_id FROM runs WHERE target = ? AND purged_at IS NULL AND phase IN ('finished', 'stopped')"
                f" AND {HAS_DUE_STEPS} ORDER BY run",
                (target, due_by),
            ).fetchall()
        return [run_id for (run_id,) in found]
