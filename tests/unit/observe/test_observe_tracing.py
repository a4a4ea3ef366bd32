"""The run for OpenTelemetry: spans and counts, sent to whom the standard variables name."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from importer.core.errors import AccessError
from importer.core.events import Event
from importer.observe import observed
from importer.observe.tracing import recorded
from importer.profile import LogSettings, OtelSettings
from tests.unit.observe.test_observe_metrics import happen


@contextmanager
def remembered() -> Iterator[tuple[TracerProvider, MeterProvider, InMemorySpanExporter, InMemoryMetricReader]]:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([reader], shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    yield tracers, meters, spans, reader
    tracers.shutdown()
    meters.shutdown()


def test_a_run_has_batches_and_requests_inside() -> None:
    with remembered() as (tracers, meters, exporter, _):
        with recorded(tracers, meters, "20261122T083000Z-00000a", "live") as sink:
            happen(sink)
        spans = exporter.get_finished_spans()

    by_name: dict[str, list[ReadableSpan]] = {}
    for span in spans:
        by_name.setdefault(span.name, []).append(span)
    (run,) = by_name["run"]
    assert [len(by_name[name]) for name in ("batch", "request")] == [2, 3]
    assert run.parent is None
    assert {span.parent.span_id for span in spans if span.parent} == {run.context.span_id}
    assert run.attributes is not None
    assert run.attributes["importer.run_id"] == "20261122T083000Z-00000a"
    assert (run.attributes["importer.rows.created"], run.attributes["importer.exit_code"]) == (3, 3)
    assert [event.name for event in run.events] == ["paused"]


def test_the_span_of_a_request_has_its_duration_and_its_status() -> None:
    with remembered() as (tracers, meters, exporter, _):
        with recorded(tracers, meters, "r", "live") as sink:
            happen(sink)
        requests = [span for span in exporter.get_finished_spans() if span.name == "request"]

    assert [(span.attributes or {}).get("http.response.status_code") for span in requests] == [201, 429, None]
    assert [span.status.status_code for span in requests] == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.ERROR]
    for span in requests:
        assert ((span.end_time or 0) - (span.start_time or 0)) / 1e9 == pytest.approx(0.2, abs=0.001)


def test_the_span_of_a_workers_request_ends_when_it_was_answered_there_and_names_the_worker() -> None:
    answered = {"kind": "create", "status": 201, "verdict": "accept", "code": "", "duration_s": 0.2}
    with remembered() as (tracers, meters, exporter, _):
        with recorded(tracers, meters, "r", "live") as sink:
            sink(Event("request_done", {**answered, "worker": "host-1-a", "ago_s": 2.0}))
            sink(Event("request_done", answered))
        first, second, _run = exporter.get_finished_spans()

    assert (first.attributes or {})["importer.worker"] == "host-1-a"
    assert ((second.end_time or 0) - (first.end_time or 0)) / 1e9 == pytest.approx(2.0, abs=0.5)
    assert ((first.end_time or 0) - (first.start_time or 0)) / 1e9 == pytest.approx(0.2, abs=0.001)


def test_counts_are_kept_by_state_and_verdict() -> None:
    with remembered() as (tracers, meters, _, reader):
        with recorded(tracers, meters, "r", "live") as sink:
            happen(sink)
        data = reader.get_metrics_data()

    assert data is not None
    found: dict[str, Any] = {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    rows = {point.attributes["state"]: point.value for point in found["importer.rows"]}
    assert rows == {"invalid": 1, "created": 3, "failed": 1}
    assert sum(point.value for point in found["importer.requests"]) == 3
    assert sum(point.count for point in found["importer.request.duration"]) == 3


def test_nothing_that_could_name_a_person_is_an_attribute() -> None:
    with remembered() as (tracers, meters, exporter, _):
        with recorded(tracers, meters, "r", "live") as sink:
            happen(sink)
        told_of = [span.to_json() for span in exporter.get_finished_spans()]

    assert not [text for text in told_of if "Ann" in text or ".csv" in text]


def test_a_refused_run_is_an_error_without_its_text() -> None:
    with remembered() as (tracers, meters, exporter, _):
        with pytest.raises(AccessError), recorded(tracers, meters, "r", "live"):
            raise AccessError("The key canary was refused.")
        (run,) = exporter.get_finished_spans()

    assert run.status.status_code is StatusCode.ERROR
    assert (run.attributes or {})["error.type"] == "AccessError"
    assert "canary" not in run.to_json()


# --------------------------------------------------------------------------- sent for real


class Collector:
    """What an OTLP collector received."""

    def __init__(self) -> None:
        self.spans: list[str] = []
        self.metrics: list[str] = []
        self.service = ""
        self.url = ""

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {one.key: one.value.string_value for one in resource.resource.attributes}
                self.service = names["service.name"]
                self.spans += [span.name for scope in resource.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for sent in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics += [metric.name for scope in sent.scope_metrics for metric in scope.metrics]


@pytest.fixture
def collector() -> Iterator[Collector]:
    received = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            received.take(self.path, gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield received
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_collector_named_by_the_standard_variables_receives_it_all(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    with observed("r", tmp_path, LogSettings(), target="live", otel=OtelSettings(enabled=True)) as sink:
        happen(sink)

    assert sorted(collector.spans) == ["batch", "batch", "request", "request", "request", "run"]
    assert collector.service == "nightly"
    assert {"importer.rows", "importer.requests", "importer.request.duration"} <= set(collector.metrics)


def test_a_signal_that_is_switched_off_is_not_sent(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    with observed("r", tmp_path, LogSettings(), target="live", otel=OtelSettings(enabled=True)) as sink:
        happen(sink)

    assert (len(collector.spans), collector.metrics) == (6, [])


def test_a_collector_that_is_not_there_does_not_hold_up_the_end_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    began = time.monotonic()
    with observed("r", tmp_path, LogSettings(), target="live", otel=OtelSettings(enabled=True)) as sink:
        happen(sink)

    assert time.monotonic() - began < 6.0
