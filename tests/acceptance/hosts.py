"""Hosts that share a database, each in a network namespace with a name and a link of its own.

It needs Linux and root. Where it cannot be had its test says so and is skipped; where `CI` is set it fails instead. The
namespaces, and the links between them, end with the processes that hold them open.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.components import needed
from tests.acceptance.conftest import IMPORTER, ROOT, Ran, User, Witness, ended, user_in
from tests.postgres import Server

_HOLD = 'hostname "$1" && ip link set lo up && echo ready && exec sleep 300'
_LINK = "db"
_DATABASE = "10.77.0.1"


@dataclass(frozen=True)
class Host:
    """One host, and somebody at a shell there."""

    user: User
    holder: int

    @property
    def entering(self) -> list[str]:
        """What runs a command there."""
        return [needed("nsenter"), f"--target={self.holder}", "--net", "--uts"]

    def ip(self, *arguments: str) -> None:
        """Change its network."""
        subprocess.run([*self.entering, needed("ip"), *arguments], check=True, capture_output=True)

    def link(self, state: str) -> None:
        """Take its link to the database down, or up again."""
        self.ip("link", "set", _LINK, state)

    def starts(self, *arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
        """Start a command there."""
        return subprocess.Popen(
            [*self.entering, *IMPORTER, *map(str, arguments)],
            cwd=self.user.home,
            env={**self.user.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def types(self, *arguments: str | Path, **environ: str) -> Ran:
        """Run a command there to its end."""
        return ended(self.starts(*arguments, **environ))


@contextmanager
def hosts(folder: Path, server: Server, witness: Witness, *names: str) -> Iterator[tuple[str, Sequence[Host]]]:
    """Hosts that reach a server of PostgreSQL by a link, and an emulator on their own loopback.

    Returns:
        The address of a new database as they write it, and the hosts.
    """
    if os.getuid():
        pytest.skip("only root can make hosts that have a network of their own")
    needed("ip", package="iproute2")
    api, database = urlsplit(witness.base_url).netloc, server.database().rpartition("/")[2]
    with ExitStack() as stack:
        far = Host(user_in(folder), _held(stack, "database"))
        far.ip("addr", "add", f"{_DATABASE}/32", "dev", "lo")
        _forwards(stack, far.entering, f"{_DATABASE}:{server.port}", str(server.folder / f".s.PGSQL.{server.port}"))
        way = str(server.folder / "api")
        _forwards(stack, [], way, api)
        there = [_host(stack, folder / name, far, number) for number, name in enumerate(names, start=1)]
        for host in there:
            _forwards(stack, host.entering, api, way)
        yield f"postgresql://importer@{_DATABASE}:{server.port}/{database}", there


def _host(stack: ExitStack, home: Path, far: Host, number: int) -> Host:
    """A host that is linked to the one of the database."""
    home.mkdir()
    host = Host(user_in(home), _held(stack, home.name))
    host.ip("link", "add", _LINK, "type", "veth", "peer", "name", f"{_LINK}{number}", "netns", str(far.holder))
    for one, link, end in ((host, _LINK, 2), (far, f"{_LINK}{number}", 1)):
        one.ip("addr", "add", f"10.77.{number}.{end}/24", "dev", link)
        one.ip("link", "set", link, "up")
    host.ip("route", "add", _DATABASE, "via", f"10.77.{number}.1")
    return host


def _held(stack: ExitStack, name: str) -> int:
    """Namespaces for a block; gives the process that holds them."""
    return _ready(stack, [needed("unshare"), "--net", "--uts", "sh", "-c", _HOLD, "sh", name])


def _forwards(stack: ExitStack, within: Sequence[str], source: str, sink: str) -> None:
    _ready(stack, [*within, sys.executable, "-m", "tests.forward", source, sink])


def _ready(stack: ExitStack, command: Sequence[str]) -> int:
    """Run a command for a block, from when it says that it is ready; gives its process."""
    process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", command
    return process.pid
