"""A real PostgreSQL of the tests: in a folder of its own, as an ordinary user, on a socket and a free loopback port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest

from importer.journal import Location, open_journal

_USER = "postgres"
_SMALL = "-c shared_buffers=32MB -c max_connections=60"
_UNSAFE = "-c fsync=off -c full_page_writes=off"
"""For tests: what is lost with a machine that goes down is not what they are about."""
JOURNAL = "journal"
_EMPTY = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'importer' AND tablename NOT IN ('format', 'integrity')
  LOOP EXECUTE 'DELETE FROM importer.' || name; END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'importer'
  LOOP EXECUTE 'ALTER SEQUENCE importer.' || name || ' RESTART'; END LOOP;
END $$"""
"""Quicker than to truncate, where tables hold a few rows."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None: it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Server:
    """One server.

    Args:
        folder: of its data, and of its socket; its path is short, since a socket's name is limited.
        durable: every commit is on the disk.
        within: a command that runs the programs elsewhere, and as an ordinary user; empty: they run here.
    """

    def __init__(self, folder: Path, *, durable: bool = False, within: Sequence[str] = ()) -> None:
        found = programs()
        assert found is not None
        self.durable, self._within = durable, within
        self._bin, self.folder, self._numbers = found, folder, count(1)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def url(self, database: str = "postgres", user: str = "importer") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def make(self, *more: str) -> None:
        self._run("initdb", "-D", str(self._data), "-U", "importer", "-A", "trust", "-E", "UTF8", "--no-sync", *more)

    def start(self, more: str = "") -> None:
        safety = "" if self.durable else _UNSAFE
        options = f"{_SMALL} {safety} {more} -c listen_addresses=127.0.0.1 -c port={self.port} -k {self.folder}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "60", "-l", log, "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", how, "stop")

    def start_again(self, more: str = "") -> None:
        """Start it where it has ended by itself."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop", fails=True)
        self.start(more)

    def promote(self) -> None:
        """Let a standby take over."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "promote")

    def database(self) -> str:
        """The address of a new database without anything in it."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def emptied(self) -> str:
        """The address of a journal without anything in it; quicker than a new database."""
        with psycopg.connect(self.url(JOURNAL), autocommit=True) as session:
            session.execute(_EMPTY)
        return self.url(JOURNAL)

    def sql(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as session:
            session.execute(statement.encode())

    def asked(self, question: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """What the server answers."""
        with psycopg.connect(self.url(database), autocommit=True) as session:
            return session.execute(question.encode()).fetchall()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: str, fails: bool = False) -> None:
        done = subprocess.run(
            [*self._within, str(self._bin / program), *arguments],
            user=_USER if os.getuid() == 0 and not self._within else None,
            cwd=None if self._within else self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            check=False,
        )
        assert fails or done.returncode == 0, f"{program}: {done.stderr!r} in {self.folder}"


def started(*, durable: bool = False) -> Server:
    """A server; whoever has started it stops it."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.getuid() == 0:  # which PostgreSQL refuses to run as
        found = pwd.getpwnam(_USER)
        os.chown(folder, found.pw_uid, found.pw_gid)
    server = Server(folder, durable=durable)
    server.make()
    server.start()
    return server


def ended(server: Server) -> None:
    """Stop a server, if it runs, and remove what it had."""
    if (server.folder / "data" / "postmaster.pid").exists():
        server.stop("immediate")
    shutil.rmtree(server.folder, ignore_errors=True)


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[Server]:
    """A server that a test may stop and break."""
    server = started(durable=durable)
    try:
        yield server
    finally:
        ended(server)


@cache
def shared_server() -> Server:
    """The server of this process's tests, with an empty journal in `JOURNAL`; started when it is first asked for."""
    server = started()
    server.sql(f"CREATE DATABASE {JOURNAL}")
    with closing(open_journal(Location(server.folder / "journal.toml", server.url(JOURNAL)))):
        return server


def pytest_sessionfinish() -> None:
    """Stop it."""
    if shared_server.cache_info().currsize:
        ended(shared_server())
