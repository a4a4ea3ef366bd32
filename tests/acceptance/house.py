"""Nights of one user: a folder, a profile, a webhook for notifications, and what is where in the morning."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import AGAIN_SOON, SOON, Ran, User, Witness
from tests.acceptance.receiver import Receiver

BESIDE = {"results.csv", "rejects.csv", "id-map.csv", "report.html", "report.json", "run.log.jsonl"}
"""What every imported file has at its side."""


@dataclass(frozen=True)
class Notification:
    """One notification, as somebody reads it.

    Args:
        level: `done`, `degraded` or `failed`.
        headline: the title without the level.
        lines: the text without paths of reports and the last line.
        reports: the paths of reports.
        code: the exit code in the last line.
    """

    level: str
    headline: str
    lines: tuple[str, ...]
    reports: tuple[Path, ...]
    code: int

    @classmethod
    def of(cls, message: dict[str, Any]) -> Notification:
        level, _, headline = message["title"].removeprefix("Customer import ").partition(": ")
        lines = message["message"].splitlines()
        code = re.search(r"Target: sandbox\. Exit code: (\d+)\.$", lines[-1])
        assert code, lines
        reports = [Path(line.partition("report: ")[2]) for line in lines if line.startswith("  report: ")]
        text = tuple(line for line in lines[:-1] if not line.startswith(("  report: ", "  next: ")))
        return cls(level, headline, text, tuple(reports), int(code[1]))


@dataclass(frozen=True)
class Slept:
    """One night, as it looks in the morning.

    Args:
        notifications: all that were sent in it.
        archived: the sources that it put into `archive`, each with the rows per state of the results beside it;
            {} for one that was known.
        failed: the sources that it put into `failed`, each with the sentence of its `why.txt`.
        waiting: the sources that the next night goes on with.
    """

    home: Path
    ran: Ran
    notifications: tuple[Notification, ...]
    archived: dict[str, dict[str, int]]
    failed: dict[str, str]
    waiting: tuple[str, ...]

    @property
    def code(self) -> int:
        return self.ran.code

    @property
    def fates(self) -> list[tuple[str, str]]:
        return [(one["file"], one["fate"]) for one in self.ran.json["imports"]]

    def named_place(self) -> str:
        """Where the notification says that the refused file is, as it says it: the folder is there."""
        (place,) = re.findall(r"It is in (\S+)\.$", "\n".join(self.notifications[0].lines), re.MULTILINE)
        assert (self.home / place).is_dir()
        return str(place)

    def reported(self, level: str, headline: str, *lines: str) -> None:
        """Compare the one notification of the night with what it should say; its reports are those of the night's
        runs."""
        (notification,) = self.notifications
        assert (notification.level, notification.headline, notification.lines) == (level, headline, lines)
        assert notification.code == self.code
        reports = [Path(one["report"]) for one in self.ran.json["imports"] if one["counts"]]
        assert list(notification.reports) == reports
        assert all(path.is_absolute() and path.is_file() for path in reports)


@dataclass
class House:
    """A folder, a profile, and a receiver of notifications."""

    user: User
    receiver: Receiver
    environ: dict[str, str] = field(default_factory=dict)
    came: dict[str, bytes] = field(default_factory=dict)
    _told: int = 0
    _put: dict[Path, set[str]] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.user.home / "inbox"

    def gets(self, name: str, content: str | bytes) -> None:
        """A file arrives."""
        self.inbox.mkdir(exist_ok=True)
        self.came[name] = content.encode() if isinstance(content, str) else content
        (self.inbox / name).write_bytes(self.came[name])

    def points_to(self, witness: Witness) -> None:
        lines = ["[delivery]", 'rate = "500/s"', "looks_after_s = [0, 0.1]", "breaker_faults = 5", *SOON, *AGAIN_SOON]
        lines += ["[nightly]", "settle_s = 0.02"]
        lines += ["[targets.sandbox]", f'base_url = "{witness.base_url}"', 'account = "fortnight"']
        self.user.has("nightly.toml", "\n".join(lines) + "\n")
        self.environ = {**witness.environ, "IMPORTER_NOTIFY_URLS": self.receiver.url}

    @property
    def command(self) -> tuple[str, ...]:
        return ("nightly", "inbox", "--config", "nightly.toml", "--target", "sandbox", "--json")

    def sleeps(self, *options: str, **environ: str) -> Slept:
        """One night."""
        return self.wakes(self.user.types(*self.command, *options, **{**self.environ, **environ}))

    def wakes(self, ran: Ran) -> Slept:
        """Look around after a night; what earlier nights put away must be there untouched."""
        messages, self._told = self.receiver.messages[self._told :], len(self.receiver.messages)
        return Slept(
            self.user.home,
            ran,
            tuple(map(Notification.of, messages)),
            {name: _states(folder) for name, folder in self._new("archive")},
            {name: _why(folder, name) for name, folder in self._new("failed")},
            tuple(path.name for path in (self.inbox / "processing").iterdir()),
        )

    def arrived(self) -> list[str]:
        """The files in the folder that no night touched."""
        return sorted(path.name for path in self.inbox.iterdir() if path.is_file())

    def _new(self, place: str) -> Iterator[tuple[str, Path]]:
        """The sources that were put into a place since the last look, each byte for byte as it came."""
        folders = {path: {one.name for one in path.iterdir()} for path in (self.inbox / place).iterdir()}
        assert {
            path: names for path, names in self._put.items() if path.parent.name == place
        }.items() <= folders.items()
        for folder in sorted(folders.keys() - self._put.keys()):
            self._put[folder] = folders[folder]
            name = folder.name.partition("_")[2].partition("~")[0]
            assert (folder / name).read_bytes() == self.came[name]
            yield name, folder


def _states(folder: Path) -> dict[str, int]:
    beside = {path.name for path in folder.iterdir()}
    if "already-imported.txt" in beside:
        assert len(beside) == 2
        return {}
    assert beside >= BESIDE
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return dict(Counter(row["_status"] for row in csv.DictReader(file)))


def _why(folder: Path, name: str) -> str:
    assert {path.name for path in folder.iterdir()} == {name, "why.txt"}
    first, _, sentence, *_ = (folder / "why.txt").read_text(encoding="utf-8").splitlines()
    assert first == f"{name} was not imported (exit code 6)."
    return sentence
