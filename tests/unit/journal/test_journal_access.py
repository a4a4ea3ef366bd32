"""What a user of a journal in PostgreSQL may do there: every missing right is named, with the line that gives it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from importer.doctor.workspace import check_access
from importer.journal import (
    JournalAccess,
    Location,
    MissingRight,
    copy_elsewhere,
    examine_access,
    open_journal,
    workspace_secret,
)
from tests.contracts.journals import FIRST, SECOND, begin, filled
from tests.postgres import Server, shared_server

ROLES = Path(__file__).resolve().parents[3] / "configs" / "journal_roles.sql"
TABLES = "ON ALL TABLES IN SCHEMA importer"


class Runner(NamedTuple):
    """A user with exactly the rights of configs/journal_roles.sql."""

    server: Server
    database: str
    place: Location

    def sql(self, statement: str) -> None:
        self.server.sql(statement, self.database)

    @property
    def missing(self) -> dict[str, str]:
        access = examine_access(self.place)
        assert access is not None
        return dict(access.missing)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    server, folder = shared_server(), tmp_path_factory.mktemp("runner")
    url = server.database()
    database = url.rpartition("/")[2]
    with closing(open_journal(Location(folder / "owner.toml", url))):
        server.sql(ROLES.read_text(encoding="utf-8"), database)
    server.sql(f"CREATE ROLE runner_of_{database} LOGIN IN ROLE importer_runner")
    server.sql(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    return Runner(server, database, Location(folder / "journal.toml", server.url(database, f"runner_of_{database}")))


def test_whoever_has_exactly_the_rights_of_the_ddl_lacks_none_and_has_none_too_many(runner: Runner) -> None:
    access = examine_access(runner.place)

    assert access is not None
    assert (access.user, access.missing, access.excessive) == (f"runner_of_{runner.database}", [], [])
    assert [one.status for one in check_access(access)] == ["ok"]


def test_whoever_has_the_rights_of_the_ddl_can_carry_a_workspace_there(runner: Runner, tmp_path: Path) -> None:
    workspace_secret(tmp_path)
    with closing(open_journal(Location.of_workspace(tmp_path))) as journal:
        filled(journal, FIRST, ["k0", "k1", None]).create_all()

    copied = copy_elsewhere(tmp_path, runner.place.url, 30.0, 1.0)
    with closing(open_journal(Location.of_workspace(tmp_path))) as journal:
        second = begin(journal, SECOND)

    assert (copied, second) == ((1, 3, 2, 0), 2)


@pytest.mark.parametrize(
    ("right", "named"),
    [
        (f"SELECT {TABLES}", "SELECT on "),
        (f"INSERT {TABLES}", "INSERT on "),
        (f"UPDATE {TABLES}", "UPDATE on "),
        (f"DELETE {TABLES}", "DELETE on "),
        ("DELETE ON importer.leases", "DELETE on leases"),
        ("USAGE ON SCHEMA importer", "USAGE on the schema importer"),
        ("USAGE ON SEQUENCE importer.runs_run_seq", "USAGE on runs_run_seq"),
        ("TEMPORARY ON DATABASE {database}", "TEMPORARY on the database {database}"),
    ],
)
def test_a_right_that_was_taken_away_is_named_with_the_line_that_gives_it(
    runner: Runner, right: str, named: str
) -> None:
    ddl = ROLES.read_text(encoding="utf-8")

    runner.sql(f"REVOKE {right.format(database=runner.database)} FROM importer_runner")
    missing = runner.missing
    for grant in missing.values():
        runner.sql(grant)
    restored = runner.missing
    runner.sql(ddl)  # gives back what the grant gave too much of: rights in the table of the format

    ((what, grant),) = missing.items()
    assert what.startswith(named.format(database=runner.database))
    assert grant in ddl or grant.startswith("GRANT TEMPORARY ON DATABASE")
    assert restored == {}


def test_whoever_is_not_a_member_of_the_role_is_to_be_made_one(runner: Runner) -> None:
    runner.server.sql(f"CREATE ROLE nobody_of_{runner.database} LOGIN")
    place = Location(runner.place.path, runner.server.url(runner.database, f"nobody_of_{runner.database}"))

    access = examine_access(place)

    assert access is not None
    assert {one.grant for one in access.missing} == {f'GRANT importer_runner TO "nobody_of_{runner.database}";'}
    assert "USAGE on the schema importer" in {one.what for one in access.missing}


@pytest.mark.parametrize(
    ("attribute", "words"),
    [("CREATEDB", "may create databases"), ("CREATEROLE", "may create roles"), ("SUPERUSER", "is a superuser")],
)
def test_whoever_may_do_more_than_a_runner_needs_is_warned(runner: Runner, attribute: str, words: str) -> None:
    runner.server.sql(f"ALTER ROLE runner_of_{runner.database} {attribute}")
    access = examine_access(runner.place)
    runner.server.sql(f"ALTER ROLE runner_of_{runner.database} NO{attribute}")

    assert access is not None
    (found,) = check_access(access)
    assert (found.status, access.excessive) == ("warn", [words])
    assert "configs/journal_roles.sql" in found.fix


def test_the_owner_of_a_journal_is_warned_to_run_as_somebody_else(runner: Runner) -> None:
    name = f"owner_of_{runner.database}"
    runner.server.sql(f"CREATE ROLE {name} LOGIN")
    runner.server.sql("CREATE DATABASE owned_journal")
    runner.server.sql(f"ALTER DATABASE owned_journal OWNER TO {name}")
    place = Location(runner.place.path, runner.server.url("owned_journal", name))
    before = examine_access(place)
    with closing(open_journal(place)):
        after = examine_access(place)

    assert before is not None
    assert after is not None
    assert (before.missing, before.excessive) == ([], [])
    assert (after.missing, after.excessive) == ([], ["owns the journal"])


@pytest.mark.parametrize("mode", ["prefer", "disable"])
def test_a_journal_on_another_host_is_to_be_reached_encrypted(runner: Runner, mode: str) -> None:
    far = runner.place.url.replace("127.0.0.1", "db.example.com") + f"?hostaddr=127.0.0.1&sslmode={mode}"
    here, there = examine_access(runner.place), examine_access(Location(runner.place.path, far))

    assert here is not None
    assert there is not None
    assert (here.remote_host, there.remote_host) == ("", "db.example.com")
    assert f"sslmode={mode}" in list(check_access(there))[-1].message
    assert "sslmode=verify-full" in list(check_access(there))[-1].fix


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_an_encrypted_way_to_a_journal_is_well(mode: str) -> None:
    access = JournalAccess("kim", [], [], "db.example.com", mode)

    assert [one.status for one in check_access(access)] == ["ok", "ok"]


def test_a_missing_right_is_a_failure(tmp_path: Path) -> None:
    access = JournalAccess("kim", [MissingRight("SELECT on runs", "GRANT …;")], [], "", "prefer")

    (found,) = check_access(access)
    assert (found.status, "GRANT …;" in found.fix) == ("fail", True)
    assert examine_access(Location(tmp_path / "journal.sqlite3")) is None
