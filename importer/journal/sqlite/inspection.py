"""A look at a journal that changes nothing: not even its format. It answers whether a run could use the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from importer.core.contract import Identity
from importer.core.errors import JournalError
from importer.journal.runs import JournalFacts
from importer.journal.sql.old_keys import has_old_keys
from importer.journal.sql.runs import newest_run
from importer.journal.sql.starts import started_within
from importer.journal.sqlite.file import SqliteConnection, connected
from importer.journal.sqlite.migrations import SCHEMA_VERSION, version_of

_STARTS_SINCE = 3
"""The format of the journal that began to count starts."""
_WITH_RULES = 7
"""The first journal format in which keys carry their rule."""


def examine_journal(path: Path) -> JournalFacts:
    """Look into a journal of any format.

    Raises:
        JournalError: it cannot be read at all.
    """
    with _looked_into(path) as journal:
        version = version_of(journal)
        damage = journal.execute("PRAGMA quick_check(1)").fetchone()[0]
        last = newest_run(journal) if version else None
    return JournalFacts(version, SCHEMA_VERSION, "" if damage == "ok" else damage, *(last or ()))


def starts_in(path: Path, scope: str, now: float, window_s: float) -> int:
    """How many requests of a scope count against a limit of this many seconds; 0 in a journal older than such limits.

    Raises:
        JournalError: it cannot be read at all.
    """
    with _looked_into(path) as journal:
        return started_within(journal, scope, now, window_s) if version_of(journal) >= _STARTS_SINCE else 0


def remembers_old_keys(path: Path, identity: Identity) -> bool:
    """Whether a journal, which is only looked at, has keys of an earlier rule; False for one of an older format."""
    try:
        with _looked_into(path) as journal:
            return version_of(journal) >= _WITH_RULES and has_old_keys(journal, identity)
    except JournalError:
        return False  # opening it for reading reports what is wrong


@contextmanager
def _looked_into(path: Path) -> Iterator[SqliteConnection]:
    """Open a journal for reading alone."""
    try:
        with closing(connected(f"{path.absolute().as_uri()}?mode=ro")) as journal:
            yield journal
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            f"The journal {path} cannot be read: {error}.",
            "Check that it is a journal and that you may read it; restore it from a backup if it is damaged.",
        ) from error
