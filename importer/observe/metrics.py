"""Metrics for Prometheus: a textfile for the node exporter, and a `/metrics` port while a run or an inbox is at work.

Labels are states, kinds of request, verdicts and HTTP statuses; never a file's name, a row or a value. An error here is
logged once and stops nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from importer.core.distribution import how_to_install
from importer.core.errors import ImporterError, UsageError
from importer.core.events import Event
from importer.observe.logs import configure
from importer.observe.sinks import Data, Sink
from importer.profile.operating import LogSettings, MetricsSettings

try:
    import prometheus_client as prometheus

    from importer.observe.persistent_gauges import PersistentGauges
except ModuleNotFoundError as missing:
    raise UsageError(
        "The profile asks for [metrics], and their library is not installed.", how_to_install("metrics")
    ) from missing

_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class RunMetrics(Sink):
    """A sink that counts what happens in a run.

    Args:
        target: the target's name in the profile; a label of every metric.
    """

    def __init__(self, target: str) -> None:
        self.registry = prometheus.CollectorRegistry()
        self._target = target
        self._rows = self._counter("rows_settled", "Rows by the state they ended in, this run.", "state")
        self._read = self._counter("rows_read", "Rows read from the source, this run.").labels(target)
        self._steps = self._counter(
            "steps", "Steps after the creates by the state they came to, this run.", "step", "state"
        )
        self._requests = self._counter("requests", "Requests made, this run.", "kind", "verdict", "status")
        self._pauses = self._counter("pauses", "Times the target asked to slow down, this run.").labels(target)
        self._seconds = prometheus.Histogram(
            "importer_request_duration_seconds",
            "From a request's first step to the end of its answer.",
            ("target", "kind"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        running = "importer_run_in_progress"
        self._running = prometheus.Gauge(running, "1 while a run is at work.", ("target",), registry=self.registry)
        self.last = PersistentGauges(self.registry, target)
        self._works(1)

    def refused(self, exit_code: int) -> None:
        """The run ended without counts."""
        self.last.run_ended(exit_code)

    def over(self) -> None:
        """The run is over."""
        self._works(0)

    def _works(self, runs: int) -> None:
        self._running.labels(self._target).set(runs)

    def on_batch_loaded(self, data: Data) -> None:
        self._read.inc(data.get("rows", 0))

    def on_batch_checked(self, data: Data) -> None:
        self._rows.labels(self._target, "invalid").inc(data.get("invalid", 0))

    def on_row_settled(self, data: Data) -> None:
        self._rows.labels(self._target, data.get("state", "")).inc()

    def on_step_settled(self, data: Data) -> None:
        self._steps.labels(self._target, data["step"], data["state"]).inc()

    def on_following(self, data: Data) -> None:
        self.last.steps_left(data["open"])

    def on_request_done(self, data: Data) -> None:
        status = str(data.get("status") or "none")
        self._requests.labels(self._target, data["kind"], data["verdict"], status).inc()
        self._seconds.labels(self._target, data["kind"]).observe(data["duration_s"])

    def on_paused(self, _: Data) -> None:
        self._pauses.inc()

    def on_run_started(self, _: Data) -> None:
        self._works(1)

    def on_delivery_started(self, _: Data) -> None:
        self._works(1)

    def on_run_ended(self, data: Data) -> None:
        self.last.run_counted(data["counts"], data["elapsed_s"])
        self.last.steps_left(data.get("open", 0))
        self.last.run_ended(data["exit_code"])

    def _counter(self, name: str, text: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(f"importer_{name}", text, ("target", *labels), registry=self.registry)


class InboxMetrics:
    """A sink that counts what happens in the runs of an inbox, and its passes.

    A pass without a run has metrics, too: that no file came, or that none could be used, is worth an alert.

    Args:
        target: the target's name in the profile; a label of every metric.
    """

    def __init__(self, target: str) -> None:
        self.runs = RunMetrics(target)
        self.runs.over()
        self._has_ended = False

    def __call__(self, event: Event) -> None:
        """Count one event."""
        self._has_ended = self._has_ended or event.name == "run_ended"
        self.runs(event)

    def file_ended(self, exit_code: int) -> None:
        """A file was tried; one whose run could not begin has ended, too."""
        if not self._has_ended:
            self.runs.refused(exit_code)
        self._has_ended = False
        self.runs.over()

    def pass_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None:
        """A pass is over.

        Args:
            files: counts by outcome; every outcome is named.
        """
        self.runs.last.pass_ended(exit_code, files, elapsed_s)

    def looked(self) -> None:
        """A watched folder was polled, and it was empty."""
        self.runs.last.looked()


@contextmanager
def metered(settings: MetricsSettings, target: str) -> Iterator[RunMetrics]:
    """Count while the block lasts, and publish the metrics where the settings say.

    Yields:
        The sink that counts.
    """
    metrics = RunMetrics(target)
    with _published(settings, metrics):
        try:
            yield metrics
        except ImporterError as error:
            metrics.refused(error.exit_code)
            raise
        finally:
            metrics.over()


@contextmanager
def metered_inbox(
    settings: MetricsSettings, target: str, log: LogSettings, *, quiet: bool = False
) -> Iterator[InboxMetrics]:
    """Count an inbox while the block lasts, and publish the metrics where the settings say.

    Args:
        log: for the warning that they cannot be published; between two runs nothing else logs.

    Yields:
        The sink that counts.
    """
    metrics = InboxMetrics(target)
    with ExitStack() as stack:
        with configure(format=log.format, level=log.level, quiet=quiet):
            stack.enter_context(_published(settings, metrics.runs))
        try:
            yield metrics
        finally:
            with configure(format=log.format, level=log.level, quiet=quiet):
                stack.close()


@contextmanager
def _published(settings: MetricsSettings, metrics: RunMetrics) -> Iterator[None]:
    """Serve and write the metrics where the settings say, while the block lasts."""
    with ExitStack() as stack:
        if settings.textfile is not None:
            metrics.last.recall(settings.textfile)
        if settings.port is not None:
            stack.enter_context(_served(metrics, settings.address, settings.port))
        if settings.textfile is not None:
            stack.enter_context(_written(metrics, settings.textfile, settings.every_s))
        yield


@contextmanager
def _served(metrics: RunMetrics, address: str, port: int) -> Iterator[None]:
    try:
        server, thread = prometheus.start_http_server(port, address, metrics.registry)
    except OSError as error:
        _warn("metrics_not_served", error)
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _written(metrics: RunMetrics, path: Path, every_s: float) -> Iterator[None]:
    """Write at intervals from a thread, and once more at the end."""
    over = threading.Event()

    def write_at_intervals() -> None:
        while not over.wait(every_s):
            _write(metrics, path)

    _write(metrics, path)
    writer = threading.Thread(target=write_at_intervals, name="metrics", daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
        _write(metrics, path)


def _write(metrics: RunMetrics, path: Path) -> None:
    try:
        prometheus.write_to_textfile(str(path), metrics.registry)
    except OSError as error:
        _warn("metrics_not_written", error)


def _warn(what: str, error: OSError) -> None:
    """Log it, unless logging is off: between two runs of an inbox the library would print to standard output."""
    if structlog.is_configured():
        structlog.stdlib.get_logger("importer.metrics").warning(what, errno=error.errno)
