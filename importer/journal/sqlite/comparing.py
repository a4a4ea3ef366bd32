"""What is said of rows that an earlier run may know under another key, or knows as somebody else.

The looking is done by `likenesses`; this decides, by the profile's word, whether it is an error or a warning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from importer.core.issues import Issue, Severity
from importer.core.states import RowState
from importer.customers.likeness import EMAIL, EXTERNAL_ID, KINDS, NAME_BIRTH, PHONE
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.issue_rows import insert_issues
from importer.journal.sqlite.likenesses import Earlier, Likenesses, Match, Where
from importer.journal.sqlite.old_keys import lots_of_then

_FIELDS: Mapping[str, Sequence[str]] = {
    EMAIL: ("primaryEmail.value", "contacts.primary.primaryEmail.value"),
    PHONE: ("primaryPhoneNumber.number", "contacts.primary.primaryPhoneNumber.number"),
    NAME_BIRTH: ("lastName",),
    EXTERNAL_ID: ("externalId",),
}
"""Kind of likeness to the fields it may stand for."""
_ISSUES_HELD = 5_000
_WITH_LIKENESSES = 7
"""The first journal format that holds them."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How rows are compared with customers of earlier runs.

    Args:
        possible_duplicate: what becomes of a row that may be a customer under another import key.
        external_id_decides: take whoever comes under an externalId as the customer that had it before.
        target: where this run sends; only what is known of that target makes an error.
        columns: customer field to source column, for messages.
        content: hash of the source's bytes: rows of the same content are matched by their place, too.
        sheet: the sheet that was read.
        default_region: the profile's, for phone numbers.
        allows_duplicates: rows of one source may share an import key.
    """

    possible_duplicate: Literal["warn", "reject", "ignore"]
    external_id_decides: bool
    target: str
    columns: Mapping[str, str]
    content: str = ""
    sheet: str = ""
    default_region: str | None = None
    allows_duplicates: bool = False

    def issues(self, matches: Iterator[Match]) -> Iterator[Issue]:
        """Say it in sentences."""
        for match in matches:
            if match.kinds and self.possible_duplicate != "ignore":
                yield self._possible_duplicate(match)
            elif not match.kinds and not self.external_id_decides:
                yield self._of_another(match)

    def _possible_duplicate(self, match: Match) -> Issue:
        alike = " and ".join(KINDS[kind] for kind in match.kinds)
        text = (
            f"The run {match.run_id} has a customer with the same {alike} in row {match.row} under another import key"
            f"{self._elsewhere(match)}; check whether this is the same customer."
        )
        refused = self.possible_duplicate == "reject" and match.target == self.target
        severity = Severity.ERROR if refused else Severity.WARNING
        return self._issue(match.ordinal, "possible_duplicate", text, _FIELDS[match.kinds[0]], severity)

    def of_then(self, match: Match) -> Issue:
        """Say that a row may be a customer of whom nothing but a key of an earlier rule is left."""
        text = (
            f"The run {match.run_id} may have created this customer in row {match.row}{self._elsewhere(match)},"
            " before the rules by which customers are recognised changed; its data was purged."
            " Check whether it is the same customer."
        )
        severity = Severity.ERROR if match.target == self.target else Severity.WARNING
        return self._issue(match.ordinal, "possible_duplicate", text, _FIELDS[PHONE], severity)

    def _of_another(self, match: Match) -> Issue:
        text = (
            f"The run {match.run_id} has another person in row {match.row} under this reference"
            f"{self._elsewhere(match)}: name, email and phone all differ. Correct the reference."
        )
        severity = Severity.ERROR if match.target == self.target else Severity.WARNING
        return self._issue(match.ordinal, "external_id_of_another", text, ("externalId",), severity)

    def _elsewhere(self, match: Match) -> str:
        return "" if match.target == self.target else f" at the target {match.target}"

    def _issue(self, ordinal: int, code: str, text: str, fields: Sequence[str], severity: Severity) -> Issue:
        name = next((name for name in fields if name in self.columns), fields[0])
        return Issue(ordinal, code, text, name, self.columns.get(name, ""), severity)


def compare(database: Database, run: int, likenesses: Likenesses, earlier: Earlier, how: Comparison) -> None:
    """Compare the rows of a run that are ready, or valid, with customers of earlier runs, and keep what is found."""
    issues = how.issues(likenesses.matches(earlier))
    while lot := list(islice(issues, _ISSUES_HELD)):
        with database.transaction() as tx:
            insert_issues(tx, run, lot)
            refuse(tx, run, [issue.ordinal for issue in lot if issue.severity is Severity.ERROR])


def hold_those_of_then(database: Database, run: int, earlier: Earlier, secret: bytes, how: Comparison) -> None:
    """Refuse rows that may be customers whose keys were made by an earlier rule, and whose bodies were purged.

    Nobody can tell any more: a person has to look, and says so by `possible_duplicate = "ignore"`.
    """
    if how.possible_duplicate == "ignore":
        return
    for lot in lots_of_then(database, run, earlier, secret, how.default_region):
        issues = [how.of_then(match) for match in lot]
        with database.transaction() as tx:
            insert_issues(tx, run, issues)
            refuse(tx, run, [issue.ordinal for issue in issues if issue.severity is Severity.ERROR])


def refuse(tx: sqlite3.Connection, run: int, ordinals: Sequence[int]) -> None:
    """Make rows invalid: they have an error now, and no import key."""
    tx.executemany(
        "INSERT INTO rows (run, ordinal, state) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
        " key = NULL",
        ((run, ordinal, RowState.INVALID.value) for ordinal in ordinals),
    )


@contextmanager
def attached(database: Database, journal: Path) -> Iterator[Earlier]:
    """Have another journal at hand, to be read and left as it is.

    Args:
        journal: a workspace's, whose secret this run's keys were made with.

    Returns:
        All its customers, wherever they are; none where it is of a format that knows no likenesses.
    """
    where: Where = "earlier"
    with database.guarded("compared with earlier runs"):
        database.connection.execute(f"ATTACH ? AS {where}", (f"{journal.absolute().as_uri()}?mode=ro",))
    try:
        with database.guarded("compared with earlier runs"):
            (version,) = database.connection.execute(f"PRAGMA {where}.user_version").fetchone()
            found = database.connection.execute(f"SELECT DISTINCT scope FROM {where}.runs").fetchall()
        yield Earlier(where, [scope for (scope,) in found] if version >= _WITH_LIKENESSES else [])
    finally:
        with database.guarded("compared with earlier runs"):
            database.connection.execute(f"DETACH {where}")
