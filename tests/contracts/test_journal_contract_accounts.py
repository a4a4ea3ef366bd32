"""Whose an API key is, and what moves when an account gets its name, whatever keeps the journal."""

from __future__ import annotations

import pytest

from importer.journal import AccountMatch, Accounts, AccountUsed, Journal
from tests.contracts.journals import FIRST, SECOND, SECRET, THIRD, begin, created, filled

SERVER = "https://api.example.com"
KEY_ONE, KEY_TWO, MAIN = f"{SERVER}#key-1111", f"{SERVER}#key-2222", f"{SERVER}#main"


@pytest.fixture
def accounts(journal: Journal) -> Accounts:
    return journal.accounts(SECRET)


def test_keys_are_recognised_with_the_secret_of_their_workspace_alone(journal: Journal, accounts: Accounts) -> None:
    accounts.bind(SERVER, "key one", KEY_ONE)

    assert accounts.match(SERVER, "", KEY_TWO, "key one") == AccountMatch(KEY_ONE)
    assert journal.accounts(b"another secret").match(SERVER, "", KEY_TWO, "key one") == AccountMatch(KEY_TWO)


def test_an_account_that_gets_its_name_keeps_its_memory_and_the_better_knowledge_stays(
    journal: Journal, accounts: Accounts
) -> None:
    old = filled(journal, FIRST, ["k0", "k1", "k2"], scope=KEY_ONE)
    new = filled(journal, SECOND, ["k1", "k2", "k3"], scope=MAIN)
    old.claim()
    old.settle(created(0, "k0", "old-0"), created(1, "k1", "old-1"))
    new.claim()
    new.settle(created(1, "k2", "new-2"), created(2, "k3", "new-3"))

    accounts.rename(KEY_ONE, MAIN)

    known = filled(journal, THIRD, ["k0", "k1", "k2", "k3", "k4"], scope=MAIN).claim().known
    assert {one.key: one.customer_id for one in known} == {"k0": "old-0", "k1": "old-1", "k2": "new-2", "k3": "new-3"}
    assert journal.runs.find(FIRST).header.scope == MAIN


def test_the_first_key_of_a_server_is_nobodys_question(accounts: Accounts) -> None:
    assert accounts.match(SERVER, "", KEY_ONE, "key one") == AccountMatch(KEY_ONE)
    assert accounts.match(SERVER, "main", MAIN, "key one") == AccountMatch(MAIN)


def test_a_second_key_is_asked_about_until_somebody_said(journal: Journal, accounts: Accounts) -> None:
    begin(journal, scope=KEY_ONE)
    begin(journal, SECOND, scope="https://other.example.com#key-9")
    accounts.bind(SERVER, "key one", KEY_ONE)

    asked = accounts.match(SERVER, "", KEY_TWO, "key two")
    assert asked == AccountMatch(candidates=[AccountUsed(KEY_ONE, FIRST)])
    accounts.bind(SERVER, "key two", KEY_ONE)
    assert accounts.match(SERVER, "", KEY_TWO, "key two") == AccountMatch(KEY_ONE)
    assert accounts.match(SERVER, "", KEY_ONE, "key one") == AccountMatch(KEY_ONE)


def test_the_account_that_an_earlier_program_called_after_this_key_is_its_own(
    journal: Journal, accounts: Accounts
) -> None:
    begin(journal, scope=KEY_ONE)

    assert accounts.match(SERVER, "", KEY_ONE, "key one") == AccountMatch(KEY_ONE)


def test_a_name_is_given_to_what_the_key_has_done(journal: Journal, accounts: Accounts) -> None:
    begin(journal, scope=KEY_ONE)
    accounts.bind(SERVER, "key one", KEY_ONE)

    assert accounts.match(SERVER, "main", MAIN, "key one") == AccountMatch(MAIN, called_before=KEY_ONE)


def test_a_new_name_with_a_new_key_is_asked_about_where_an_account_has_none(
    journal: Journal, accounts: Accounts
) -> None:
    begin(journal, scope=KEY_ONE)
    assert accounts.match(SERVER, "main", MAIN, "key two").candidates
    accounts.rename(KEY_ONE, MAIN)

    assert accounts.match(SERVER, "main", MAIN, "key two") == AccountMatch(MAIN)
    assert accounts.match(SERVER, "other", f"{SERVER}#other", "key two") == AccountMatch(f"{SERVER}#other")
