"""The database of a journal fails while rows are sent: each customer is created once, or the run stops and says so.

`DATABASE_FAULTS_ROWS=5000` plays it with so many rows, at full speed, and cut off for 20 seconds.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.components import needed
from tests.acceptance.conftest import (
    Ran,
    User,
    Witness,
    ended,
    exactly_once,
    people,
    sandbox,
    user_in,
    wait_for,
    wait_until,
)
from tests.acceptance.small_disk import SmallDisk, small_disk
from tests.postgres import Server, own_server
from tests.proxy import Proxy, proxy_to

ROWS = int(os.environ.get("DATABASE_FAULTS_ROWS", "150"))
LARGE = ROWS >= 1_000
RATE, SLOW, LEASE_S, CUT_S = ("600/s", "300/s", "30", 20.0) if LARGE else ("120/s", "20/s", "1", 1.0)
DISK_BYTES = 96 << 20
SMALL_LOGS = "-c min_wal_size=2MB -c max_wal_size=4MB"
NEXT_LOGS = """
DO $$ BEGIN FOR next IN 1..100 LOOP
  PERFORM pg_logical_emit_message(false, 'test', 'more'); PERFORM pg_switch_wal();
END LOOP; END $$"""
"""What the server has put by for its log is used up."""
COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""What the server answers."""

Fault = Callable[[Server, Proxy], None]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server(durable=True) as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxy_to(server.port) as proxy:
        yield proxy


def let_it_last() -> None:
    time.sleep(CUT_S)  # noqa: TID251  # how long a fault lasts is what is tested


def restarted(how: str) -> Fault:
    def fault(server: Server, _: Proxy) -> None:
        server.stop(how)
        let_it_last()
        server.start()

    return fault


def cut_off(_: Server, proxy: Proxy) -> None:
    proxy.hold()
    let_it_last()
    proxy.heal()


def reset(_: Server, proxy: Proxy) -> None:
    proxy.reset()
    let_it_last()
    proxy.heal()


def answer_lost(_: Server, proxy: Proxy) -> None:
    proxy.lose(COMMITTED)


def sessions_ended(server: Server, _: Proxy) -> None:
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'importer'")


def read_only(server: Server, _: Proxy) -> None:
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    server.sql("SELECT pg_reload_conf()")
    let_it_last()
    with closing(psycopg.connect(server.url(), autocommit=True)) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute("ALTER SYSTEM RESET default_transaction_read_only")
        session.execute("SELECT pg_reload_conf()")


def failed_over(server: Server, _: Proxy) -> None:
    """A standby answers at the same address, which takes no writes until it is promoted."""
    server.stop("immediate")
    (server.folder / "data" / "standby.signal").touch()
    server.start()
    let_it_last()
    server.promote()


FAULTS: Mapping[str, Fault] = {
    "crashed": restarted("immediate"),
    "cut off": cut_off,
    "the answer to a commit is lost": answer_lost,
    "read-only": read_only,
    "failed over": failed_over,
}
LIKE_THEM: Mapping[str, Fault] = {
    "restarted": restarted("fast"),
    "reset": reset,
    "its sessions are ended": sessions_ended,
}
"""Played with many rows only."""
PLAYED = {**FAULTS, **(LIKE_THEM if LARGE else {})}


@dataclass(frozen=True)
class Import:
    """A run of `ROWS` rows, and what is at the server."""

    user: User
    witness: Witness
    profile: Path

    def starts(self, url: str, rate: str = RATE) -> subprocess.Popen[str]:
        """Start it, and wait until it sends."""
        source = self.user.has("people.csv", people(ROWS))
        how = (*sandbox(self.profile), "--rate", rate, "--json")
        running = self.user.starts("run", source, *how, **self._environ(url))
        wait_for(lambda: self.sent() > ROWS // 6, running)
        return running

    def sent(self) -> int:
        """How many customers there are."""
        return int(self.witness.ledger()["customers"])

    def ends(self, ran: Ran, url: str) -> None:
        """Hold what it left against what is at the server; one that stopped has said so, and is gone on with."""
        if ran.code:
            assert ran.code == 1, ran
            assert "The journal postgresql://127.0.0.1" in ran.json["error"]
            assert "resume last" in ran.json["error"]
            wait_until(lambda: self._types("resume", url).code != 7)
        shown = self._types("show", url)
        assert shown.json["counts"]["created"] == shown.json["counts"]["read"]
        exactly_once(self.witness, self.user.reads(shown.json["files"]["results"]))

    def _types(self, command: str, url: str) -> Ran:
        chosen = sandbox(self.profile) if command == "resume" else ()
        return self.user.types(command, "last", *chosen, "--json", **self._environ(url))

    def _environ(self, url: str) -> dict[str, str]:
        return {**self.witness.environ, "IMPORTER_JOURNAL": url, "IMPORTER_JOURNAL__LEASE_S": LEASE_S}


@pytest.fixture
def importing(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Import:
    profile = profile_for(witness, delivery=[f'rate = "{RATE}"', "looks_after_s = [0, 0.1, 0.4]"])
    return Import(user, witness, profile)


@pytest.mark.slow
@pytest.mark.parametrize("fault", PLAYED.values(), ids=PLAYED)
def test_whatever_befalls_the_database_while_rows_are_sent_nobody_is_lost_and_nobody_is_there_twice(
    importing: Import, server: Server, proxy: Proxy, fault: Fault
) -> None:
    url = server.database().replace(f":{server.port}/", f":{proxy.port}/")
    running = importing.starts(url)

    fault(server, proxy)
    ran = ended(running)

    importing.ends(ran, url)


@contextmanager
def server_on_a_small_disk() -> Iterator[tuple[Server, SmallDisk]]:
    """A server that has a disk for itself, which really gets full."""
    if os.getuid():
        pytest.skip("only root can give the server, who is another user, a disk")
    owner = pwd.getpwnam("postgres")
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        Path(folder).chmod(0o755)
        with small_disk(user_in(Path(folder)), DISK_BYTES) as disk:
            disk.content.chmod(0o755)
            (disk.content / "pg").mkdir()
            os.chown(disk.content / "pg", owner.pw_uid, owner.pw_gid)
            entering = [needed("nsenter"), f"--target={disk.holder}", "--mount"]
            server = Server(disk.at / "pg", within=[*entering, f"--setuid={owner.pw_uid}", f"--setgid={owner.pw_gid}"])
            server.make("--wal-segsize=1")
            server.start(SMALL_LOGS)
            try:
                yield server, disk
            finally:
                server.stop("immediate")


@pytest.mark.slow
def test_a_database_whose_disk_is_full_stops_a_run_before_its_next_request_and_it_goes_on_with_more_space(
    importing: Import,
) -> None:
    with server_on_a_small_disk() as (server, disk):
        url = server.database()
        disk.fill(leave=DISK_BYTES // 16)
        running = importing.starts(url, rate=SLOW)

        disk.fill()
        with suppress(psycopg.Error):
            server.sql(NEXT_LOGS)
        ran = ended(running)
        sent = importing.sent()
        disk.clear()
        server.start_again(SMALL_LOGS)

        assert ran.code == 1
        assert sent < ROWS
        importing.ends(ran, url)
