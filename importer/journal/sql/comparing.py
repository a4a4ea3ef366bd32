"""Issues of rows that an earlier run may know under another key, or knows as another customer.

The looking is done by `likenesses`; this decides, by the profile's word, whether it is an error or a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from importer.core.issues import Severity
from importer.core.states import RowState
from importer.journal.matching import Comparison
from importer.journal.sql.database import Connection, Database, Earlier
from importer.journal.sql.issue_rows import insert_issues
from importer.journal.sql.likenesses import Likenesses
from importer.journal.sql.old_keys import old_matches

_ISSUES_HELD = 5_000


def compare(database: Database, run: int, likenesses: Likenesses, earlier: Earlier, how: Comparison) -> None:
    """Compare the rows of a run that are ready, or valid, with customers of earlier runs, and keep what is found."""
    former = [likenesses.under(secret) for secret in earlier.database.carried().secrets]
    issues = how.issues(likenesses.matches(earlier, former))
    while lot := list(islice(issues, _ISSUES_HELD)):
        with database.transaction() as tx:
            insert_issues(tx, run, lot)
            refuse(tx, run, [issue.ordinal for issue in lot if issue.severity is Severity.ERROR])


def refuse_old_matches(database: Database, run: int, earlier: Earlier, secret: bytes, how: Comparison) -> None:
    """Refuse rows that may be customers whose keys were made by an earlier rule, and whose bodies were purged.

    Only a person can decide whether they are: they confirm with `possible_duplicate = "ignore"`.
    """
    if how.possible_duplicate == "ignore":
        return
    for lot in old_matches(database, run, earlier, secret, how):
        issues = [how.old_match(match) for match in lot]
        with database.transaction() as tx:
            insert_issues(tx, run, issues)
            refuse(tx, run, [issue.ordinal for issue in issues if issue.severity is Severity.ERROR])


def refuse(tx: Connection, run: int, ordinals: Sequence[int]) -> None:
    """Make rows invalid: they have an error now, and no import key."""
    tx.executemany(
        "INSERT INTO rows (run, ordinal, state) VALUES (?, ?, ?) ON CONFLICT (run, ordinal)"
        " DO UPDATE SET state = excluded.state, key = NULL",
        ((run, ordinal, RowState.INVALID.value) for ordinal in ordinals),
    )
