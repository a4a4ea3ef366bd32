"""Whose an API key is, which addresses are one server, and what moves when an account gets its name."""

from __future__ import annotations

import pytest

from importer.core.states import RowState
from importer.journal import AccountMatch, same_server
from importer.journal.sql.accounts import Accounts
from importer.journal.sql.database import Database
from importer.journal.sql.runs import Runs
from importer.journal.sql.scopes import move_scope
from importer.journal.sqlite.database import SqliteDatabase
from tests.unit.journal.conftest import OVER_BOTH, begin, created, fill, open_book

SERVER = "https://api.example.com"
FIRST, SECOND, MAIN = f"{SERVER}#key-1111", f"{SERVER}#key-2222", f"{SERVER}#main"


@pytest.fixture
def accounts(database: SqliteDatabase) -> Accounts:
    return Accounts(database, b"a fictional secret of 32 bytes..")


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080/", "HTTP://LocalHost:8080/v1/",
        "http://localhost.:8080/v1",
    ],
)  # fmt: skip
def test_loopback_names_case_and_slashes_are_one_server(address: str) -> None:
    assert same_server(address) == "http://localhost:8080"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example.com", "https://sandbox.example.com"), ("http://localhost:8080", "http://localhost:8081"),
        ("https://api.example.com/a", "https://api.example.com/A"), ("http://localhost", "http://127.0.0.2"),
    ],
)  # fmt: skip
def test_other_letters_are_another_server(one: str, other: str) -> None:
    assert same_server(one) != same_server(other)


def test_keys_are_kept_as_keyed_hashes_alone(database: SqliteDatabase, accounts: Accounts) -> None:
    accounts.bind(SERVER, "key one", FIRST)

    assert "key one" not in "".join(database.connection.iterdump())
    assert Accounts(database, b"another secret").match(SERVER, "", SECOND, "key one") == AccountMatch(SECOND)


@OVER_BOTH
def test_a_scope_that_moves_is_known_there_and_the_better_knowledge_stays(database: Database) -> None:
    old, new = begin(database, scope=FIRST), begin(database, "20261123T083000Z-00000b", scope=MAIN)
    fill(database, old, ["k0", "k1", "k2"])
    fill(database, new, ["k1", "k2", "k3"])
    one, two = open_book(database, old, scope=FIRST), open_book(database, new, scope=MAIN)
    one.claim()
    one.settle(created(0, "k0", "old-0"), created(1, "k1", "old-1"))
    two.claim()
    two.settle(created(1, "k2", "new-2"), created(2, "k3", "new-3"))

    with database.transaction() as tx:
        tx.execute("INSERT INTO starts VALUES (?, 5, 2), (?, 5, 3)", (FIRST, MAIN))
        move_scope(tx, FIRST, MAIN)

    third = begin(database, "20261124T083000Z-00000c", scope=MAIN)
    fill(database, third, ["k0", "k1", "k2", "k3", "k4"])
    known = open_book(database, third, scope=MAIN).claim().known
    assert {one.key: (one.state, one.customer_id) for one in known} == {
        "k0": (RowState.EXISTING, "old-0"), "k1": (RowState.EXISTING, "old-1"),
        "k2": (RowState.EXISTING, "new-2"), "k3": (RowState.EXISTING, "new-3"),
    }  # fmt: skip
    assert database.connection.execute("SELECT * FROM starts").fetchall() == [(MAIN, 5, 5)]
    assert Runs(database).find("20261122").header.scope == MAIN
