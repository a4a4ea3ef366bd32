"""One run under observation: its log, its id bound to every entry, and the listener that writes its events there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from importer.observe.event_log import EventLog
from importer.observe.logs import configure, run_context
from importer.profile.settings import LogSettings


@contextmanager
def observed(run_id: str, run_dir: Path, settings: LogSettings, *, quiet: bool = False) -> Iterator[EventLog]:
    """Log into a run's directory while the block lasts.

    Yields:
        The listener that logs events.

    Raises:
        StorageError: the log file cannot be opened.
    """
    with configure(run_dir, format=settings.format, level=settings.level, quiet=quiet), run_context(run_id):
        yield EventLog()
