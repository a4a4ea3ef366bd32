"""A soak: hours in minutes. The emulator with mixed faults, the importer as a process that is killed and resumed.

For the first part of its time the importer is killed at random moments; then it is left alone, so that a leak has
time to show. It ends by itself, and what is at the emulator is held against the results, row by row.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.acceptance.conftest import ROOT, User, Witness, people, serving
from tests.soak.faults import FAULTS, PROFILE
from tests.soak.watching import Life, look

ROWS_SHARE = 0.7
"""Rows for so much of the allowance: look-ups, retries, pauses and the time after each kill take the rest."""

KILLED_SHARE = 0.55
"""Kills fall into this part of the time."""

LIFE_S = (8.0, 40.0)
"""How long a life lasts that ends by a kill; in a short soak, half of that part at most."""

LATE_SHARE, LATE_S = 1.6, 45.0
"""A soak that takes longer than this share of its time, and so much more, is stopped, and has failed."""


@dataclass(slots=True)
class Soak:
    """One soak and what came of it.

    Args:
        minutes: how long it should take.
        rate: requests a second.
        tasks: how many tasks the importer had, once a second, over all lives.
        finished: whether it ended by itself and in time.
        started: the most requests that the last life began in any second, by its own receipt.
    """

    folder: Path
    minutes: float
    rate: int
    seed: int
    lives: list[Life] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    ledger: dict[str, Any] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    mistaken: int = 0
    took_s: float = 0.0
    finished: bool = False
    started: int = 0
    last_words: str = ""

    @property
    def rows(self) -> int:
        """How many customers there are to create."""
        return int(self.minutes * 60 * self.rate * ROWS_SHARE)

    def play(self) -> None:
        """Soak, then compare."""
        user = User(self.folder, _surroundings())
        user.has("people.csv", people(self.rows, external_ids=False))
        faults = user.has("faults.toml", f"seed = {self.seed}\n{FAULTS}")
        with serving(user, "--faults", str(faults), "--store", str(self.folder / "store.sqlite3")) as witness:
            profile = user.has("profile.toml", PROFILE.format(rate=self.rate, base_url=witness.base_url))
            self._live(user, witness, profile)
            self.ledger = witness.ledger()
            self._compare(witness)

    # ------------------------------------------------------------------ lives

    def _live(self, user: User, witness: Witness, profile: Path) -> None:
        rng, began = random.Random(self.seed), time.monotonic()
        quiet_after = began + self.minutes * 60 * KILLED_SHARE
        end = began + self.minutes * 60 * LATE_SHARE + LATE_S
        command = ["run", "people.csv"]
        while not self.finished and time.monotonic() < end:
            until = time.monotonic() + min(rng.uniform(*LIFE_S), self.minutes * 30 * KILLED_SHARE)
            until = until if until <= quiet_after else end
            life = self._life([*command, "--config", str(profile), "--target", "sandbox"], user, witness, until)
            self.lives.append(life)
            self.finished = life.ended in {"0", "3"}
            command = _next(life.ended)
        self.took_s = time.monotonic() - began
        witnessed = (self.folder / "tasks.txt").read_text(encoding="ascii")
        self.tasks = [int(line) for line in witnessed.splitlines()]

    def _life(self, arguments: list[str], user: User, witness: Witness, until: float) -> Life:
        life, began = Life(), time.monotonic()
        with _process(arguments, user, witness, self.folder) as process:
            while process.poll() is None:
                time.sleep(0.5)  # noqa: TID251  # another process's time is real
                now = time.monotonic()
                sample = look(process.pid, now - began)
                if sample is not None:
                    life.samples.append(sample)
                if now > until:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    life.ended = "killed"
                    return life
            life.ended = str(process.returncode)
        self.last_words = (self.folder / "said.txt").read_text(encoding="utf-8")[-600:]
        return life

    # ------------------------------------------------------------------ the end

    def _compare(self, witness: Witness) -> None:
        """Hold the results against what is at the server."""
        ids: dict[str, str] = {}
        at_server: Counter[str] = Counter()
        for customer in _customers(witness):
            email = customer["primaryEmail"]["value"]
            at_server[email] += 1
            ids[email] = customer["id"]
        self.twice = sum(number - 1 for number in at_server.values())
        results = sorted(self.folder.glob("runs/*/results.csv"))
        if not results:
            self.lost = self.rows
            return
        receipt = json.loads((results[-1].parent / "report.json").read_text(encoding="utf-8")).get("rate", {})
        self.started = receipt.get("largest", {}).get("in any second", 0)
        with results[-1].open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self.counts[row["_status"]] += 1
                self.lost += row["Email"] not in ids
                self.mistaken += ids.get(row["Email"], "") != row["_customer_id"]


def _next(ended: str) -> list[str]:
    """What to do after a life: go on after a kill, send again what failed, begin where nothing had begun."""
    if ended == "2":
        return ["run", "people.csv"]
    return ["resume" if ended == "killed" else "retry", "last"]


def _surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMPORTER_", "ROCKETKOR_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


@contextmanager
def _process(arguments: list[str], user: User, witness: Witness, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-W", "error", "-m", "tests.soak.witnessed", str(folder / "tasks.txt"), *arguments]
    with (folder / "said.txt").open("wb") as said:
        environ = {**user.environ, **witness.environ}
        process = subprocess.Popen([*command, "--quiet"], cwd=folder, env=environ, stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _customers(witness: Witness) -> Iterator[dict[str, Any]]:
    with urlopen(f"{witness.base_url}/_emulator/customers", timeout=300) as answer:  # noqa: S310  # loopback
        for line in answer:
            yield json.loads(line)
