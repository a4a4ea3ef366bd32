"""Logs, redaction, progress, metrics, traces: sinks of events, never asked for a decision.

Nothing in this package may block a run, stop it, or let a customer's data or a secret out.
"""

from importer.observe.logs import LOG_NAME, configure, row_context, run_context
from importer.observe.observed import (
    UNCOUNTED,
    InboxCounter,
    count_refused,
    observed,
    observed_inbox,
    require_libraries,
)
from importer.observe.progress import progress
from importer.observe.sinks import FanOut

__all__ = [
    "LOG_NAME",
    "UNCOUNTED",
    "FanOut",
    "InboxCounter",
    "configure",
    "count_refused",
    "observed",
    "observed_inbox",
    "progress",
    "require_libraries",
    "row_context",
    "run_context",
]
