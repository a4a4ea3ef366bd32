"""The register of runs: begin one, find one, end one. Knows only the counts of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from importer.core.errors import UsageError
from importer.core.results import RunSummary
from importer.core.sources import SourceInfo
from importer.core.states import REOPENINGS, RowState
from importer.journal.facts import RunFacts
from importer.journal.runs import LOADING, RunHeader, StoredRun
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.issue_rows import remove_issues

_SUMMARY = (
    "run, run_id, source, target, dry_run, phase, started_at, ended_at, exit_code, columns, sheet, purged_at,"
    " extra, path"
)
_TABLES = (
    "batches", "rows", "issues", "attempts", "sent", "changes", "resent", "members", "steps", "step_attempts",
    "run_files", "runs",
)  # fmt: skip
_OPENED = "run = :run AND state = :state AND ordinal NOT IN ({})"


class Runs:
    """The register of one journal's runs. Implements `port.Runs`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def any(self) -> bool:
        with self._db.guarded("read"):
            return bool(self._db.connection.execute("SELECT EXISTS (SELECT 1 FROM runs)").fetchone()[0])

    def begin(self, header: RunHeader, facts: RunFacts | None = None) -> StoredRun:
        with self._db.transaction() as tx:
            (run,) = tx.execute(
                "INSERT INTO runs (run_id, scope, target, source, path, content_hash, profile_hash, dry_run, phase,"
                " started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING run",
                (
                    header.run_id,
                    header.scope,
                    header.target,
                    header.source,
                    header.path,
                    header.content_hash,
                    header.profile_hash,
                    int(header.dry_run),
                    LOADING,
                    header.started_at,
                ),
            ).fetchone()
            if facts:
                note(tx, run, facts)
        return StoredRun(run=run, phase=LOADING, header=header, facts=RunFacts(), commands=self._db.commands)

    def opened(self, run: int, info: SourceInfo) -> None:
        with self._db.transaction() as tx:
            tx.execute(
                "UPDATE runs SET columns = ?, sheet = ? WHERE run = ?", (json.dumps(info.columns), info.sheet, run)
            )

    def note(self, run: int, facts: RunFacts) -> None:
        with self._db.transaction() as tx:
            note(tx, run, facts)

    def keep_profile(self, run: int, profile: str) -> None:
        with self._db.transaction() as tx:
            tx.execute("UPDATE runs SET profile = ? WHERE run = ?", (profile, run))

    def facts(self, run: int) -> RunFacts:
        with self._db.guarded("read"):
            found = self._db.connection.execute("SELECT facts, run_id FROM runs WHERE run = ?", (run,)).fetchone()
        return RunFacts.read(*found)

    def forget(self, run: int) -> None:
        with self._db.transaction() as tx:
            for table in _TABLES:
                tx.execute(f"DELETE FROM {table} WHERE run = ?", (run,))

    def reopen(self, run: int, states: Sequence[RowState], but: Iterable[int] = ()) -> None:
        kept = json.dumps(sorted(but))
        with self._db.transaction() as tx:
            which = _OPENED.format(tx.dialect.numbers.format(":kept"))
            for state in states:
                opened = {"run": run, "state": state.value, "kept": kept, "reopened": REOPENINGS[state].value}
                ended = tx.execute(f"SELECT ordinal FROM rows WHERE {which}", opened).fetchall()
                remove_issues(tx, run, {ordinal for (ordinal,) in ended}, errors_only=True)
                tx.execute(
                    f"UPDATE rows SET state = :reopened WHERE {which}",
                    {**opened, "reopened": REOPENINGS[state].value},
                )

    def enter(self, run: int, phase: str) -> None:
        with self._db.transaction() as tx:
            tx.execute("UPDATE runs SET phase = ?, ended_at = NULL, exit_code = NULL WHERE run = ?", (phase, run))

    def end(self, run: int, *, phase: str, exit_code: int, ended_at: float) -> None:
        with self._db.transaction() as tx:
            tx.execute(
                "UPDATE runs SET phase = ?, exit_code = ?, ended_at = ? WHERE run = ?",
                (phase, exit_code, ended_at, run),
            )

    def find(self, name: str) -> StoredRun:
        like = "%" if name == "last" else name.replace("%", "").replace("_", "") + "%"
        order = "ORDER BY run DESC LIMIT 1" if name == "last" else "ORDER BY run LIMIT 3"
        with self._db.guarded("read"):
            ids = self._db.connection.execute(
                f"SELECT run_id FROM runs WHERE run_id LIKE ? {order}", (like,)
            ).fetchall()
        if not ids:
            raise UsageError(
                f"There is no run '{name}' in this workspace.", f"`{self._db.commands.runs()}` lists them."
            )
        if len(ids) > 1:
            raise UsageError(
                f"'{name}' fits several runs.", f"Give more of the run id; `{self._db.commands.runs()}` lists them."
            )
        return stored_run(self._db, ids[0][0])

    def summaries(self) -> list[RunSummary]:
        with self._db.guarded("read"):
            rows = self._db.connection.execute(f"SELECT {_SUMMARY} FROM runs ORDER BY run DESC").fetchall()
        return [_summary(row, self.counts(run)) for run, *row in rows]

    def ids(self) -> list[tuple[int, str]]:
        with self._db.guarded("read"):
            return self._db.connection.execute("SELECT run, run_id FROM runs ORDER BY run").fetchall()

    def summary(self, run: int) -> RunSummary:
        with self._db.guarded("read"):
            row = self._db.connection.execute(f"SELECT {_SUMMARY} FROM runs WHERE run = ?", (run,)).fetchone()
        return _summary(row[1:], self.counts(run))

    def scopes(self) -> list[str]:
        with self._db.guarded("read"):
            found = self._db.connection.execute("SELECT DISTINCT scope FROM runs ORDER BY scope").fetchall()
        return [scope for (scope,) in found]

    def has_resent(self, run: int) -> bool:
        with self._db.guarded("read"):
            found = self._db.connection.execute("SELECT EXISTS (SELECT 1 FROM resent WHERE run = ?)", (run,)).fetchone()
        return bool(found[0])

    def unsent_beside(self, run: int) -> int:
        with self._db.guarded("read"):
            (count,) = self._db.connection.execute(
                "SELECT count(*) FROM rows WHERE run = ? AND leader IS NOT NULL AND leader <> ordinal"
                " AND state IN ('ready', 'sending')",
                (run,),
            ).fetchone()
        return int(count)

    def counts(self, run: int) -> dict[str, int]:
        with self._db.guarded("read"):
            states = self._db.connection.execute(
                "SELECT state, count(*) FROM rows WHERE run = ? GROUP BY state", (run,)
            ).fetchall()
            read, dry_run = self._db.connection.execute(
                "SELECT (SELECT CAST(coalesce(sum(length), 0) AS BIGINT) FROM batches WHERE run = ?), dry_run"
                " FROM runs WHERE run = ?",
                (run, run),
            ).fetchone()
        counts = {RowState(state).value: count for state, count in states}
        if dry_run and (unlisted := read - sum(counts.values())):
            # A dry run may list its invalid rows only (see `RunIntake`).
            counts[RowState.VALID.value] = counts.get(RowState.VALID.value, 0) + unlisted
        return {"read": read, **counts}


def note(tx: Connection, run: int, facts: RunFacts) -> None:
    """Add what is set of these facts to what a run has noted; what this program does not know stays as it is."""
    known = json.loads(tx.execute("SELECT facts FROM runs WHERE run = ?", (run,)).fetchone()[0])
    tx.execute("UPDATE runs SET facts = ? WHERE run = ?", (json.dumps({**known, **facts.as_json()}), run))


def newest_run(connection: Connection) -> tuple[str, str, str, int | None] | None:
    """The newest run: its id, phase, scope and exit code; None: there is none."""
    found: tuple[str, str, str, int | None] | None = connection.execute(
        "SELECT run_id, phase, scope, exit_code FROM runs ORDER BY run DESC LIMIT 1"
    ).fetchone()
    return found


def widen(tx: Connection, run: int, surplus: int) -> None:
    """Note that a row of a run has so many surplus cells."""
    tx.execute("UPDATE runs SET extra = ? WHERE run = ? AND extra < ?", (surplus, run, surplus))


def stored_run(database: Database, run_id: str) -> StoredRun:
    """A run that is there, by its id."""
    with database.guarded("read"):
        row = database.connection.execute(
            "SELECT run, phase, facts, run_id, scope, target, source, path, content_hash, profile_hash, dry_run,"
            " started_at, purged_at, coalesce(profile, '') FROM runs WHERE run_id = ?",
            (run_id,),
        ).fetchone()
    run, phase, facts, *header, purged_at, profile = row
    header, facts = RunHeader(*header), RunFacts.read(facts, run_id)
    return StoredRun(run, phase, header, facts, purged_at, profile, database.commands)


def _summary(row: Sequence[Any], counts: Mapping[str, int]) -> RunSummary:
    run_id, source, target, dry_run, phase, started_at, ended_at, exit_code, columns, sheet, purged_at, extra, path = (
        row
    )
    return RunSummary(
        run_id=run_id,
        source=source,
        target=target,
        dry_run=bool(dry_run),
        state=phase,
        started_at=started_at,
        ended_at=ended_at,
        exit_code=exit_code,
        counts=counts,
        columns=tuple(json.loads(columns)),
        sheet=sheet,
        purged_at=purged_at,
        extra=extra,
        path=path,
    )
