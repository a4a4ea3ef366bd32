"""Profile becomes pipeline: the only room that names every other room's concrete classes. Runs nothing.

Each module opens or puts together one thing: the clock, the workspace, where customers go and the connection to it,
the source, and the stages between them.
"""

from __future__ import annotations

from importer.runs.wiring.clock import SystemClock
from importer.runs.wiring.destinations import (
    Destination,
    as_patient_as_needed,
    destination,
    rehearsed_again,
    rehearsing,
)
from importer.runs.wiring.sources import LocalSource, Opened, on_disk, opened
from importer.runs.wiring.stages import Delivering, comparison, delivering, limiter_for, merging_of, preparation
from importer.runs.wiring.target import EMULATOR_STORE, other_side
from importer.runs.wiring.workspace import Workspace, accept_journal, make_directory, open_workspace

__all__ = [
    "EMULATOR_STORE",
    "Delivering",
    "Destination",
    "LocalSource",
    "Opened",
    "SystemClock",
    "Workspace",
    "accept_journal",
    "as_patient_as_needed",
    "comparison",
    "delivering",
    "destination",
    "limiter_for",
    "make_directory",
    "merging_of",
    "on_disk",
    "open_workspace",
    "opened",
    "other_side",
    "preparation",
    "rehearsed_again",
    "rehearsing",
]
