"""The durable truth: what was read, what was checked, what was sent, and how it ended.

Everything that a person reads is rendered from here. The rest of the program obtains a journal by `open_journal` and
speaks to its port (`importer.journal.port`); the adapter behind it is not visible. This package never decides
about a customer and never speaks to a server.
"""

from __future__ import annotations

from importer.journal.entries import AccountMatch, AccountUsed, ChangeTotal, Place, StoredReceipt
from importer.journal.facts import (
    UPDATE_JOB,
    AfterCreateFacts,
    AllPasses,
    CanaryFacts,
    ForecastFacts,
    LearnedFacts,
    PlanFacts,
    RateReceipt,
    RefusedLines,
    RehearsalFacts,
    ReturnFacts,
    RunFacts,
    SourceFacts,
    VerificationFacts,
)
from importer.journal.location import Location
from importer.journal.matching import Comparison, Merging
from importer.journal.opening import (
    backups,
    examine_journal,
    locks_of,
    open_journal,
    remembers_old_keys,
    starts_in,
)
from importer.journal.port import (
    Accounts,
    BodyOfRow,
    EarlierRuns,
    Journal,
    Locks,
    RateLedger,
    Replay,
    Returns,
    RunDelivery,
    RunIntake,
    RunRows,
    Runs,
    RunSteps,
    RunToSend,
)
from importer.journal.revisions import IssueChange, ProfileNow, Revision
from importer.journal.runs import (
    FINISHED,
    LOADING,
    RUNNING,
    STOPPED,
    Ahead,
    JournalFacts,
    KnownFrom,
    Purgeable,
    RunHeader,
    RunStatistics,
    StoredRun,
)
from importer.journal.scopes import same_server
from importer.journal.secret import SECRET_BYTES, check_memory, has_secret, workspace_secret

__all__ = [
    "FINISHED",
    "LOADING",
    "RUNNING",
    "SECRET_BYTES",
    "STOPPED",
    "UPDATE_JOB",
    "AccountMatch",
    "AccountUsed",
    "Accounts",
    "AfterCreateFacts",
    "Ahead",
    "AllPasses",
    "BodyOfRow",
    "CanaryFacts",
    "ChangeTotal",
    "Comparison",
    "EarlierRuns",
    "ForecastFacts",
    "IssueChange",
    "Journal",
    "JournalFacts",
    "KnownFrom",
    "LearnedFacts",
    "Location",
    "Locks",
    "Merging",
    "Place",
    "PlanFacts",
    "ProfileNow",
    "Purgeable",
    "RateLedger",
    "RateReceipt",
    "RefusedLines",
    "RehearsalFacts",
    "Replay",
    "ReturnFacts",
    "Returns",
    "Revision",
    "RunDelivery",
    "RunFacts",
    "RunHeader",
    "RunIntake",
    "RunRows",
    "RunStatistics",
    "RunSteps",
    "RunToSend",
    "Runs",
    "SourceFacts",
    "StoredReceipt",
    "StoredRun",
    "VerificationFacts",
    "backups",
    "check_memory",
    "examine_journal",
    "has_secret",
    "locks_of",
    "open_journal",
    "remembers_old_keys",
    "same_server",
    "starts_in",
    "workspace_secret",
]
