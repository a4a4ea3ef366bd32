"""A folder of arriving files becomes runs, on this machine or at an address."""

from __future__ import annotations

from importer.inbox.night import Night, alarm

__all__ = ["Night", "alarm"]
