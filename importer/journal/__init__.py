"""The durable truth: what was read, what was checked, what was sent, and how it ended.

Everything that a person reads is rendered from here. This room opens one SQLite file and one lock;
it never decides about a customer and never speaks to a server.
"""

from __future__ import annotations

from importer.journal.sqlite.accounts import Accounts, AccountUsed, Whose
from importer.journal.sqlite.claims import Claims
from importer.journal.sqlite.comparing import Comparison
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.group_commit import GroupCommit, RunJournal
from importer.journal.sqlite.groups import Merging
from importer.journal.sqlite.inspection import JournalFacts, examine_journal, starts_in
from importer.journal.sqlite.intake import RunIntake
from importer.journal.sqlite.lock import held_since, lock_owner, workspace_lock
from importer.journal.sqlite.migrations import SCHEMA_VERSION, backups
from importer.journal.sqlite.old_keys import remembers_old_keys
from importer.journal.sqlite.places import Place, add_place, drop_places, places_before, places_of
from importer.journal.sqlite.purging import Purgeable, purge_rows, purgeable, scopes, wipe
from importer.journal.sqlite.receipts import StoredReceipt, add_receipt, all_receipts, receipt_of, rows_digest
from importer.journal.sqlite.replay import ChangeTotal, Replay
from importer.journal.sqlite.resent import has_resent, runs_with_resent
from importer.journal.sqlite.returns import ProfileNow, Returns, Revision, RunRows, Said
from importer.journal.sqlite.run_statistics import Experience, experience
from importer.journal.sqlite.runs import (
    FINISHED,
    LOADING,
    READY,
    RUNNING,
    STOPPED,
    Ahead,
    KnownFrom,
    RunHeader,
    Runs,
    StoredRun,
)
from importer.journal.sqlite.scopes import same_server
from importer.journal.sqlite.secret import SECRET_BYTES, check_memory, has_secret, workspace_secret
from importer.journal.sqlite.starts import Starts

__all__ = [
    "FINISHED",
    "LOADING",
    "READY",
    "RUNNING",
    "SCHEMA_VERSION",
    "SECRET_BYTES",
    "STOPPED",
    "AccountUsed",
    "Accounts",
    "Ahead",
    "ChangeTotal",
    "Claims",
    "Comparison",
    "Database",
    "Experience",
    "GroupCommit",
    "JournalFacts",
    "KnownFrom",
    "Merging",
    "Place",
    "ProfileNow",
    "Purgeable",
    "Replay",
    "Returns",
    "Revision",
    "RunHeader",
    "RunIntake",
    "RunJournal",
    "RunRows",
    "Runs",
    "Said",
    "Starts",
    "StoredReceipt",
    "StoredRun",
    "Whose",
    "add_place",
    "add_receipt",
    "all_receipts",
    "backups",
    "check_memory",
    "drop_places",
    "examine_journal",
    "experience",
    "has_resent",
    "has_secret",
    "held_since",
    "lock_owner",
    "places_before",
    "places_of",
    "purge_rows",
    "purgeable",
    "receipt_of",
    "remembers_old_keys",
    "rows_digest",
    "runs_with_resent",
    "same_server",
    "scopes",
    "starts_in",
    "wipe",
    "workspace_lock",
    "workspace_secret",
]
