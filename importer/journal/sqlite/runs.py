"""The register of runs: begin one, find one, end one. Knows nothing of rows but their counts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from importer.core.commands import Commands
from importer.core.errors import UsageError
from importer.core.results import RunSummary
from importer.core.sources import SourceInfo
from importer.core.states import REOPENINGS, RowState
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.groups import SPEAKS
from importer.journal.sqlite.issue_rows import remove_issues
from importer.journal.sqlite.starts import started_within

LOADING, READY, RUNNING, FINISHED, STOPPED = "loading", "ready", "running", "finished", "stopped"
_SUMMARY = (
    "run, run_id, source, target, dry_run, phase, started_at, ended_at, exit_code, columns, sheet, purged_at,"
    " extra, path"
)


_OPENED = "run = :run AND state = :state AND ordinal NOT IN (SELECT value FROM json_each(:kept))"


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a run is, fixed when it begins.

    Args:
        scope: target and account; import keys are unique inside one.
        path: absolute path of the source.
        content_hash: of the source's bytes.
        profile_hash: of what decides rows and bodies.
    """

    run_id: str
    scope: str
    target: str
    source: str
    path: str
    content_hash: str
    profile_hash: str
    dry_run: bool
    started_at: float


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the journal knows it.

    Args:
        purged_at: when its cells and bodies were removed, seconds since the epoch; None: they are all there.
        profile: its effective profile as JSON; empty: purged, or an earlier program kept none.
        commands: composes the commands that its errors name.
    """

    run: int
    phase: str
    header: RunHeader
    facts: Mapping[str, Any]
    purged_at: float | None = None
    profile: str = ""
    commands: Commands = field(default_factory=Commands, repr=False)

    def require_loaded(self) -> None:
        """Refuse what needs every row while they are still being read.

        Raises:
            UsageError: they are, or the reading was cut off.
        """
        if self.phase == LOADING:
            raise UsageError(
                f"The run {self.header.run_id} was cut off before its source was read to the end; nothing was sent.",
                f"`{self.commands.resume(self.header.run_id)}` begins it again.",
            )

    def require_whole(self) -> None:
        """Refuse what needs the run's cells, once they were purged, or what another workspace goes on with.

        Raises:
            UsageError: they were, or it does.
        """
        if self.facts.get("elsewhere"):
            raise UsageError(
                f"The run {self.header.run_id} belongs to the workspace that this one was copied from.",
                "Go on with it there, or import the source again: rows that may have been sent are looked up first.",
            )
        if self.purged_at is None:
            return
        day = datetime.fromtimestamp(self.purged_at, UTC).strftime("%Y-%m-%d")
        raise UsageError(
            f"The cells and files of the run {self.header.run_id} were purged on {day}; ids, keys and counts remain.",
            f"`{self.commands.show(self.header.run_id)}` shows what is left; import the source again to have its rows.",
        )


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a run has before it.

    Args:
        creates: rows to send.
        known: rows that an earlier run created; they end without a request.
        in_doubt: rows that this run or another may have sent.
    """

    creates: int
    known: int
    in_doubt: int


class KnownFrom(NamedTuple):
    """Customers that are known from an earlier run, and that nobody asked the target about.

    Args:
        rows: of the run that knows them.
        first_at: when the first of them was sent, seconds since the epoch.
        last_at: and the last.
    """

    run_id: str
    rows: int
    first_at: float
    last_at: float


class Runs:
    """The register of one workspace's runs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def any(self) -> bool:
        """Whether there is a run."""
        with self._db.guarded("read"):
            return bool(self._db.connection.execute("SELECT EXISTS (SELECT 1 FROM runs)").fetchone()[0])

    def begin(self, header: RunHeader) -> StoredRun:
        """Register a new run, durably."""
        with self._db.transaction() as tx:
            cursor = tx.execute(
                "INSERT INTO runs (run_id, scope, target, source, path, content_hash, profile_hash, dry_run, phase,"
                " started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            )
        assert cursor.lastrowid is not None  # noqa: S101  # an INSERT has one: for the type checker
        return StoredRun(run=cursor.lastrowid, phase=LOADING, header=header, facts={}, commands=self._db.commands)

    def opened(self, run: int, info: SourceInfo) -> None:
        """Keep what the source turned out to be."""
        with self._db.transaction() as tx:
            tx.execute(
                "UPDATE runs SET columns = ?, sheet = ? WHERE run = ?", (json.dumps(info.columns), info.sheet, run)
            )

    def note(self, run: int, **facts: Any) -> None:
        """Add facts for the report (JSON values, no personal data)."""
        with self._db.transaction() as tx:
            known = json.loads(tx.execute("SELECT facts FROM runs WHERE run = ?", (run,)).fetchone()[0])
            tx.execute("UPDATE runs SET facts = ? WHERE run = ?", (json.dumps({**known, **facts}), run))

    def keep_profile(self, run: int, profile: str) -> None:
        """Keep the run's effective profile, JSON without secrets; it is purged with the run."""
        with self._db.transaction() as tx:
            tx.execute("UPDATE runs SET profile = ? WHERE run = ?", (profile, run))

    def facts(self, run: int) -> dict[str, Any]:
        """What `note` has kept."""
        with self._db.guarded("read"):
            (facts,) = self._db.connection.execute("SELECT facts FROM runs WHERE run = ?", (run,)).fetchone()
        known: dict[str, Any] = json.loads(facts)
        return known

    def forget(self, run: int) -> None:
        """Drop a run that was refused before its first request."""
        with self._db.transaction() as tx:
            for table in ("batches", "rows", "issues", "attempts", "sent", "changes", "resent", "members", "runs"):
                tx.execute(f"DELETE FROM {table} WHERE run = ?", (run,))

    def reopen(self, run: int, states: Sequence[RowState], but: Iterable[int] = ()) -> None:
        """Open the rows that ended in one of `states` for another pass; their old delivery errors go.

        Args:
            but: ordinals of rows that stay as they are.
        """
        kept = json.dumps(sorted(but))
        with self._db.transaction() as tx:
            for state in states:
                opened = {"run": run, "state": state.value, "kept": kept, "reopened": REOPENINGS[state].value}
                ended = tx.execute(f"SELECT ordinal FROM rows WHERE {_OPENED}", opened).fetchall()
                remove_issues(tx, run, {ordinal for (ordinal,) in ended}, errors_only=True)
                tx.execute(
                    f"UPDATE rows SET state = :reopened WHERE {_OPENED}",
                    {**opened, "reopened": REOPENINGS[state].value},
                )

    def enter(self, run: int, phase: str) -> None:
        """Move a run to its next phase; running again clears how it ended before."""
        with self._db.transaction() as tx:
            tx.execute("UPDATE runs SET phase = ?, ended_at = NULL, exit_code = NULL WHERE run = ?", (phase, run))

    def end(self, run: int, *, phase: str, exit_code: int, ended_at: float) -> None:
        """Record how a run ended."""
        with self._db.transaction() as tx:
            tx.execute(
                "UPDATE runs SET phase = ?, exit_code = ?, ended_at = ? WHERE run = ?",
                (phase, exit_code, ended_at, run),
            )

    def find(self, name: str) -> StoredRun:
        """The run whose id begins with `name`; `last` is the newest.

        Raises:
            UsageError: there is none, or more than one.
        """
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
        return self._stored(ids[0][0])

    def _stored(self, run_id: str) -> StoredRun:
        with self._db.guarded("read"):
            row = self._db.connection.execute(
                "SELECT run, phase, facts, run_id, scope, target, source, path, content_hash, profile_hash, dry_run,"
                " started_at, purged_at, coalesce(profile, '') FROM runs WHERE run_id = ?",
                (run_id,),
            ).fetchone()
        run, phase, facts, *header, purged_at, profile = row
        header, facts = RunHeader(*header), json.loads(facts)
        return StoredRun(run, phase, header, facts, purged_at, profile, self._db.commands)

    def of_content(self, scope: str, content_hash: str, sheet: str) -> list[StoredRun]:
        """The runs that sent the same content, under whatever profile, the newest first.

        Args:
            sheet: of a workbook the one that was read: another sheet has other rows.
        """
        with self._db.guarded("read"):
            rows = self._db.connection.execute(
                "SELECT run_id FROM runs WHERE scope = ? AND content_hash = ? AND sheet = ? AND phase IN (?, ?, ?)"
                " ORDER BY run DESC",
                (scope, content_hash, sheet, RUNNING, FINISHED, STOPPED),
            ).fetchall()
        return [self._stored(run_id) for (run_id,) in rows]

    def has_sent(self, run: int) -> bool:
        """Whether a run knows of customers: such as it created, may have created, or found."""
        with self._db.guarded("read"):
            (found,) = self._db.connection.execute(
                "SELECT EXISTS (SELECT 1 FROM rows WHERE run = ? AND state IN"
                " ('created', 'existing', 'sending', 'unknown'))",
                (run,),
            ).fetchone()
        return bool(found)

    def continuing(self, run_id: str, target: str) -> str:
        """The id of the newest import that a dry run went on to at a target; empty when there is none."""
        with self._db.guarded("read"):
            row = self._db.connection.execute(
                "SELECT run_id FROM runs WHERE target = ? AND json_extract(facts, '$.continues') = ?"
                " ORDER BY run DESC LIMIT 1",
                (target, run_id),
            ).fetchone()
        return row[0] if row else ""

    def newest_with(self, scope: str, content_hash: str) -> StoredRun | None:
        """The newest run of the same content, under whatever profile and at whatever stage."""
        with self._db.guarded("read"):
            row = self._db.connection.execute(
                "SELECT run_id FROM runs WHERE scope = ? AND content_hash = ? ORDER BY run DESC LIMIT 1",
                (scope, content_hash),
            ).fetchone()
        return self._stored(row[0]) if row else None

    def knows_profile(self, profile_hash: str) -> bool:
        """Whether a source was ever read to its end under this profile."""
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT EXISTS (SELECT 1 FROM runs WHERE profile_hash = ? AND phase != ?)", (profile_hash, LOADING)
            ).fetchone()
        return bool(found[0])

    def ahead(self, stored: StoredRun, *, stopped: bool = False) -> Ahead:
        """What a run has before it. Reads every waiting row's key: seconds for millions of rows.

        Args:
            stopped: count what `resume` opens again as well.
        """
        run, scope = stored.run, stored.header.scope
        ready, doubt = ("ready", "unsent" if stopped else ""), ("sending", "unknown" if stopped else "")
        with self._db.guarded("read"):
            waiting, known, elsewhere = self._db.connection.execute(
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
        return Ahead(creates=waiting - known, known=known, in_doubt=in_doubt + elsewhere)

    def started_within(self, scope: str, now: float, window_s: float) -> int:
        """How many requests of a scope count against a limit of so many seconds, whichever runs made them."""
        with self._db.guarded("read"):
            return started_within(self._db.connection, scope, now, window_s)

    def quiet_s(self, run: int, scope: str, now: float) -> float:
        """For how many seconds at least no other run of a scope has sent; one that was cut off may just have.

        Args:
            run: the one that asks: it was not begun when the others sent.
        """
        with self._db.guarded("read"):
            (last,) = self._db.connection.execute(
                "SELECT max(coalesce(ended_at, ?)) FROM runs WHERE scope = ? AND run <> ? AND dry_run = 0",
                (now, scope, run),
            ).fetchone()
        return math.inf if last is None else max(0.0, now - last)

    def known_from(self, run: int) -> list[KnownFrom]:
        """From which earlier runs customers are known that this one took as existing without a request."""
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

    def summaries(self) -> list[RunSummary]:
        """All runs, newest first."""
        with self._db.guarded("read"):
            rows = self._db.connection.execute(f"SELECT {_SUMMARY} FROM runs ORDER BY run DESC").fetchall()
        return [self._summary(row) for row in rows]

    def ids(self) -> list[tuple[int, str]]:
        """The number and id of every run, oldest first."""
        with self._db.guarded("read"):
            return self._db.connection.execute("SELECT run, run_id FROM runs ORDER BY run").fetchall()

    def summary(self, run: int) -> RunSummary:
        """One run."""
        with self._db.guarded("read"):
            row = self._db.connection.execute(f"SELECT {_SUMMARY} FROM runs WHERE run = ?", (run,)).fetchone()
        return self._summary(row)

    def _summary(self, row: tuple[Any, ...]) -> RunSummary:
        (
            run,
            run_id,
            source,
            target,
            dry_run,
            phase,
            started_at,
            ended_at,
            exit_code,
            columns,
            sheet,
            purged_at,
            extra,
            path,
        ) = row
        return RunSummary(
            run_id=run_id,
            source=source,
            target=target,
            dry_run=bool(dry_run),
            state=phase,
            started_at=started_at,
            ended_at=ended_at,
            exit_code=exit_code,
            counts=self.counts(run),
            columns=tuple(json.loads(columns)),
            sheet=sheet,
            purged_at=purged_at,
            extra=extra,
            path=path,
        )

    def unsent_beside(self, run: int) -> int:
        """How many rows wait that are not sent themselves: another row of their group is."""
        with self._db.guarded("read"):
            (count,) = self._db.connection.execute(
                "SELECT count(*) FROM rows WHERE run = ? AND leader IS NOT NULL AND leader <> ordinal"
                " AND state IN ('ready', 'sending')",
                (run,),
            ).fetchone()
        return int(count)

    def counts(self, run: int) -> dict[str, int]:
        """Rows per state, states without rows left out, and `read`: the rows loaded."""
        with self._db.guarded("read"):
            states = self._db.connection.execute(
                "SELECT state, count(*) FROM rows WHERE run = ? GROUP BY state", (run,)
            ).fetchall()
            read, dry_run = self._db.connection.execute(
                "SELECT (SELECT coalesce(sum(length), 0) FROM batches WHERE run = ?), dry_run FROM runs WHERE run = ?",
                (run, run),
            ).fetchone()
        counts = {RowState(state).value: count for state, count in states}
        if dry_run and (unlisted := read - sum(counts.values())):
            # A dry run may list its invalid rows only (see `RunIntake`).
            counts[RowState.VALID.value] = counts.get(RowState.VALID.value, 0) + unlisted
        return {"read": read, **counts}
