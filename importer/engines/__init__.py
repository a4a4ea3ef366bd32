"""Many records at once. Knows no HTTP, no journal, no retry."""

from __future__ import annotations

from importer.engines.asyncio_pool import AsyncioPool, Room
from importer.engines.checking import Pool, SharedChecker
from importer.engines.process_pool import ALONE, ProcessPool, cores

__all__ = ["ALONE", "AsyncioPool", "Pool", "ProcessPool", "Room", "SharedChecker", "cores"]
