"""Many records at once. Knows no HTTP, no journal, no retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from importer.core.ports import Engine
from importer.engines.asyncio_pool import AsyncioPool, Room
from importer.engines.checking import SharedChecker
from importer.engines.inline import Inline
from importer.engines.process_pool import ProcessPool, cores


def _inline(_: int, _room: Room | None = None) -> Engine:
    return Inline()


class EngineMaker(Protocol):
    """Makes an engine."""

    def __call__(self, workers: int, room: Room | None = None, /) -> Engine:
        """Take the number of records it may work on at once, and who says when there is need of another."""
        ...


ENGINES: Mapping[str, EngineMaker] = {"asyncio": AsyncioPool, "inline": _inline}
"""Engine by name."""

__all__ = ["ENGINES", "AsyncioPool", "Inline", "ProcessPool", "Room", "SharedChecker", "cores"]
