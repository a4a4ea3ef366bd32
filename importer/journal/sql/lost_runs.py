"""Runs that left a folder in a workspace by which they sent, and that the journal does not know: it has lost them."""

from __future__ import annotations

import json
from pathlib import Path

from importer.core.commands import Commands
from importer.core.errors import JournalError
from importer.journal.sql.database import Connection

_RECEIPT = "receipt.json"
_LOG = "run.log.jsonl"
_SENDING = b'"delivery_started"'
"""In a run's log: the journal has known the run since before this."""
_BEGINNING_BYTES = 65_536


def how_to_accept(commands: Commands) -> str:
    """By which command a person goes on with a journal that has lost something."""
    return (
        f"If that is impossible, `{commands.doctor('--accept-journal')}` goes on with what is there; customers that it"
        " does not know of can then be created again."
    )


def lost_run_error(journal: str, run_id: str, commands: Commands) -> JournalError:
    """Say that a journal does not know a run.

    Args:
        journal: where it is.
    """
    return JournalError(
        f"The journal {journal} does not know the run {run_id}, whose folder is in {commands.workspace}: it is an older"
        " copy, or another journal.",
        f"Restore the newest backup, or name the right journal. {how_to_accept(commands)}",
    )


def lost_runs(connection: Connection, workspace: Path) -> list[str]:
    """Name the runs that left a folder in the workspace by which they sent, and that the journal does not know."""
    known = {run_id for (run_id,) in connection.execute("SELECT run_id FROM runs")}
    strange = (path for path in workspace.iterdir() if path.name not in known and path.is_dir())
    return sorted({run_id for path in strange if (run_id := _run_that_sent(path)) and run_id not in known})


def _run_that_sent(folder: Path) -> str:
    """The run whose folder this is, or a copy of it by another name; empty where none is known to have sent."""
    receipt = folder / _RECEIPT
    return _run_of(receipt) if receipt.exists() else _run_in_log(folder / _LOG)


def _run_of(receipt: Path) -> str:
    """The run of a receipt; for a damaged one, the folder's name."""
    try:
        run_id = json.loads(receipt.read_bytes())["run_id"]
    except (OSError, ValueError, LookupError, TypeError):
        run_id = None
    return run_id if isinstance(run_id, str) else receipt.parent.name


def _run_in_log(log: Path) -> str:
    """The run that began to send by its log: one that was cut off leaves no receipt. A dry run never sends."""
    try:
        with log.open("rb") as stream:
            begun = [line for line in stream.read(_BEGINNING_BYTES).splitlines() if _SENDING in line]
        run_id = json.loads(begun[0])["run_id"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    return run_id if isinstance(run_id, str) else ""
