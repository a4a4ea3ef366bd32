"""Every run of a workspace in one order, dry runs among them, and the journal that each of them is kept in.

An import is kept in the workspace's journal; a dry run in a journal of its own in its directory, so that nothing of it
enters the memory of the workspace and all of it goes with the directory.

The order is that of the journal, never that of a clock: imports by their number, and a dry run after the import that
was the newest one when it began. Dry runs after the same import follow each other by a number that each takes when it
begins, one more than the highest there is. Changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from importer.core.commands import Commands
from importer.core.errors import JournalError, UsageError
from importer.core.results import RunSummary
from importer.journal import (
    FINISHED,
    STOPPED,
    Journal,
    Location,
    StoredRun,
    check_memory,
    locks_of,
    open_journal,
)
from importer.runs.leftovers import is_held

RUN_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{6}")

Place = tuple[int, int, str]
"""The place of a run in the order: the number of the import that it is or follows, its number among the dry runs (0: it
is that import), and its id."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One run of a workspace.

    Args:
        journal: where it is kept; None: a dry run of an earlier program, which kept only its files.
        commands: composes the commands that errors name.
    """

    place: Place
    journal: Location | None
    commands: Commands
    dry_run: bool = False

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.place[2]


@dataclass(frozen=True)
class OpenedRun:
    """A run and the open journal that it is kept in."""

    journal: Journal
    stored: StoredRun

    @cached_property
    def summary(self) -> RunSummary:
        """The run in a line."""
        return self.journal.runs.summary(self.stored.run)


def listed(workspace: Path) -> list[Listed]:
    """Return every run of a workspace, the newest first.

    Raises:
        JournalError: the workspace's journal cannot be read.
    """
    imports = list(_imports(workspace))
    return sorted([*imports, *_dry_runs(workspace, imports)], key=lambda one: one.place, reverse=True)


def find(workspace: Path, name: str) -> Listed:
    """Return the run that a name means.

    Args:
        name: a run id, a unique beginning of one, or `last`: the newest.

    Raises:
        UsageError: there is no such run, or more than one.
    """
    known = listed(workspace)
    fitting = known[:1] if name == "last" else [one for one in known if one.run_id.startswith(name)]
    lists = f"`{Commands(workspace).runs()}` lists them."
    if len(fitting) > 1:
        raise UsageError(f"'{name}' fits several runs.", f"Give more of the run id; {lists}")
    if not fitting:
        raise UsageError(f"There is no run '{name}' in the workspace '{workspace}'.", lists)
    return fitting[0]


@contextmanager
def opened_run(workspace: Path, name: str, *, writes: bool = False) -> Iterator[OpenedRun]:
    """Find a run and open the journal that it is kept in; arguments and errors as for `find` and `opened`."""
    with opened(find(workspace, name), writes=writes) as run:
        yield run


@contextmanager
def opened(found: Listed, *, writes: bool = False) -> Iterator[OpenedRun]:
    """Open the journal that a run is kept in.

    Args:
        writes: whether the journal shall be written to.

    Raises:
        UsageError: an earlier program made this dry run, and kept its files only.
        JournalError: its journal cannot be opened.
    """
    if found.journal is None:
        raise UsageError(
            f"The dry run {found.run_id} was made by an earlier importer, which kept its files only.",
            "Its results.csv has every row; check the source again to have the rest.",
        )
    if writes and not found.dry_run:
        check_memory(found.journal)
    with closing(open_journal(found.journal, writes=writes, commands=found.commands)) as journal:
        yield OpenedRun(journal, journal.runs.find(found.run_id))


def worker_of(workspace: Path, stored: StoredRun) -> str:
    """Return who works on a run at this moment; empty: nobody.

    Raises:
        StorageError: the workspace's locks cannot be read.
    """
    if stored.phase in {FINISHED, STOPPED}:
        return ""
    header = stored.header
    if header.dry_run:
        return "another process" if is_held(workspace / header.run_id) else ""
    # The lock is that of a target: what was cut off is not worked on because another run is.
    mine = {header.started_at, stored.facts.at_work_since}
    locks = locks_of(workspace)
    return locks.owner(header.scope) if locks.held_since(header.scope) in mine else ""


def next_place(workspace: Path) -> tuple[int, int]:
    """Return the place of a dry run that begins now: the import that it follows, and its number among the dry runs."""
    imports = list(_imports(workspace))
    checks = [one.place[1] for one in _dry_runs(workspace, imports)]
    return max([one.place[0] for one in imports], default=0), max(checks, default=0) + 1


def _imports(workspace: Path) -> Iterator[Listed]:
    location = Location.of_workspace(workspace)
    if not location.exists:
        return
    with closing(open_journal(location, writes=False)) as journal:
        for number, run_id in journal.runs.ids():
            yield Listed((number, 0, run_id), location, Commands(workspace))


def _dry_runs(workspace: Path, imports: Sequence[Listed]) -> Iterator[Listed]:
    known = {one.run_id for one in imports}
    for directory in workspace.iterdir() if workspace.is_dir() else ():
        if RUN_ID.fullmatch(directory.name) is None or directory.name in known:
            continue
        location = Location.of_dry_run(directory)
        if location.exists:
            yield from _kept(location, Commands(workspace))
        elif _only_checked(directory):
            before = [one.place[0] for one in imports if one.run_id < directory.name]
            yield Listed((max(before, default=0), 0, directory.name), None, Commands(workspace), dry_run=True)


def _kept(location: Location, commands: Commands) -> Iterator[Listed]:
    try:
        with closing(open_journal(location, writes=False)) as journal:
            for number, run_id in journal.runs.ids():
                after, place = journal.runs.facts(number).place
                yield Listed((after, place, run_id), location, commands, dry_run=True)
    except JournalError:
        return  # one that was cut off while it began, or is being removed


def _only_checked(directory: Path) -> bool:
    """Whether a directory holds the report of a dry run."""
    report = written_report(directory)
    return bool(report and report.get("dry_run"))


def written_report(directory: Path) -> dict[str, Any]:
    """Return the report in a run's directory; empty: there is none, or it is damaged, or a copy of another run's."""
    try:
        report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) and report.get("run_id") == directory.name else {}
