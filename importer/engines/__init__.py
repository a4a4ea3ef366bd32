"""Many records at once. Knows no HTTP, no journal, no retry."""

from __future__ import annotations

from importer.engines.asyncio_pool import AsyncioPool, Room
from importer.engines.process_pool import ProcessPool, SharedChecker, cores

__all__ = ["AsyncioPool", "ProcessPool", "Room", "SharedChecker", "cores"]
