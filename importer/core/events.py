"""What happens in a run, for whoever listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for listeners: logs, progress, metrics. Never asked for a decision, never a value.

    Args:
        name: `run_started`, `batch_read`, `batch_checked`, `row_settled`, `request_done`, `paused`, `run_ended`, …
        data: numbers, codes and ids only.
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
