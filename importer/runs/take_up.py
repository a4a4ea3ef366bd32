"""A run that has ended is taken up again: opened, at its own target, and kept from everybody else meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from importer.journal import StoredRun, locks_of
from importer.runs.context import Context
from importer.runs.kept_files import put_back
from importer.runs.resume import destination_again
from importer.runs.run_directory import run_directory
from importer.runs.wiring import Destination, Workspace, open_workspace


class TakenUp(NamedTuple):
    """A run that nobody else works with meanwhile.

    Args:
        context: under the profile of its target; what happens is logged in its directory.
        stored: as whoever held the lock before has left it.
        started_at: when this began, seconds since the epoch.
    """

    context: Context
    workspace: Workspace
    stored: StoredRun
    where: Destination
    directory: Path
    started_at: float


@contextmanager
def taken_up(context: Context, name: str) -> Iterator[TakenUp]:
    """Open a run while the block lasts.

    Args:
        context: under the profile that `resume.recall` gave it.
        name: a run id, a unique prefix of one, or `last`.

    Raises:
        UsageError: there is no such run, or another target was named.
        SourceChangedError: the target's address or account is another one.
        BusyError: somebody else works with its account.
    """
    started_at = context.now()
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        found = workspace.runs.find(name)
        of_target, where = destination_again(context, workspace, found, started_at)
        run_id = found.header.run_id
        put_back(workspace.journal, found.run, workspace.path / run_id)
        with (
            locks_of(workspace.path).hold(where.scope, started_at),
            run_directory(of_target, run_id) as (logged, directory),
        ):
            yield TakenUp(logged, workspace, workspace.runs.find(run_id), where, directory, started_at)
