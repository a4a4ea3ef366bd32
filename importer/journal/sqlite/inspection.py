"""A look at a journal that changes nothing: not even its format. It answers whether a run could use the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from importer.core.errors import JournalError
from importer.journal.runs import JournalFacts
from importer.journal.sqlite.migrations import SCHEMA_VERSION, version_of
from importer.journal.sqlite.starts import started_within

_STARTS_SINCE = 3
"""The format of the journal that began to count starts."""


def examine_journal(path: Path) -> JournalFacts:
    """Look into a journal of any format.

    Raises:
        JournalError: it cannot be read at all.
    """
    with _looked_into(path) as journal:
        version = version_of(journal)
        damage = journal.execute("PRAGMA quick_check(1)").fetchone()[0]
        last = _last(journal) if version else None
    return JournalFacts(version, SCHEMA_VERSION, "" if damage == "ok" else damage, *(last or ()))


def starts_in(path: Path, scope: str, now: float, window_s: float) -> int:
    """How many requests of a scope count against a limit of this many seconds; 0 in a journal older than such limits.

    Raises:
        JournalError: it cannot be read at all.
    """
    with _looked_into(path) as journal:
        return started_within(journal, scope, now, window_s) if version_of(journal) >= _STARTS_SINCE else 0


@contextmanager
def _looked_into(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading alone."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as journal:
            yield journal
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            f"The journal {path} cannot be read: {error}.",
            "Check that it is a journal and that you may read it; restore it from a backup if it is damaged.",
        ) from error


def _last(journal: sqlite3.Connection) -> tuple[str, str, str, int | None] | None:
    found: tuple[str, str, str, int | None] | None = journal.execute(
        "SELECT run_id, phase, scope, exit_code FROM runs ORDER BY run DESC LIMIT 1"
    ).fetchone()
    return found
