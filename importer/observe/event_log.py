"""Events become log entries. Only known keys of known kinds pass: no value reaches a log by way of an event."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import structlog

from importer.core.events import Event

_LEVELS: Mapping[str, int] = MappingProxyType(
    {
        "batch_loaded": logging.DEBUG,
        "batch_checked": logging.DEBUG,
        "row_settled": logging.DEBUG,
        "step_settled": logging.DEBUG,
        "undo_looked": logging.DEBUG,
        "results_written": logging.DEBUG,
        "request_done": logging.DEBUG,
        "paused": logging.WARNING,
        "breaker_opened": logging.WARNING,
        "stopping": logging.WARNING,
        "drain_timeout": logging.WARNING,
    }
)
_FINE = frozenset({"created", "existing", "accept", "done", "submitted"})
_NUMBERS = frozenset(
    {"rows", "row", "ordinal", "invalid", "total", "already_done", "attempts", "attempt", "http_status", "exit_code"}
    | {"requests", "known", "workers", "rate_per_s", "needed_per_s", "quota_share", "in_time"}
    | {"duration_s", "elapsed_s", "elapsed_seconds", "seconds", "in_flight", "per_s", "open", "until", "ago_s"}
)
_WORDS = frozenset(
    {"state", "kind", "status", "verdict", "reason", "code", "error_code", "dry_run", "stage", "step", "outcome"}
)
_COUNTS = frozenset({"counts", "steps"})
_NAMES = frozenset({"run_id", "source", "target", "trace_id", "worker"})
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class EventLog:
    """A sink that logs every event under its name."""

    def __init__(self) -> None:
        self._stdlib = logging.getLogger("importer.events")
        self._log = structlog.stdlib.get_logger("importer.events")

    def __call__(self, event: Event) -> None:
        """Log one event; rows and requests without an error are logged at `debug` only."""
        level = _LEVELS.get(event.name, logging.INFO)
        if level == logging.DEBUG and not _is_fine(event.data):
            level = logging.INFO
        if self._stdlib.isEnabledFor(level):
            self._log.log(level, event.name, **_harmless(event.data))


def _is_fine(data: Mapping[str, Any]) -> bool:
    verdict = data.get("state", data.get("verdict", "accept"))
    return str(verdict) in _FINE


def _harmless(data: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if key in _NUMBERS | _WORDS and isinstance(value, int | float | None):
            kept[key] = value
        elif (key in _WORDS and _WORD.fullmatch(str(value))) or key in _NAMES:
            kept[key] = str(value)
        elif key in _COUNTS and isinstance(value, Mapping):
            kept[key] = {str(state): int(count) for state, count in value.items()}
    return kept
