"""The durable truth: what was read, what was checked, what was sent, and how it ended.

Everything that a person reads is rendered from here. This room opens one SQLite file and one lock;
it never decides about a customer and never speaks to a server.
"""

from __future__ import annotations

from importer.journal.claims import Claims
from importer.journal.database import Database
from importer.journal.group_commit import GroupCommit, RunJournal
from importer.journal.intake import RunIntake
from importer.journal.lock import workspace_lock
from importer.journal.replay import ChangeTotal, Replay
from importer.journal.runs import FINISHED, LOADING, READY, RUNNING, STOPPED, Ahead, RunHeader, Runs, StoredRun
from importer.journal.secret import SECRET_BYTES, has_secret, workspace_secret

__all__ = [
    "FINISHED",
    "LOADING",
    "READY",
    "RUNNING",
    "SECRET_BYTES",
    "STOPPED",
    "Ahead",
    "ChangeTotal",
    "Claims",
    "Database",
    "GroupCommit",
    "Replay",
    "RunHeader",
    "RunIntake",
    "RunJournal",
    "Runs",
    "StoredRun",
    "has_secret",
    "workspace_lock",
    "workspace_secret",
]
