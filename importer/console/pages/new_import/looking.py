"""A large file takes a while to be looked at: what is done, and roughly for how long, is shown meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import TypeVar

from nicegui import ui

from importer.console.layout import PATIENCE_S, card, hint
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.runs.forecast import duration

T = TypeVar("T")
_AT_ONCE_S = 0.7
"""Until then the browser waits for the page as for any other."""
_TEXT = frozenset({".csv", ".tsv", ".txt"})
_TEXT_BYTES_PER_S = 8e6
_PACKED_BYTES_PER_S = 1e6
"""Of workbooks and packed texts; both measured on two slow processors."""
_ROUNDED_TO_S = 5


async def looked_at(file: Path, look: Callable[[], T]) -> T:
    """Return what a look at a file finds; errors as of the look.

    Args:
        look: reads the file, beside the event loop.
    """
    work = asyncio.ensure_future(beside_the_loop(look))
    await asyncio.wait([work], timeout=_AT_ONCE_S)
    if work.done():
        return await work
    with ui.element("div") as notice:
        _notice(file)
    client = ui.context.client
    with suppress(TimeoutError):  # whoever never connects is forgotten by the server
        await client.connected(timeout=PATIENCE_S)
    try:
        return await work
    finally:
        if client.is_deleted:
            raise asyncio.CancelledError  # nobody looks at the page any more: there is nothing to draw it on
        notice.delete()


def _notice(file: Path) -> None:
    with card(t("looking.title"), role="status"):
        ui.label(t("looking.what"))
        hint(t("looking.how_long", about=about(file.suffix, file.stat().st_size)))
        ui.linear_progress(show_value=False).props(f'indeterminate aria-label="{t("looking.title")}"')


def about(suffix: str, size_bytes: int) -> str:
    """Roughly how long it takes to read a file, for people."""
    speed = _TEXT_BYTES_PER_S if suffix.lower() in _TEXT else _PACKED_BYTES_PER_S
    return duration(_ROUNDED_TO_S * ceil(size_bytes / speed / _ROUNDED_TO_S))
