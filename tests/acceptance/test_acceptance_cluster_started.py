"""The cluster of the Kubernetes documents, started as they say: each pod is an address of loopback.

What is different here: names lead to addresses, secrets are in a folder, and a superuser loses every right.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.acceptance.cluster import FLOWS, SHOWN, container, environ_of, pods
from tests.acceptance.conftest import User

LINE = "{0},Ann,Example,ann{0}@example.com,+1 415 555 01{1:02d}\n"
PATIENCE_S = 100.0
SECRETS = "/run/secrets"


@dataclass
class Pods:
    """Processes of the pods' commands.

    Args:
        folder: of their secrets, files and logs.
        net: the first bytes of their addresses.
        health: the port at which they say how they are: that of the documents is often taken, on all addresses at once.
    """

    folder: Path
    net: str
    health: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def place(self, text: str) -> str:
        """Where something is here that a document names."""
        text = text.replace(f"{SECRETS}/cluster", str(self.folder / "certificates"))
        text = text.replace(f"{SECRETS}/importer", str(self.folder / "secrets"))
        return text.replace("importer-scheduler:", f"{self.net}.1:")

    def start(self, pod: str, number: int) -> None:
        """Start the container of a pod at an address of its own, without a right, in a closed folder."""
        one, host = pods()[pod], f"{self.net}.{number}"
        program, *words = container(one)["command"]
        moved = [self.place(re.sub(r"^:8787$", f"{host}:{self.health}", word)) for word in words]
        if "--local-directory" in moved:
            moved[moved.index("--local-directory") + 1] = str(self.folder / "tmp")
        without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        environ = {name: self.place(text) for name, text in environ_of(one).items()}
        with (self.folder / f"{pod}{number}.log").open("wb") as log:
            self.processes[host] = subprocess.Popen(
                [*without, sys.executable, "-m", program, *moved, "--host", host],
                cwd=self.folder / "closed",
                env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(self.folder / "closed"), **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def wait_for(self, words: str, times: int = 1) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.logs().count(words) < times:
            assert time.monotonic() < until, self.logs()
            assert all(process.poll() is None for process in self.processes.values()), self.logs()
            Event().wait(0.05)

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Pods]:
    """A scheduler and two workers, with the certificates and the secret that the page makes."""
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made = Pods(tmp_path, f"127.{random.randint(20, 250)}.{random.randint(1, 250)}", free.getsockname()[1])
    (tmp_path / "closed").mkdir(mode=0o555)
    (tmp_path / "tmp").mkdir()
    for command in SHOWN:
        if command.startswith(("mkdir ", "openssl ")):
            done = subprocess.run(shlex.split(command), cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    try:
        made.start("importer-scheduler", 1)
        made.wait_for("Scheduler at:")
        made.start("importer-worker", 2)
        made.start("importer-worker", 3)
        made.wait_for("Register worker addr", 2)
        yield made
    finally:
        made.stop()


def answer(url: str) -> int:
    try:
        with urlopen(url, timeout=30) as found:  # noqa: S310  # one of this test's own processes
            return int(found.status)
    except HTTPError as error:
        return error.code


def reached(started: Pods) -> set[tuple[str, str, int]]:
    """Who has opened a connection to whom, as names of components."""
    import psutil

    names = {host: component_of(host) for host in started.processes}
    found = set()
    for host, process in started.processes.items():
        sockets = psutil.Process(process.pid).net_connections()
        own = {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}
        outgoing = [one.raddr for one in sockets if one.raddr and one.laddr.port not in own]
        found |= {(names[host], names.get(there.ip, there.ip), there.port) for there in outgoing}
    return found


def component_of(host: str) -> str:
    return "scheduler" if host.endswith(".1") else "worker"


@pytest.mark.slow
def test_the_documents_and_the_page_make_a_cluster_that_checks_a_file(user: User, started: Pods) -> None:
    header = "Customer ID,First Name,Last Name,Email,Phone\n"
    user.has("customers.csv", header + "".join(LINE.format(number, number % 100) for number in range(400)))
    settings = environ_of(pods()["importer-validate"])
    _, *words = container(pods()["importer-validate"])["command"]
    words = [word.replace("/srv/customers/inbox/", "") for word in words]
    named = {
        name: started.place(text)
        for name, text in settings.items()
        if name.startswith("DASK_") or name in {"IMPORTER_SECRET_FILE", "IMPORTER_ENGINE__SCHEDULER"}
    }

    seen = set()
    with user.starts(*words, "--json", IMPORTER_SOURCE__BATCH_ROWS="20", **named) as checking:
        while checking.poll() is None:
            seen |= reached(started)
            Event().wait(0.05)
        out, err = checking.communicate()

    assert (checking.returncode, json.loads(out)["counts"]) == (0, {"read": 400, "valid": 400, "invalid": 0}), err
    assert seen == {("scheduler", *flow) for flow in FLOWS["scheduler"]} | {("worker", "scheduler", 8786)}
    for host in started.processes:
        assert answer(f"http://{host}:{started.health}/health") == 200
        pages = ("/info/main/workers.html", "/status", "/metrics")
        assert {page: answer(f"http://{host}:{started.health}{page}") for page in pages} == dict.fromkeys(pages, 404)
    assert "example.com" not in started.logs()
