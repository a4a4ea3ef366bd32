"""A source by its address, as a user names it."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import SAMPLES, User, people
from tests.remote_servers import Web, sshd, web

pytestmark = pytest.mark.slow

AT_ONCE = {"IMPORTER_REMOTE__SETTLE_S": "0"}


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as running:
        running.files["/out/people.csv"] = people(6).encode()
        running.files["/out/customers.xlsx"] = (SAMPLES / "customers.xlsx").read_bytes()
        yield running


def journalled(user: User) -> tuple[str, str]:
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        source, path = journal.execute("SELECT source, path FROM runs ORDER BY run DESC").fetchone()
    return source, path


def test_an_address_is_imported_like_a_file_and_leaves_no_copy(user: User, site: Web) -> None:
    secret = site.url.replace("//", "//ann:kestrel@") + "/out/people.csv?token=kestrel"
    ran = user.types("run", secret, "--json", "--verbose", **AT_ONCE)

    assert (ran.code, ran.json["counts"]["created"], ran.json["source"]) == (0, 6, "people.csv")
    assert journalled(user) == ("people.csv", f"{site.url}/out/people.csv")
    assert list((user.home / "runs" / "spool").iterdir()) == []
    left = b"".join(path.read_bytes() for path in (user.home / "runs").rglob("*") if path.is_file())
    assert b"kestrel" not in left + ran.out.encode() + ran.err.encode()

    again = user.types("run", secret, "--json", **AT_ONCE)
    assert (again.code, "already" in again.json["error"]) == (7, True)
    verified = user.types("show", "last", "--verify", "--json")
    assert verified.code == 0


def test_a_workbook_by_its_address_comes_back_marked(user: User, site: Web) -> None:
    ran = user.types("run", f"{site.url}/out/customers.xlsx", "--json", **AT_ONCE)

    assert ran.code == 0
    assert (user.home / ran.json["files"]["annotated"]).exists()
    assert user.types("export", "last", "--format", "jsonl").code == 0


@pytest.mark.parametrize("command", ["validate", "inspect"])
def test_looking_at_an_address_sends_nothing_and_keeps_nothing(user: User, site: Web, command: str) -> None:
    ran = user.types(command, f"{site.url}/out/people.csv", "--json", **AT_ONCE)

    assert ran.code == 0
    assert not list(user.home.rglob("people.csv"))


def test_a_profile_is_written_for_an_address(user: User, site: Web) -> None:
    assert user.types("init", f"{site.url}/out/people.csv", "--out", "p.toml", **AT_ONCE).code == 0
    assert "Email" in (user.home / "p.toml").read_text()


def test_a_file_on_an_sftp_server_is_imported(user: User, tmp_path_factory: pytest.TempPathFactory) -> None:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        source: Path = server.root / "people.csv"
        source.write_text(people(4))
        ran = user.types("run", server.address(source), "--json", HOME=str(server.home), **AT_ONCE)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 4)


def test_what_cannot_be_fetched_leaves_nothing(user: User, site: Web) -> None:
    missing = user.types("run", f"{site.url}/out/missing.csv", "--json", **AT_ONCE)
    assert (missing.code, missing.json["counts"]) == (6, {})
    assert "no such file" in missing.json["error"]
    assert user.types("run", "ftp://files.example.com/a.csv").code == 2
    assert not list(user.home.rglob("*.csv"))


def test_a_file_that_is_still_being_written_is_for_later(user: User, site: Web) -> None:
    def grow(_method: str, _path: str) -> None:
        site.files["/out/people.csv"] += b"more\n"

    site.on_request = grow
    ran = user.types("run", f"{site.url}/out/people.csv", **AT_ONCE)

    assert ran.code == 75
    assert "still being written" in ran.err


def test_a_run_that_was_cut_off_while_it_was_read_fetches_its_source_again(user: User, site: Web) -> None:
    user.types("run", f"{site.url}/out/people.csv", **AT_ONCE)
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        journal.executescript("UPDATE runs SET phase = 'loading'; DELETE FROM identities;")
    resumed = user.types("resume", "last", "--json", **AT_ONCE)
    assert (resumed.code, resumed.json["counts"]["read"]) == (0, 6)

    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        journal.executescript("UPDATE runs SET phase = 'loading'")
    site.files["/out/people.csv"] = people(7).encode()
    changed = user.types("resume", "last", "--json", **AT_ONCE)
    assert (changed.code, "changed" in changed.json["error"]) == (6, True)


def test_a_source_of_which_only_the_size_is_known_is_imported_with_a_warning(user: User, site: Web) -> None:
    plain = user.types("run", f"{site.url}/out/people.csv", **AT_ONCE)
    assert (plain.code, f"Warning: Only the size of {site.url}/out/people.csv could be checked" in plain.err) == (
        0,
        True,
    )

    site.headers["Content-MD5"] = b64encode(hashlib.md5(people(6).encode(), usedforsecurity=False).digest()).decode()
    proved = user.types("run", f"{site.url}/out/people.csv", "--force", **AT_ONCE)
    assert (proved.code, "could be checked" in proved.err) == (0, False)


def test_each_kind_of_error_with_a_place_has_its_exit_code(user: User, site: Web) -> None:
    site.password = "ann:right"
    refused = user.types("run", f"{site.url}/out/people.csv", "--json", **AT_ONCE)
    assert (refused.code, "access was refused" in refused.json["error"]) == (5, True)
    for address in ("sftp://files.invalid/people.csv", "http://127.0.0.1:9/people.csv"):
        away = user.types("run", address, "--json", **AT_ONCE)
        assert (away.code, "cannot be reached" in away.json["error"]) == (75, True)


def test_a_library_that_is_missing_is_named_with_the_line_that_brings_it(user: User) -> None:
    hidden = "import sys; sys.modules['fsspec'] = sys.modules['asyncssh'] = None; from importer.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "run", "sftp://files.example.com/people.csv"],
        cwd=user.home,
        env=user.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, 'pip install ".[sftp]"' in done.stderr) == (2, True), done.stderr
