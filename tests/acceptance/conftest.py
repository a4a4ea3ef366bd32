"""The program as its users have it: a command line, files, and an emulator as the witness."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from importer.cli.entry import run
from importer.emulator import Emulator, EmulatorSettings, Faults
from tests.acceptance.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_data"
IMPORTER = (sys.executable, "-m", "importer")


SOON = ["breaker_give_up_s = 1.0"]
"""Lines of `[delivery]`: a target that is dead is not probed for long."""


AGAIN_SOON = ["look_again_after_s = 0.2"]
"""Lines of a target: rows that were sent again are looked at again soon, for these servers are quick."""


@dataclass(frozen=True)
class Ran:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be exactly one JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True)
class User:
    """Somebody at a shell, in a folder of their own."""

    home: Path
    environ: dict[str, str]

    def types(self, *arguments: str | Path, **environ: str) -> Ran:
        """Run one command to its end, in this process: the same code as in one of its own, and quicker."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**self.environ, **environ}, clear=True),
            chdir(self.home),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run([str(argument) for argument in arguments])
        assert "Traceback" not in err.getvalue() + out.getvalue()
        return Ran(code, out.getvalue(), err.getvalue())

    def types_for_real(self, *arguments: str | Path, stdin: str | None = None, **environ: str) -> Ran:
        """Run one command to its end in a process of its own."""
        done = subprocess.run(
            [*IMPORTER, *map(str, arguments)],
            cwd=self.home,
            env={**self.environ, **environ},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return Ran(done.returncode, done.stdout, done.stderr)

    def starts(self, *arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [*IMPORTER, *map(str, arguments)],
            cwd=self.home,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def has(self, name: str, text: str) -> Path:
        """Have a file."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return path

    def reads(self, path: str | Path) -> list[dict[str, str]]:
        """Read a CSV file that a command wrote."""
        with (self.home / path).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def user_in(home: Path) -> User:
    """A user without settings, credentials or colours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMPORTER_", "ROCKETKOR_"))}
    return User(home, {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "120"})


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user in a folder of this test."""
    return user_in(tmp_path)


@dataclass(frozen=True)
class Witness:
    """An emulator, in a process or a thread of its own: what really arrived."""

    base_url: str
    environ: dict[str, str]
    _process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        """The process that it has for itself: it may be stopped and killed."""
        assert self._process is not None, "serve it with serving(user)"
        return self._process

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it answer nothing for a block: whatever is under way then is still under way at its end."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def ledger(self, per_s: float = 1.0) -> dict[str, Any]:
        """Counts of what arrived; `largest_window` is for a window of `per_s` seconds."""
        return _get(f"{self.base_url}/_emulator/ledger?per_s={per_s}")

    def customers(self) -> list[dict[str, Any]]:
        """Every customer there is."""
        return [json.loads(line) for line in _read(f"{self.base_url}/_emulator/customers").splitlines()]


def _read(url: str) -> str:
    from urllib.request import urlopen

    with urlopen(url, timeout=30) as answer:  # noqa: S310  # loopback
        return str(answer.read().decode())


def _get(url: str) -> dict[str, Any]:
    value = json.loads(_read(url))
    assert isinstance(value, dict)
    return value


@contextmanager
def serving(user: User, *options: str) -> Iterator[Witness]:
    """An emulator for a block, by its own command."""
    with user.starts("emulator", "--port", "0", "--json", *options) as process:
        try:
            assert process.stdout is not None
            reported = ""
            while not reported.endswith("}\n"):
                line = process.stdout.readline()
                assert line, process.stderr.read() if process.stderr else ""
                reported += line
            ready = json.loads(reported)
            environ = {"ROCKETKOR_API_KEY": ready["api_key"], "ROCKETKOR_API_SECRET": ready["api_secret"]}
            yield Witness(ready["base_url"], environ, process)
        finally:
            process.terminate()
            process.communicate(timeout=20)


@contextmanager
def serving_here(faults: str | Path | None = None) -> Iterator[Witness]:
    """An emulator for a block, in a thread: the same server as the command's, and there at once.

    Args:
        faults: a preset or a file of faults, as `--faults` takes them.
    """
    settings = EmulatorSettings(faults=Faults.load(faults) if faults else None)
    ready: Future[Emulator] = Future()
    over = asyncio.Event()

    async def serve() -> None:
        async with Emulator(settings) as emulator:
            ready.set_result(emulator)
            await over.wait()

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=lambda: runner.run(serve()), name="emulator")
        thread.start()
        try:
            emulator = ready.result(timeout=20)
            environ = {"ROCKETKOR_API_KEY": emulator.api_key, "ROCKETKOR_API_SECRET": emulator.api_secret}
            yield Witness(emulator.base_url, environ)
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(timeout=20)


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An emulator without faults."""
    with serving_here() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    with Receiver().listening() as listening:
        yield listening


@pytest.fixture
def profile_for(user: User) -> Callable[..., Path]:
    """Make a profile whose sandbox is an emulator."""

    def make(witness: Witness, name: str = "sandbox.toml", *, delivery: Sequence[str] = (), more: str = "") -> Path:
        lines = ["[delivery]", *delivery, more, "[targets.sandbox]", f'base_url = "{witness.base_url}"', *AGAIN_SOON]
        return user.has(name, "\n".join(lines) + "\n")

    return make


def people(count: int, *, external_ids: bool = True) -> str:
    """A CSV file of fictional people."""
    lines = [("ID," if external_ids else "") + "First Name,Last Name,Email,Phone"]
    areas = (212, 305, 312, 415, 512, 602, 617, 702, 713, 808)
    for number in range(count):
        prefix = f"L-{number}," if external_ids else ""
        phone = f"+1{areas[number // 100 % 10]}555{100 + number % 100:04d}"
        lines.append(f"{prefix}Given{_word(number)},Family{_word(number // 7)},person{number}@example.com,{phone}")
    return "\n".join(lines) + "\n"


def _word(number: int) -> str:
    letters = ""
    while True:
        number, digit = divmod(number, 26)
        letters += chr(97 + digit)
        if not number:
            return letters


def sandbox(profile: Path) -> tuple[str | Path, ...]:
    """Say that a profile's sandbox is meant."""
    return ("--config", profile, "--target", "sandbox")


def exactly_once(witness: Witness, results: list[dict[str, str]]) -> None:
    """Hold the results against what is at the server."""
    there = Counter(customer["primaryEmail"]["value"] for customer in witness.customers())
    ids = {customer["id"]: customer["primaryEmail"]["value"] for customer in witness.customers()}
    assert set(there.values()) == {1}
    assert len(there) == len(results)
    assert {row["_status"] for row in results} == {"created"}
    assert all(ids[row["_customer_id"]] == row["Email"] for row in results)


_LOOK_S = 0.02
_LOOKS = 5_000
"""How often it is looked whether something has happened: a look is a request, which costs both sides time."""


def wait_until(what: Callable[[], bool]) -> None:
    """Wait until something has happened outside."""
    for _ in range(_LOOKS):
        if what():
            return
        time.sleep(_LOOK_S)  # noqa: TID251  # the one place: another process's time is real
    pytest.fail("it never happened")


def ended(process: subprocess.Popen[str], within_s: float = 60.0) -> Ran:
    out, err = process.communicate(timeout=within_s)
    assert "Traceback" not in out + err
    return Ran(process.returncode, out, err)


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something has happened outside; a process that ends early ends the wait."""
    wait_until(lambda: what() or process.poll() is not None)


def logged(user: User) -> str:
    """What the user's runs have logged up to now."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(user.home.glob("runs/*/run.log.jsonl")))
