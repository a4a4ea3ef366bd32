"""Whose a new API key is: a person is asked, and the answer holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from importer.core.errors import UnknownAccountError, UsageError
from importer.journal import AccountUsed, Location, RunHeader
from importer.profile.delivery import TargetSettings
from importer.runs.accounts import NEW_ACCOUNT, account_on_record, known_scope, settle_account
from importer.runs.wiring import Destination, Workspace, open_workspace

SERVER = "https://api.example.com"
FIRST = "20261122T083000Z-00000a"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with closing(open_workspace(tmp_path)) as opened:
        settle_account(opened, where("one"), "", None, 1.0)
        begin(opened, f"{SERVER}#key-one")
        yield opened


def begin(workspace: Workspace, scope: str, run_id: str = FIRST) -> None:
    header = RunHeader(run_id, scope, "live", "a.csv", "/a.csv", "c0ffee", "bead", dry_run=False, started_at=1.0)
    workspace.runs.begin(header)


def where(key: str, account: str = "") -> Destination:
    settings = TargetSettings(base_url=SERVER, account=account)
    scope = f"{SERVER}#{account or f'key-{key}'}"
    return Destination("live", settings, scope, "api.example.com", SERVER, {"api_key": SecretStr(key)})


def test_somebody_at_a_terminal_is_asked_once(workspace: Workspace) -> None:
    asked: list[tuple[str, Sequence[AccountUsed]]] = []

    def whose(host: str, accounts: Sequence[AccountUsed]) -> str:
        asked.append((host, accounts))
        return accounts[0].run_id

    for _ in range(2):
        assert settle_account(workspace, where("two"), "", whose, 2.0).scope == f"{SERVER}#key-one"
    assert asked == [("api.example.com", [AccountUsed(f"{SERVER}#key-one", FIRST)])]


def test_without_an_answer_nothing_begins_and_nothing_is_remembered(workspace: Workspace) -> None:
    for whose in (None, lambda *_: ""):
        with pytest.raises(UnknownAccountError, match=f"--account-of {FIRST}"):
            settle_account(workspace, where("two"), "", whose, 2.0)
    with closing(sqlite3.connect(Location.of_workspace(workspace.path).path)) as journal:
        assert journal.execute("SELECT count(*) FROM api_keys").fetchone() == (1,)
    assert known_scope(workspace, where("two")) == f"{SERVER}#key-two"


def test_what_was_said_goes_before_a_question(workspace: Workspace) -> None:
    def never(*_: object) -> str:
        raise AssertionError

    assert settle_account(workspace, where("two"), NEW_ACCOUNT, never, 2.0).scope == f"{SERVER}#key-two"
    begin(workspace, f"{SERVER}#key-two", "20261123T083000Z-00000b")
    assert settle_account(workspace, where("three"), "20261123", never, 2.0).scope == f"{SERVER}#key-two"
    assert known_scope(workspace, where("three")) == f"{SERVER}#key-two"


def test_a_run_of_another_server_is_not_an_answer(workspace: Workspace) -> None:
    begin(workspace, "https://other.example.com#main", "20261123T083000Z-00000b")

    with pytest.raises(UsageError, match=r"did not send to an account of api\.example\.com"):
        settle_account(workspace, where("two"), "20261123", None, 2.0)


def test_a_name_takes_over_what_its_key_has_done(workspace: Workspace) -> None:
    assert known_scope(workspace, where("one", "main")) == f"{SERVER}#key-one"
    assert settle_account(workspace, where("one", "main"), "", None, 2.0).scope == f"{SERVER}#main"

    assert workspace.runs.find(FIRST).header.scope == f"{SERVER}#main"
    assert settle_account(workspace, where("two", "main"), "", None, 3.0).scope == f"{SERVER}#main"
    assert settle_account(workspace, where("one"), "", None, 3.0).scope == f"{SERVER}#main"


def test_a_name_may_be_given_to_what_another_key_has_done(workspace: Workspace) -> None:
    settled = settle_account(workspace, where("two", "main"), FIRST, None, 2.0)

    assert settled.scope == workspace.runs.find(FIRST).header.scope == f"{SERVER}#main"


def test_looking_at_an_account_changes_nothing(workspace: Workspace) -> None:
    assert account_on_record(workspace.path, where("one")).scope == f"{SERVER}#key-one"
    assert account_on_record(workspace.path, where("one", "main")).called_before == f"{SERVER}#key-one"
    with pytest.raises(UnknownAccountError):
        account_on_record(workspace.path, where("two"))
    assert account_on_record(workspace.path / "nowhere", where("two")).scope == f"{SERVER}#key-two"
