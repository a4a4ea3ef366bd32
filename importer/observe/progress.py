"""How far a run is, on standard error: a live line on a terminal, a plain line every few seconds elsewhere.

Never slows a run: events only change numbers. The live line is drawn by its own thread a few times a
second, so a slow terminal delays nothing else.

The bar and the live line are rich's. Its columns are not used: the text is the same as on the plain lines, which are
made without importing rich (65 ms).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from importer.core.events import Event
from importer.observe.tally import FOLLOWING, Tally

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PLAIN_LINE_EVERY_S = 5.0
_PLAIN_NEWS_EVERY_S = 1.0
_FOLLOWING_LINE_EVERY_S = 60.0
"""Outcomes may take hours."""
_REDRAWS_PER_S = 5.0
_BAR_WIDTH = 24
_WIDE_ENOUGH_FOR_A_BAR = 80
_WELL = "green"
"""The library's own colour of a bar is red, which people read as an error."""

Seconds = Callable[[], float]


class Progress(Protocol):
    """A sink that shows progress between `with` and its end."""

    def __call__(self, event: Event) -> None:
        """Take one event; never blocks on a terminal and never raises for one."""
        ...

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the terminal."""
        ...


def progress(
    *,
    quiet: bool = False,
    stream: TextIO | None = None,
    monotonic: Seconds = time.monotonic,
    now: Seconds | None = None,
) -> Progress:
    """Choose how to show progress.

    Args:
        quiet: show nothing.
        stream: standard error when None.
        monotonic: seconds that never go backwards.
        now: seconds since the epoch; None: how long outcomes are waited for is not shown.
    """
    stream = stream or sys.stderr
    if quiet:
        return NoProgress()
    if stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}:
        return LiveProgress(stream, monotonic, now)
    return PlainProgress(stream, monotonic, now)


class NoProgress:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        """Ignore the event."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class PlainProgress:
    """One line of text every few seconds, for files, pipes and terminals without cursor control."""

    def __init__(self, stream: TextIO, monotonic: Seconds, now: Seconds | None = None) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._tally = Tally(monotonic, now)
        self._shown_at = monotonic()

    def __call__(self, event: Event) -> None:
        """Print a line when the last one is old enough; after a pause or a stop sooner."""
        self._tally(event)
        now = self._monotonic()
        if event.name in {"paused", "stopping"}:
            wait = _PLAIN_NEWS_EVERY_S
        else:
            wait = _FOLLOWING_LINE_EVERY_S if self._tally.phase == FOLLOWING else PLAIN_LINE_EVERY_S
        if now - self._shown_at >= wait:
            self._shown_at = now
            self._print(self._tally.line())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def _print(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._shown_at = float("inf")  # there is no reader any more


class LiveProgress:
    """One line that changes in place. Honours NO_COLOR and the terminal's width; gone when the run is over."""

    def __init__(self, stream: TextIO, monotonic: Seconds, now: Seconds | None = None) -> None:
        from rich.live import Live  # noqa: PLC0415  (slow to import, and needed on a terminal only)

        self._tally = Tally(monotonic, now)
        self._console = _console_of(stream)
        self._live = Live(
            console=self._console,
            refresh_per_second=_REDRAWS_PER_S,
            transient=True,
            redirect_stdout=False,
            get_renderable=self._drawn,
        )

    def __call__(self, event: Event) -> None:
        """Change the numbers; the line is drawn elsewhere."""
        self._tally(event)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def redraw(self) -> None:
        """Draw now."""
        self._live.refresh()

    def _drawn(self) -> RenderableType:
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Column, Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        # One column is left free: a terminal that wraps after its last column would make two lines of one.
        width = max(self._console.width - 1, 1)
        text = Text(self._tally.line(), no_wrap=True, overflow="ellipsis", end="")
        if width < _WIDE_ENOUGH_FOR_A_BAR or not self._tally.total:
            text.truncate(width, overflow="ellipsis")
            return text
        text.truncate(width - _BAR_WIDTH - 1, overflow="ellipsis")
        bar = ProgressBar(
            self._tally.total,
            self._tally.done,
            width=_BAR_WIDTH,
            pulse=self._tally.is_finishing,
            complete_style=_WELL,
            finished_style=_WELL,
            pulse_style=_WELL,
        )
        row = Table.grid(Column(width=_BAR_WIDTH), Column(no_wrap=True), padding=(0, 1, 0, 0))
        row.add_row(bar, text)
        return row


def _console_of(stream: TextIO) -> Console:
    """A console as wide as the terminal behind `stream`, independent of other terminals and variables."""
    from rich.console import Console, ConsoleDimensions  # noqa: PLC0415

    class StreamConsole(Console):
        @property  # type: ignore[misc]  # the library's setter has no use here
        def size(self) -> ConsoleDimensions:
            try:
                columns, lines = os.get_terminal_size(stream.fileno())
            except (OSError, ValueError):  # it was closed, or is not a terminal
                columns = lines = 0
            return ConsoleDimensions(columns, lines) if columns and lines else super().size

    return StreamConsole(file=stream, highlight=False, soft_wrap=True)
