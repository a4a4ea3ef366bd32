"""An upgrade forgets nobody: what an old journal knows is worked out anew, or is asked about."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.core.batches import CheckedBatch
from importer.core.frames import raw_batch
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.customers.identity import import_key
from importer.journal import Comparison, Location, compares_bodies, workspace_secret
from importer.journal.port.delivery import RunToSend
from importer.journal.sql.claims import Claims
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.packing import pack_payloads, pack_rows
from importer.journal.sql.replay import Replay
from importer.journal.sqlite.database import SqliteDatabase
from tests.unit.journal.conftest import begin

SCOPE = "live#main"
HOW = Comparison(CUSTOMERS, "warn", external_id_decides=False, target="live", columns={}, default_region="US")


def body(phone: str, key: str, **more: Any) -> bytes:
    said = {
        "type": "INDIVIDUAL", "firstName": "Kim", "lastName": "Reed", "primaryEmail": {"value": "kim@example.com"},
        "addresses": [{"type": "PHYSICAL", "primary": True, "countryCode": "GBR"}],
        "primaryPhoneNumber": {"number": phone}, "metadata": {"importKey": key}, **more,
    }  # fmt: skip
    return json.dumps(said).encode()


def key_of(secret: bytes, phone: str) -> str:
    return import_key(
        secret, customer_type="INDIVIDUAL", names=("Kim", "Reed"), email="kim@example.com", phone=phone
    )  # fmt: skip


def old_workspace(folder: Path, *, state: str = "created", purged: bool = False) -> bytes:
    """A workspace of the last format, with one customer whose number was read in the default region."""
    secret = workspace_secret(folder)
    schema = Path(__file__).with_name("schema_v6.sql").read_text(encoding="utf-8")
    key = key_of(secret, "+12079460958")
    with closing(sqlite3.connect(folder / "journal.sqlite3", isolation_level=None)) as old:
        old.executescript(f"PRAGMA journal_mode=WAL; {schema} PRAGMA user_version=6;")
        old.execute(
            "INSERT INTO runs (run_id, scope, target, source, path, content_hash, profile_hash, dry_run, phase,"
            " columns, started_at) VALUES ('20261122T083000Z-00000a', 'live#main', 'live', 'a.csv', '/a.csv', 'c0ffee',"
            " 'bead', 0, 'finished', '[\"Name\"]', 1.0)"
        )
        blob = None if purged else pack_payloads([body("+12079460958", key)])
        old.execute("INSERT INTO batches VALUES (1, 0, 1, ?, NULL, ?)", (pack_rows([2]), blob))
        old.execute(
            "INSERT INTO rows (run, ordinal, state, key, customer_id, doubt_since) VALUES (1, 0, ?, ?, 'c0', 1.0)",
            (state, key),
        )
        old.execute("INSERT INTO identities VALUES ('live#main', ?, 1, 0, 1.0, '0123456789abcdef')", (key,))
    return secret


def load_again(database: SqliteDatabase, secret: bytes, phone: str, how: Comparison = HOW) -> int:
    """The same customer, as its cells are read today."""
    run = begin(database, "20261123T083000Z-00000b", scope=SCOPE)
    intake = RunIntake(database, run, CUSTOMERS)
    raw = raw_batch(0, [2], ([""],))
    key = key_of(secret, phone)
    intake.load(raw)
    intake.record(CheckedBatch(raw, [body(phone, key)], [key], [""]))
    intake.compare_and_remember(SCOPE, secret, how)
    return run


def test_a_customer_whose_key_would_be_another_one_today_is_known(tmp_path: Path) -> None:
    secret = old_workspace(tmp_path)
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        run = load_again(database, secret, "+442079460958")
        with database.transaction() as tx:
            claimed = Claims(database, RunToSend(run, SCOPE, CUSTOMERS, secret=secret)).claim(tx, 9, 9.0)
        (issue,) = next(Replay(database, run).results()).warnings

    assert [(one.state, one.customer_id) for one in claimed.known] == [(RowState.EXISTING, "c0")]
    assert issue.code == "differs_from_imported"


def test_one_that_is_in_doubt_is_looked_up_under_the_stamp_that_it_was_sent_with(tmp_path: Path) -> None:
    secret = old_workspace(tmp_path, state="unknown")
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        run = load_again(database, secret, "+442079460958")
        with database.transaction() as tx:
            (record,) = Claims(database, RunToSend(run, SCOPE, CUSTOMERS, secret=secret)).claim(tx, 9, 9.0).records

    assert (record.in_doubt, record.key) == (True, key_of(secret, "+12079460958"))
    assert record.key.encode() in record.payload


@pytest.mark.parametrize("phone", ["+442079460958", "+12079460958"])
def test_what_is_kept_of_a_body_is_compared_by_today_s_hashes(tmp_path: Path, phone: str) -> None:
    secret = old_workspace(tmp_path)
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        found = database.connection.execute("SELECT rule, length(body), length(person) FROM identities").fetchall()
        alike = database.connection.execute("SELECT count(*) FROM likenesses").fetchone()
        run = load_again(database, secret, phone)
        state = database.connection.execute("SELECT key FROM rows WHERE run = ?", (run,)).fetchone()

    assert (found, alike) == ([(2, 17, 24)], (3,))
    assert state == (key_of(secret, "+12079460958"),)


def test_where_the_body_was_purged_a_hit_is_an_error_until_somebody_says_otherwise(tmp_path: Path) -> None:
    secret = old_workspace(tmp_path, purged=True)
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        run = load_again(database, secret, "+442079460958")
        held = next(Replay(database, run).results())

    assert (held.state, [issue.code for issue in held.errors]) == (RowState.INVALID, ["possible_duplicate"])
    assert "20261122T083000Z-00000a" in held.errors[0].message
    assert "row 2" in held.errors[0].message


def test_somebody_may_say_that_it_is_another_one(tmp_path: Path) -> None:
    secret = old_workspace(tmp_path, purged=True)
    confirmed = Comparison(
        CUSTOMERS, "ignore", external_id_decides=False, target="live", columns={}, default_region="US"
    )
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        run = load_again(database, secret, "+442079460958", confirmed)
        assert next(Replay(database, run).results()).state is RowState.READY


def test_a_key_that_no_rule_has_changed_is_known_although_its_body_was_purged(tmp_path: Path) -> None:
    secret = old_workspace(tmp_path, purged=True)
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        run = load_again(database, secret, "+12079460958")
        with database.transaction() as tx:
            claimed = Claims(database, RunToSend(run, SCOPE, CUSTOMERS, secret=secret)).claim(tx, 9, 9.0)

    assert [one.customer_id for one in claimed.known] == ["c0"]


def test_a_dry_run_over_an_upgraded_journal_says_it_too(tmp_path: Path) -> None:
    secret, journal = old_workspace(tmp_path, purged=True), tmp_path / "journal.sqlite3"
    assert not compares_bodies(Location(journal), CUSTOMERS.identity)
    SqliteDatabase(journal).close()
    assert compares_bodies(Location(journal), CUSTOMERS.identity)
    with closing(SqliteDatabase(tmp_path / "checked.sqlite3", durable=False)) as checked:
        run = begin(checked, "20261123T083000Z-00000b", scope="")
        intake = RunIntake(checked, run, CUSTOMERS, valid_state=RowState.VALID, keeps_bodies=True)
        raw, key = raw_batch(0, [2], ([""],)), key_of(secret, "+442079460958")
        intake.load(raw)
        intake.record(CheckedBatch(raw, [body("+442079460958", key)], [key], [""]))
        intake.compare(Location(journal), secret, HOW)
        held = next(Replay(checked, run).results())

    assert (held.state, [issue.code for issue in held.errors]) == (RowState.INVALID, ["possible_duplicate"])
