"""Profile becomes pipeline: the only package that names the concrete classes of every other one. Runs nothing.

Each module opens or puts together one thing: the clock, the workspace, where customers go and the connection to it,
the source, and the parts of checking and of sending. The last three know every package that handles rows, and are
imported from their modules (`sources`, `checking`, `sending`): commands without rows need not load them.
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
from importer.runs.wiring.target import EMULATOR_STORE, open_target
from importer.runs.wiring.workspace import (
    Workspace,
    accept_journal,
    carry_journal,
    make_directory,
    open_workspace,
    settle_journal,
)

__all__ = [
    "EMULATOR_STORE",
    "Destination",
    "SystemClock",
    "Workspace",
    "accept_journal",
    "as_patient_as_needed",
    "carry_journal",
    "destination",
    "make_directory",
    "open_target",
    "open_workspace",
    "rehearsed_again",
    "rehearsing",
    "settle_journal",
]
