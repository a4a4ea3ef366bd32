"""Which earlier row a row is: by its place in the same content, and among twins by what it says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.contract import occurrence_key
from importer.core.frames import raw_batch
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import Comparison, RunHeader
from importer.journal.port.delivery import RunToSend
from importer.journal.sql.claims import Claims
from importer.journal.sql.database import Database
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.runs import Runs
from importer.journal.sqlite.database import SqliteDatabase
from tests.effort import examples

SCOPE, BASE, SECRET = "live#main", "ab" * 16, b"a fictional secret of 32 bytes.."
TWINS = Comparison(CUSTOMERS, "warn", external_id_decides=False, target="live", columns={}, allows_duplicates=True)


def passed(database: Database, number: int, names: Sequence[str]) -> list[str]:
    """A run over rows of one key, each with a name of its own; the customer that each row ended with."""
    header = RunHeader(
        f"20261122T083000Z-{number:06x}", SCOPE, "live", "a.csv", "/a", str(number), "bead", dry_run=False, started_at=1
    )
    run = Runs(database).begin(header).run
    intake, raw = RunIntake(database, run, CUSTOMERS), raw_batch(0, range(2, 2 + len(names)), ())
    intake.load(raw)
    bodies = [f'{{"firstName":"{name}","metadata":{{"importKey":"{BASE}"}}}}'.encode() for name in names]
    intake.record(CheckedBatch(raw, bodies, [BASE] * len(names), [""] * len(names)))
    own = {at: occurrence_key(BASE, at + 1) for at in range(1, len(names))}
    intake.judged(DuplicateVerdict((), own, [list(range(len(names)))] if len(names) > 1 else []))
    intake.compare_and_remember(SCOPE, SECRET, TWINS)
    claims = Claims(database, RunToSend(run, SCOPE, CUSTOMERS, secret=SECRET))
    with database.transaction() as tx:
        claimed = claims.claim(tx, 100, 1.0)
        fresh = [
            Outcome(one.ordinal, one.key, RowState.CREATED, customer_id=f"{names[one.ordinal]} {number}")
            for one in claimed.records
        ]
        claims.endings.settle(tx, fresh)
    assert all(one.key.encode() in one.payload for one in claimed.records)
    return [one.customer_id for one in sorted([*claimed.known, *fresh], key=lambda one: one.ordinal)]


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1), min_size=2, max_size=4))
def test_twins_that_were_seen_together_keep_their_customers_in_whatever_order(passes: list[list[str]]) -> None:
    together = [sorted({name for names in passes for name in names}), *passes]
    numbers = count(1)
    with (
        TemporaryDirectory() as folder,
        closing(SqliteDatabase(Path(folder) / "journal.sqlite3", durable=False)) as database,
    ):
        first, *later = [passed(database, next(numbers), names) for names in together]
        owned = dict(zip(together[0], first, strict=True))

    assert later == [[owned[name] for name in names] for names in passes]
    assert len(set(first)) == len(first)
