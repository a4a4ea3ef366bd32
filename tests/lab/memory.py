"""The importer's memory on disk, and what happens to it between two lives of the process.

A process that dies leaves its write-ahead log behind. Then the tail of that log may vanish, the whole workspace may be
an older one, the count of commits may be behind (a power cut), or somebody copies or moves the workspace. The promise:
a journal that lost commits and a copy are refused, and nothing else is.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from importer.core.errors import JournalError, UsageError, WorkspaceMovedError
from importer.journal import Journal, Location, keep_elsewhere, open_journal

JOURNAL = "journal.sqlite3"
LOG = f"{JOURNAL}-wal"
COUNT = f"{JOURNAL}-commits"
MISFORTUNES = ("tail", "copy", "")

Contents = Mapping[str, bytes]
"""The files of a workspace by their names."""


class Memory:
    """A workspace with its journal.

    Args:
        misfortune: what befalls it after a kill: `tail`, `copy`; empty: nothing.
        broken: reports a promise that was not kept.
        checks: whether a journal is asked for its integrity; without it, the lab has to break.
        url: of an empty journal in PostgreSQL; empty: it is a file. Nothing befalls a server's files.
    """

    def __init__(
        self,
        folder: Path,
        misfortune: str,
        rng: random.Random,
        broken: Callable[[str], NoReturn],
        *,
        checks: bool = True,
        url: str = "",
    ) -> None:
        self.folder = folder / "runs"
        self.refusals = 0
        self._misfortune = "" if url else misfortune
        self._url = url
        self._rng = rng
        self._broken = broken
        self._checks = checks
        self._older: Contents = {}
        self.folder.mkdir()
        if url:
            keep_elsewhere(self.folder, url)
        self.journal = self._opened()

    def process_died(self) -> None:
        """Leave the files as a dead process does, let something happen to them, and open them again."""
        if self._url:
            self.journal.close()
            self.journal = self._opened()
        if not self._misfortune:
            return
        left, commits = _contents(self.folder), self._commits_in_use()
        self.journal.close()  # it writes its log back and removes it, as a dead process does not
        _put(self.folder, left)
        if self._misfortune == "tail" and self._rng.random() < 0.6:
            self._lose_a_tail(left, commits)
        if self._misfortune == "tail" and self._rng.random() < 0.4:
            self._cut_the_power(left)
        if self._misfortune == "copy" and self._rng.random() < 0.5:
            self._copy_it()
        if self._rng.random() < 0.3:
            self._older = left
        self.journal = self._opened()

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()

    def _opened(self) -> Journal:
        """The journal, which has to be taken for whole and for the original."""
        journal = open_journal(Location.of_workspace(self.folder), durable=bool(self._misfortune))
        if not self._misfortune or not self._checks:
            return journal
        try:
            journal.require_integrity()
        except JournalError as error:
            journal.close()
            self._broken(f"a journal that lost nothing was refused: {error}")
        return journal

    def _lose_a_tail(self, left: Contents, commits: int) -> None:
        """Cut the log, delete it, or put an older workspace there; what was lost is put back after the refusal."""
        log = left.get(LOG, b"")
        cuts: list[Contents] = [{**left, LOG: log[: self._rng.randint(0, len(log))]}, {**left, LOG: b""}]
        if self._older:
            cuts.append({JOURNAL: b"", LOG: b"", **self._older, COUNT: left[COUNT]})
        harmed = self._rng.choice(cuts)
        _put(self.folder, harmed)
        if self._commits_in(harmed) < commits:
            self._has_to_be_refused(self.folder, "lost its last")
        _put(self.folder, left)

    def _cut_the_power(self, left: Contents) -> None:
        """The count of commits is not synced: it may be behind, torn away, or gone. That is no reason to refuse."""
        behind = b"%020d" % self._rng.randint(0, int(left[COUNT]))
        _put(self.folder, {**left, COUNT: self._rng.choice((behind, b"", b"\0" * 20))})

    def _copy_it(self) -> None:
        """Copy the workspace: either the copy goes on, or the original does; never both."""
        copy = self.folder.with_name(f"copy{self.refusals}")
        shutil.copytree(self.folder, copy)
        self._has_to_be_refused(copy, "moved or copied")
        if self._rng.random() < 0.5:
            with closing(open_journal(Location.of_workspace(copy))) as journal:
                journal.accept_as_it_is()
            shutil.rmtree(self.folder)
            self.folder = copy
            return
        with closing(open_journal(Location.of_workspace(copy))) as journal:
            journal.accept_as_it_is(gives_up_runs=True)
            journal.require_integrity()
            for _, run_id in journal.runs.ids():
                self._has_to_stay(journal, run_id)

    def _has_to_be_refused(self, workspace: Path, sentence: str) -> None:
        self.refusals += 1
        with closing(open_journal(Location.of_workspace(workspace))) as journal:
            try:
                if self._checks:
                    journal.require_integrity()
            except (JournalError, WorkspaceMovedError) as error:
                if sentence in str(error):
                    return
                self._broken(f"{sentence}: refused with another word: {error}")
        self._broken(f"a workspace that {sentence} was not refused")

    def _has_to_stay(self, journal: Journal, run_id: str) -> None:
        try:
            journal.runs.find(run_id).require_whole()
        except UsageError:
            return
        self._broken(f"the run {run_id} goes on in a copy and in the original")

    def _commits_in_use(self) -> int:
        with closing(sqlite3.connect(self.folder / JOURNAL)) as connection:
            return _commits(connection)

    def _commits_in(self, contents: Contents) -> int:
        """How many commits are left in a journal, worked out on a copy of it."""
        aside = self.folder.with_name("aside")
        aside.mkdir(exist_ok=True)
        _put(aside, contents)
        with closing(sqlite3.connect(aside / JOURNAL)) as connection:
            has_tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            return _commits(connection) if has_tables else 0


def _commits(connection: sqlite3.Connection) -> int:
    (commits,) = connection.execute("SELECT commits FROM integrity").fetchone()
    return int(commits)


def _contents(folder: Path) -> Contents:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def _put(folder: Path, contents: Contents) -> None:
    """Let files have these contents, and be the same files where they are there already."""
    for path in folder.iterdir():
        if path.name not in contents:
            path.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
