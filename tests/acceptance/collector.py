"""A small OpenTelemetry collector: takes OTLP over HTTP and keeps what it was sent, decoded and as it came."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What arrived.

    Args:
        bodies: every request, unpacked; strings stand in it as they are.
    """

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    points: dict[str, list[Any]] = field(default_factory=dict)

    def take(self, path: str, body: bytes) -> None:
        self.bodies.append(body)
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for reported in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (metric for scope in reported.scope_metrics for metric in scope.metrics):
                    kind = metric.WhichOneof("data")
                    self.points.setdefault(metric.name, []).extend(getattr(metric, kind).data_points)

    def named(self, name: str) -> list[Span]:
        """The spans of one name, the oldest first."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.start_time_unix_nano)

    def counted(self, metric: str, label: str) -> Counter[str]:
        """A counter, per value of one label."""
        found: Counter[str] = Counter()
        for point in self.points[metric]:
            found[str(attributes(point)[label])] += point.as_int or int(point.as_double)
        return found


def attributes(reported: Any) -> Mapping[str, str | int | float]:
    """The attributes of a span, an event or a number."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in reported.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector for a block, on loopback."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            collector.take(self.path, gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
