"""An emulator in a process of its own: the server of every benchmark that sends."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.benchmarks.bench import IMPORTER, environ


@dataclass(frozen=True)
class Target:
    """An emulator that is running."""

    base_url: str
    credentials: dict[str, str]
    pid: int

    def ledger(self) -> dict[str, Any]:
        """What arrived."""
        with urlopen(f"{self.base_url}/_emulator/ledger?per_s=1", timeout=60) as answer:  # noqa: S310  # loopback
            return dict(json.loads(answer.read()))

    def arrivals(self) -> list[float]:
        """When each request arrived, in their order, monotonic seconds."""
        with urlopen(f"{self.base_url}/_emulator/arrivals", timeout=60) as answer:  # noqa: S310  # loopback
            return [json.loads(line)["at_s"] for line in answer]


@contextmanager
def emulator(folder: Path, *options: str) -> Iterator[Target]:
    """Run an emulator that keeps its customers in memory."""
    command = [*IMPORTER, "emulator", "--port", "0", "--json", *options]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=folder, env=environ(), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            reported = ""
            while not reported.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "the emulator did not start"
                reported += line
            ready = json.loads(reported)
            credentials = {"ROCKETKOR_API_KEY": ready["api_key"], "ROCKETKOR_API_SECRET": ready["api_secret"]}
            yield Target(ready["base_url"], credentials, process.pid)
        finally:
            process.terminate()


def profile_for(target: Target, folder: Path, *, rate: str, concurrency: int, more: str = "") -> Path:
    """Write a profile whose sandbox is this emulator."""
    path = folder / "sandbox.toml"
    lines = ["[delivery]", f'rate = "{rate}"', f"concurrency = {concurrency}", more]
    path.write_text("\n".join([*lines, "[targets.sandbox]", f'base_url = "{target.base_url}"', ""]), encoding="utf-8")
    return path
