"""A night: every file that arrived in a folder becomes a run, and goes where it belongs.

The rules of nights (what is complete, the hours, what notifications say) are the room `nightly`; here they and the runs
are put together: `night` is the order of its files, `arrivals` one file's way, `night_forecast` and `metrics` what is
foreseen and counted.
"""

from __future__ import annotations

from importer.night.night import Night, alarm

__all__ = ["Night", "alarm"]
