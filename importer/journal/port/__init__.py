"""What the rest of the program needs of a journal, whatever keeps it. Protocols; errors are stated here once.

Drafts are kept apart from runs: a draft is changed while a run holds the journal. Locks are leases where several hosts
work on one journal.
"""

from __future__ import annotations

from importer.journal.port.delivery import CHARGED_FOR_S, RateLedger, RunBlocking, RunDelivery, RunToSend
from importer.journal.port.drafts import Drafts
from importer.journal.port.journal import Accounts, Files, Journal, Places, Purging, Receipts
from importer.journal.port.locks import Locks
from importer.journal.port.lots import Message, RunLots
from importer.journal.port.rows import Replay, Returns, RunIntake, RunRows
from importer.journal.port.runs import EarlierRuns, Runs
from importer.journal.port.shared_state import LedgerTime, SharedState
from importer.journal.port.steps import BodyOfRow, RunSteps

__all__ = [
    "CHARGED_FOR_S",
    "Accounts",
    "BodyOfRow",
    "Drafts",
    "EarlierRuns",
    "Files",
    "Journal",
    "LedgerTime",
    "Locks",
    "Message",
    "Places",
    "Purging",
    "RateLedger",
    "Receipts",
    "Replay",
    "Returns",
    "RunBlocking",
    "RunDelivery",
    "RunIntake",
    "RunLots",
    "RunRows",
    "RunSteps",
    "RunToSend",
    "Runs",
    "SharedState",
]
