"""One run under observation: its log, its numbers, its trace, and the one listener that feeds them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol

from importer.core.events import Event
from importer.core.ports import Events
from importer.observe.event_log import EventLog
from importer.observe.logs import configure, run_context
from importer.profile.operating import LogSettings, MetricsSettings, OtelSettings


def require_libraries(metrics: MetricsSettings, otel: OtelSettings) -> None:
    """Refuse settings whose library is not installed, before anything of a run exists.

    Raises:
        UsageError: it is not.
    """
    if metrics.wanted:
        import_module("importer.observe.metrics")
    if otel.enabled:
        import_module("importer.observe.tracing")


_NO_METRICS = MetricsSettings()
_NO_OTEL = OtelSettings()


@contextmanager
def observed(
    run_id: str,
    run_dir: Path,
    settings: LogSettings,
    *,
    quiet: bool = False,
    target: str = "",
    metrics: MetricsSettings = _NO_METRICS,
    otel: OtelSettings = _NO_OTEL,
) -> Iterator[Events]:
    """Log into a run's directory while the block lasts; count and trace it where that was asked for.

    Yields:
        The listener.

    Raises:
        StorageError: the log file cannot be opened.
        UsageError: numbers or a trace were asked for, and their library is not installed.
    """
    with ExitStack() as stack:
        stack.enter_context(configure(run_dir, format=settings.format, level=settings.level, quiet=quiet))
        stack.enter_context(run_context(run_id))
        listeners: list[Events] = [EventLog()]
        if metrics.wanted:
            from importer.observe.metrics import metered  # noqa: PLC0415  # an optional library

            listeners.append(stack.enter_context(metered(metrics, target)))
        if otel.enabled:
            from importer.observe.tracing import traced  # noqa: PLC0415  # an optional library

            listeners.append(stack.enter_context(traced(run_id, target)))
        yield listeners[0] if len(listeners) == 1 else _all_of(listeners)


def count_refused(metrics: MetricsSettings, target: str, exit_code: int) -> None:
    """Show the exit code of a run that was refused before anything of it existed, where numbers were asked for."""
    if metrics.wanted:
        from importer.observe.metrics import metered  # noqa: PLC0415  # an optional library

        with metered(metrics, target) as numbers:
            numbers.refused(exit_code)


class NightNumbers(Protocol):
    """Counts what happens in a night; does nothing where nobody wants the numbers."""

    def __call__(self, event: Event, /) -> None:
        """Count one event of a run."""

    def file_ended(self, exit_code: int) -> None:
        """A file was tried, with or without a run."""

    def night_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None:
        """A pass is over; `files` holds how many by what became of them, every fate named."""

    def looked(self) -> None:
        """A watched folder was looked at, and nothing was there."""


class _Uncounted:
    """Nobody wants the numbers."""

    def __call__(self, event: Event, /) -> None: ...

    def file_ended(self, exit_code: int) -> None: ...

    def night_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None: ...

    def looked(self) -> None: ...


UNCOUNTED: NightNumbers = _Uncounted()


@contextmanager
def observed_night(
    metrics: MetricsSettings, target: str, log: LogSettings, *, quiet: bool = False
) -> Iterator[NightNumbers]:
    """Count a whole night where that was asked for: one textfile and one port for all its runs.

    Raises:
        UsageError: numbers were asked for, and their library is not installed.
    """
    if not metrics.wanted:
        yield UNCOUNTED
        return
    from importer.observe.metrics import metered_night  # noqa: PLC0415  # an optional library

    with metered_night(metrics, target, log, quiet=quiet) as numbers:
        yield numbers


def _all_of(listeners: list[Events]) -> Events:
    def observe(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return observe
