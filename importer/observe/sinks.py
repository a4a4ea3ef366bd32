"""Sinks of events: one method for each kind of event, and several sinks as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importer.core.events import Event
from importer.core.ports import Events

Data = Mapping[str, Any]
"""The data of an event."""


class Sink:
    """Takes each event by the method `on_` with its name, and ignores those that it has no method for."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        take = getattr(self, f"on_{event.name}", None)
        if take is not None:
            take(event.data)


class FanOut:
    """Gives every event to several sinks, in their order."""

    def __init__(self, *sinks: Events) -> None:
        self._sinks = sinks

    def __call__(self, event: Event) -> None:
        """Give an event to all of them."""
        for sink in self._sinks:
            sink(event)
