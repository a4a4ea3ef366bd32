"""The interfaces between the packages. Protocols of one to three methods, no code.

Synchronous ports may block (they run off the event loop); asynchronous ones never do. Errors are
stated here once; implementations stay silent about them.
"""

from __future__ import annotations

from importer.core.ports.delivery import Clock, Deliver, Engine, Events, Limiter, Settle, Slot, Stop, Take, Work
from importer.core.ports.journal import Claims, Intake, Memory, ResentRows, StepClaims
from importer.core.ports.reading import BatchChecker, Duplicates, Mapper, Numbers, Reader, Validator
from importer.core.ports.target import (
    Checker,
    Files,
    Finder,
    FollowUps,
    Lister,
    Recognition,
    ShowsAdditions,
    TakesFiles,
    Target,
    Timekeeper,
    Verifies,
)

__all__ = [
    "BatchChecker",
    "Checker",
    "Claims",
    "Clock",
    "Deliver",
    "Duplicates",
    "Engine",
    "Events",
    "Files",
    "Finder",
    "FollowUps",
    "Intake",
    "Limiter",
    "Lister",
    "Mapper",
    "Memory",
    "Numbers",
    "Reader",
    "Recognition",
    "ResentRows",
    "Settle",
    "ShowsAdditions",
    "Slot",
    "StepClaims",
    "Stop",
    "Take",
    "TakesFiles",
    "Target",
    "Timekeeper",
    "Validator",
    "Verifies",
    "Work",
]
