"""What the last runs of an account were like: how large their sources were, how many rows, how many requests.

For estimates alone: nothing is decided by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from importer.journal.sqlite.database import Database
from importer.journal.sqlite.runs import FINISHED

_RUNS = 5


@dataclass(frozen=True, slots=True)
class Experience:
    """One run that finished.

    Args:
        source: the file's name.
        size_bytes: of the file; 0 where that was not kept.
        requests: of every kind but logins, repeated ones included.
    """

    source: str
    size_bytes: int
    rows: int
    requests: int


def experience(database: Database, scope: str) -> list[Experience]:
    """The last runs of an account that finished, the newest first; purged ones have no requests left to count."""
    with database.guarded("read"):
        found = database.connection.execute(
            "SELECT source, coalesce(json_extract(facts, '$.size_bytes'), 0),"
            " (SELECT coalesce(sum(length), 0) FROM batches b WHERE b.run = r.run),"
            " (SELECT count(*) FROM attempts a WHERE a.run = r.run)"
            " FROM runs r WHERE scope = ? AND phase = ? AND purged_at IS NULL ORDER BY run DESC LIMIT ?",
            (scope, FINISHED, _RUNS),
        ).fetchall()
    return [Experience(*one) for one in found]
