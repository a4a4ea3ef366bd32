"""One run under observation: its log, its metrics, its trace, and one sink for them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol

from importer.core.events import Event
from importer.core.ports import Events
from importer.observe.event_log import EventLog
from importer.observe.logs import bugs_logged, configure, run_context
from importer.observe.sinks import FanOut
from importer.profile.operating import LogSettings, MetricsSettings, OtelSettings


def require_libraries(metrics: MetricsSettings, otel: OtelSettings) -> None:
    """Refuse settings whose library is not installed, before a run begins.

    Raises:
        UsageError: it is not installed.
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
        The sink that takes its events.

    Raises:
        StorageError: the log file cannot be opened.
        UsageError: metrics or a trace were asked for, and their library is not installed.
    """
    with ExitStack() as stack:
        stack.enter_context(
            configure(run_dir, run_id=run_id, format=settings.format, level=settings.level, quiet=quiet)
        )
        stack.enter_context(run_context(run_id))
        sinks: list[Events] = [EventLog()]
        if metrics.wanted:
            from importer.observe.metrics import metered  # noqa: PLC0415  # an optional library

            sinks.append(stack.enter_context(metered(metrics, target)))
        if otel.enabled:
            from importer.observe.tracing import traced  # noqa: PLC0415  # an optional library

            sinks.append(stack.enter_context(traced(run_id, target)))
        stack.enter_context(bugs_logged())
        yield FanOut(*sinks)


def count_refused(metrics: MetricsSettings, target: str, exit_code: int) -> None:
    """Show the exit code of a run that was refused before it began, where metrics were asked for."""
    if metrics.wanted:
        from importer.observe.metrics import metered  # noqa: PLC0415  # an optional library

        with metered(metrics, target) as numbers:
            numbers.refused(exit_code)


class InboxCounter(Protocol):
    """Counts what happens in an inbox; does nothing where metrics are off."""

    def __call__(self, event: Event, /) -> None:
        """Count one event of a run."""

    def file_ended(self, exit_code: int) -> None:
        """A file was tried, with or without a run."""

    def pass_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None:
        """A pass is over; `files` holds counts by outcome, every outcome named."""

    def looked(self) -> None:
        """A watched folder was polled, and it was empty."""


class _Uncounted:
    """Metrics are off."""

    def __call__(self, event: Event, /) -> None: ...

    def file_ended(self, exit_code: int) -> None: ...

    def pass_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None: ...

    def looked(self) -> None: ...


UNCOUNTED: InboxCounter = _Uncounted()


@contextmanager
def observed_inbox(
    metrics: MetricsSettings, target: str, log: LogSettings, *, quiet: bool = False
) -> Iterator[InboxCounter]:
    """Count an inbox where that was asked for: one textfile and one port for all its runs.

    Raises:
        UsageError: metrics were asked for, and their library is not installed.
    """
    if not metrics.wanted:
        yield UNCOUNTED
        return
    from importer.observe.metrics import metered_inbox  # noqa: PLC0415  # an optional library

    with metered_inbox(metrics, target, log, quiet=quiet) as numbers:
        yield numbers
