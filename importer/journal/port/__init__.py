"""What the rest of the program needs of a journal, whatever keeps it. Protocols; errors are stated here once.

A follow-up step of a row, and a draft that a person works on, will be entries of their own beside receipts and places;
locks and the ledger of request starts will be leases and shares where several hosts work on one journal.
"""

from __future__ import annotations

from importer.journal.port.delivery import RateLedger, RunBlocking, RunDelivery, RunToSend
from importer.journal.port.journal import Accounts, Journal, Places, Purging, Receipts
from importer.journal.port.locks import Locks
from importer.journal.port.rows import Replay, Returns, RunIntake, RunRows
from importer.journal.port.runs import EarlierRuns, Runs

__all__ = [
    "Accounts",
    "EarlierRuns",
    "Journal",
    "Locks",
    "Places",
    "Purging",
    "RateLedger",
    "Receipts",
    "Replay",
    "Returns",
    "RunBlocking",
    "RunDelivery",
    "RunIntake",
    "RunRows",
    "RunToSend",
    "Runs",
]
