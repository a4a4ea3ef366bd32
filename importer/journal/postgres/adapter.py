"""Everything that `importer.journal.opening` asks of this adapter, and a look at a journal without working with it."""

from __future__ import annotations

from contextlib import closing

from importer.core.contract import Identity
from importer.journal.location import Location
from importer.journal.postgres.access import examine_access
from importer.journal.postgres.copying import copy_drafts, copy_journal
from importer.journal.postgres.database import PostgresDatabase, lend
from importer.journal.postgres.leases import PostgresLocks
from importer.journal.postgres.migrations import FORMAT, version_of
from importer.journal.postgres.secret import known_secret, team_secret
from importer.journal.runs import JournalFacts
from importer.journal.sql.old_keys import has_old_keys
from importer.journal.sql.runs import newest_run

__all__ = [
    "PostgresDatabase",
    "PostgresLocks",
    "compares_bodies",
    "copy_drafts",
    "copy_journal",
    "examine_access",
    "examine_journal",
    "known_secret",
    "lend",
    "team_secret",
]


def examine_journal(location: Location) -> JournalFacts:
    """Look at the format of a journal, and at its newest run.

    Raises:
        JournalError: it cannot be reached.
    """
    with closing(PostgresDatabase(location, writes=False)) as database, database.guarded("read"):
        version = version_of(database.connection)
        return JournalFacts(version, FORMAT, "", *(newest_run(database.connection) or ()))


def compares_bodies(location: Location, identity: Identity) -> bool:
    """Whether a journal has keys of an earlier rule, or of another secret."""
    with closing(PostgresDatabase(location, writes=False)) as database, database.guarded("read"):
        return has_old_keys(database.connection, identity) or bool(database.carried().secrets)
