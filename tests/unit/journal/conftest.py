"""A journal in a temporary folder, and rows in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.core.outcomes import Claimed, Outcome
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import Location, RunHeader
from importer.journal.port.delivery import RunToSend
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.sql.claims import Claims
from importer.journal.sql.database import Database
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.replay import Replay
from importer.journal.sql.runs import Runs
from importer.journal.sqlite.database import SqliteDatabase
from tests.postgres import shared_server

SCOPE = "https://api.example.com#main"


@dataclass
class Book:
    """One run in a journal."""

    database: Any
    run: int
    claims: Claims

    def claim(self, limit: int = 100, now: float = 1_000.0) -> Claimed:
        with self.database.transaction() as tx:
            return self.claims.claim(tx, limit, now)

    def settle(self, *outcomes: Outcome) -> None:
        with self.database.transaction() as tx:
            self.claims.endings.settle(tx, outcomes)

    def finish(self) -> None:
        with self.database.transaction() as tx:
            self.claims.finish(tx)

    def states(self) -> dict[int, str]:
        return {result.ordinal: result.state.value for result in Replay(self.database, self.run).results()}


def begin(database: Database, run_id: str = "20261122T083000Z-00000a", *, scope: str = SCOPE) -> int:
    header = RunHeader(run_id, scope, "live", "a.csv", "/data/a.csv", "c0ffee", "bead", dry_run=False, started_at=1.0)
    return Runs(database).begin(header).run


def fill(
    database: Database,
    run: int,
    keys: list[str | None],
    *,
    batch_rows: int = 3,
    issues: list[Issue] | None = None,
) -> None:
    """Load and check one row per key; None is an invalid row."""
    intake = RunIntake(database, run, CUSTOMERS)
    batches = [
        raw_batch(
            first, range(first + 2, first + 2 + len(keys[first : first + batch_rows])), _cells(first, keys, batch_rows)
        )
        for first in range(0, len(keys), batch_rows)
    ]
    for batch in batches:
        intake.load(batch)
    for batch in batches:
        mine = keys[batch.first : batch.first + batch_rows]
        payloads = [None if key is None else f'{{"key":"{key}"}}'.encode() for key in mine]
        found = [issue for issue in issues or [] if batch.first <= issue.ordinal < batch.first + len(mine)]
        intake.record(CheckedBatch(batch, payloads, mine, ["" for _ in mine], tuple(found)))
    intake.judged(DuplicateVerdict())


def _cells(first: int, keys: list[str | None], batch_rows: int) -> tuple[list[str], ...]:
    ordinals = range(first, first + len(keys[first : first + batch_rows]))
    return ([f"name {ordinal}" for ordinal in ordinals], [str(ordinal) for ordinal in ordinals])


def open_book(database: Database, run: int, *, scope: str = SCOPE) -> Book:
    return Book(database, run, Claims(database, RunToSend(run, scope, CUSTOMERS, {"lastName": "Surname"})))


def created(ordinal: int, key: str, customer_id: str = "") -> Outcome:
    return Outcome(ordinal, key, RowState.CREATED, customer_id=customer_id or f"cust-{ordinal}")


OVER_BOTH = pytest.mark.parametrize("database", ["postgres", "sqlite"], indirect=True)
"""A test of every adapter."""


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty journal: a file, or what `OVER_BOTH` asks for."""
    with closing(_postgres(tmp_path) if getattr(request, "param", "") == "postgres" else _file(tmp_path)) as opened:
        yield opened


def _file(folder: Path) -> Database:
    return SqliteDatabase(folder / "journal.sqlite3", durable=False)


def _postgres(folder: Path) -> Database:
    return PostgresDatabase(Location(folder / "journal.toml", shared_server().emptied()))


@pytest.fixture
def book(database: SqliteDatabase) -> Book:
    run = begin(database)
    fill(database, run, ["k0", "k1", None, "k3", "k4", "k5", None])
    return open_book(database, run)
