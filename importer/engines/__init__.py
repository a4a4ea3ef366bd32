"""Many records at once. Knows no HTTP, no journal, no retry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from importer.engines.asyncio_pool import AsyncioPool
from importer.engines.checking import SharedChecker
from importer.engines.inline import Inline
from importer.engines.workforce import Workforce, cores
from importer.ports import Engine

ENGINES: Mapping[str, Callable[[int], Engine]] = {"asyncio": AsyncioPool, "inline": lambda _: Inline()}
"""Engine by name; each takes the number of records it may work on at once."""

__all__ = ["ENGINES", "AsyncioPool", "Inline", "SharedChecker", "Workforce", "cores"]
