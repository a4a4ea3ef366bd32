"""The run for OpenTelemetry: spans `run`, `batch`, `request`, and counters, sent by OTLP over HTTP.

The standard variables (`OTEL_…`) say where to send, how to sample and how to name this service. Attributes
are numbers and codes; never a name, a row's value or an address. Sending never slows or stops a run: what
cannot be sent is dropped. Requests of other workers are spans of the run as well: these workers send none themselves.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from importer.core.distribution import how_to_install
from importer.core.errors import ImporterError, UsageError
from importer.observe.sinks import Data, Sink

try:
    from opentelemetry import metrics as otel_metrics
    from opentelemetry import trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
except ModuleNotFoundError as missing:
    raise UsageError(
        "The profile asks for [otel], and its library is not installed.", how_to_install("otel")
    ) from missing

_NAME = "importer"
_FLUSH_S = 5.0
"""How long the end of a run waits for the collector."""

_NS = 1_000_000_000
_GOOD = frozenset({"accept", "duplicate"})


class RunTrace(Sink):
    """A sink that turns events into spans and counts. Times are of the events, so a span costs nothing while open.

    Args:
        run_id: an attribute of the span `run`.
        target: the target's name in the profile.
        now_ns: nanoseconds since the epoch.
    """

    def __init__(
        self,
        tracers: trace.TracerProvider,
        meters: otel_metrics.MeterProvider,
        *,
        run_id: str,
        target: str,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tracer = tracers.get_tracer(_NAME)
        meter = meters.get_meter(_NAME)
        self._rows = meter.create_counter("importer.rows", unit="{row}", description="Rows by the state they ended in.")
        self._requests = meter.create_counter("importer.requests", unit="{request}")
        self._seconds = meter.create_histogram("importer.request.duration", unit="s")
        self._now_ns = now_ns
        self._target = {"importer.target": target}
        self._last_batch_ns = now_ns()
        attributes = {**self._target, "importer.run_id": run_id}
        self._run = self._tracer.start_span("run", attributes=attributes, start_time=self._last_batch_ns)
        self._inside = trace.set_span_in_context(self._run)

    def refused(self, error: ImporterError) -> None:
        """The run was stopped by an error; its kind is recorded, never its text."""
        self._run.set_attribute("error.type", type(error).__name__)
        self._run.set_attribute("importer.exit_code", int(error.exit_code))
        self._run.set_status(trace.StatusCode.ERROR)

    def over(self) -> None:
        """The run is over."""
        self._run.end(self._now_ns())

    def on_batch_loaded(self, data: Data) -> None:
        self._batch("load", data)

    def on_row_settled(self, data: Data) -> None:
        self._rows.add(1, {**self._target, "state": data["state"]})

    def on_paused(self, data: Data) -> None:
        self._run.add_event("paused", {"seconds": data.get("seconds") or 0.0})

    def on_steps_started(self, data: Data) -> None:
        self._run.add_event("steps_started", {"step": data["step"], "total": data["total"]})

    def on_stopping(self, data: Data) -> None:
        self._run.add_event("stopping", {"reason": str(data.get("reason"))})

    def on_batch_checked(self, data: Data) -> None:
        self._batch("check", data)
        self._rows.add(data.get("invalid", 0), {**self._target, "state": "invalid"})

    def _batch(self, stage: str, data: Data) -> None:
        attributes = {
            "importer.stage": stage,
            "importer.rows": data["rows"],
            "importer.invalid": data.get("invalid", 0),
        }
        began, self._last_batch_ns = self._last_batch_ns, self._now_ns()
        span = self._tracer.start_span("batch", self._inside, attributes=attributes, start_time=began)
        span.end(self._last_batch_ns)

    def on_request_done(self, data: Data) -> None:
        ended = self._now_ns() - int(data.get("ago_s", 0.0) * _NS)
        labels = {**self._target, "kind": data["kind"], "verdict": data["verdict"]}
        attributes: dict[str, Any] = {"importer.kind": data["kind"], "importer.verdict": data["verdict"]}
        if data["status"] is not None:
            attributes["http.response.status_code"] = data["status"]
        if "worker" in data:
            attributes["importer.worker"] = data["worker"]
        began = ended - int(data["duration_s"] * _NS)
        span = self._tracer.start_span(
            "request", self._inside, kind=trace.SpanKind.CLIENT, attributes=attributes, start_time=began
        )
        if data["verdict"] not in _GOOD:
            span.set_attribute("error.type", str(data.get("code") or data["verdict"]))
            span.set_status(trace.StatusCode.ERROR)
        span.end(ended)
        self._requests.add(1, labels)
        self._seconds.record(data["duration_s"], labels)

    def on_run_ended(self, data: Data) -> None:
        for state, count in data["counts"].items():
            self._run.set_attribute(f"importer.rows.{state}", count)
        self._run.set_attribute("importer.exit_code", data["exit_code"])
        if data["exit_code"]:
            self._run.set_status(trace.StatusCode.ERROR)


@contextmanager
def traced(run_id: str, target: str) -> Iterator[RunTrace]:
    """Trace while the block lasts, and send it all at the end.

    Yields:
        The sink that traces.
    """
    tracers, meters = _tracers(), _meters()
    try:
        with recorded(tracers, meters, run_id, target) as sink:
            yield sink
    finally:
        _within(_FLUSH_S, tracers.shutdown, meters.shutdown)


@contextmanager
def recorded(
    tracers: trace.TracerProvider, meters: otel_metrics.MeterProvider, run_id: str, target: str
) -> Iterator[RunTrace]:
    """Trace one run into providers that the caller opened and will close."""
    sink = RunTrace(tracers, meters, run_id=run_id, target=target)
    try:
        yield sink
    except ImporterError as error:
        sink.refused(error)
        raise
    finally:
        sink.over()


def _tracers() -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    if _wanted("TRACES"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _meters() -> MeterProvider:
    if not _wanted("METRICS"):
        return MeterProvider(shutdown_on_exit=False)
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415

    return MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], shutdown_on_exit=False)


def _wanted(signal: str) -> bool:
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip().lower() != "none"


def _within(seconds: float, *works: Callable[[], None]) -> None:
    """Do several things at once, and do not wait for those that take longer."""
    threads = [threading.Thread(target=work, name="otel", daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
