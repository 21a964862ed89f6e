"""A small OTLP/HTTP receiver on loopback that keeps what it receives."""

from __future__ import annotations

import gzip
import random
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Receiver", "free_port"]

_REQUESTS: Mapping[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
_RESOURCES: Mapping[str, str] = {
    "/v1/traces": "resource_spans",
    "/v1/metrics": "resource_metrics",
    "/v1/logs": "resource_logs",
}


class Receiver:
    """Listen while it is a context manager.

    Args:
        port: Default is a free one.
        status: Status of its responses; 200 accepts.
        max_bytes: Larger requests (before compression) get 413, as from a Collector.
        hang: Accept connections and send no response until `release` or the end.
    """

    def __init__(
        self, port: int = 0, *, status: int = 200, max_bytes: int = 20 * 1024**2, hang: bool = False
    ) -> None:
        self.status = status
        self.max_bytes = max_bytes
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.sizes: list[int] = []
        self.arrived = threading.Condition()
        self.first_request = threading.Event()
        """Set when the first request is there, before the response."""
        self._hang = threading.Event() if hang else None
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def release(self) -> None:
        """Stop hanging."""
        if self._hang is not None:
            self._hang.set()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.first_request.set()
        if self._hang is not None:
            self._hang.wait(60)
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        with self.arrived:
            self.headers.append(headers)
            self.sizes.append(len(body))
            if len(body) > self.max_bytes:
                return 413
            if self.status == 200:
                self.requests.append((path, _REQUESTS[path].FromString(body)))
            self.arrived.notify_all()
        return self.status

    @property
    def spans(self) -> list[Any]:
        """Every span that was accepted."""
        return [
            span
            for path, request in list(self.requests)
            if path == "/v1/traces"
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def unique_spans(self) -> int:
        """How many different spans were accepted."""
        return len({(span.trace_id, span.span_id) for span in self.spans})

    @property
    def span_names(self) -> list[str]:
        return sorted(span.name for span in self.spans)

    @property
    def resources(self) -> list[dict[str, str]]:
        """The attributes of the traces' resources."""
        return [
            {pair.key: pair.value.string_value for pair in resource.resource.attributes}
            for path, request in list(self.requests)
            if path == "/v1/traces"
            for resource in request.resource_spans
        ]

    @property
    def services(self) -> set[str]:
        """The ``service.name`` of all that was accepted, whatever the signal."""
        return {
            pair.value.string_value
            for path, request in list(self.requests)
            for resource in getattr(request, _RESOURCES[path])
            for pair in resource.resource.attributes
            if pair.key == "service.name"
        }

    @property
    def paths(self) -> set[str]:
        return {path for path, _ in list(self.requests)}

    @property
    def metric_names(self) -> set[str]:
        return {metric.name for metric in self._metrics()}

    def sums(self, prefix: str) -> dict[str, dict[str, int]]:
        """Return the last values of the sums with this prefix, by the value of their one attribute.

        They are added up over the scopes of a request, as a backend does.
        """
        found: dict[str, dict[str, int]] = {}
        for metric in self._metrics(last=True):
            if metric.name.startswith(prefix):
                values = found.setdefault(metric.name, {})
                for point in metric.sum.data_points:
                    key = "".join(pair.value.string_value for pair in point.attributes)
                    values[key] = values.get(key, 0) + point.as_int
        return found

    def _metrics(self, *, last: bool = False) -> list[Any]:
        requests = [request for path, request in list(self.requests) if path == "/v1/metrics"]
        return [
            metric
            for request in (requests[-1:] if last else requests)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def totals(self, name: str, token_type: str = "") -> dict[str, float]:
        """Return the last cumulative sum of a metric by ``service.instance.id``."""
        return {
            instance: sum(
                it.sum if hasattr(it, "sum") else it.as_int
                for it in points
                if token_type in ("", *(pair.value.string_value for pair in it.attributes))
            )
            for instance, points in self._points(name).items()
        }

    def counts(self, name: str) -> dict[str, int]:
        """Return the last count of a histogram by ``service.instance.id``."""
        return {
            instance: sum(it.count for it in points)
            for instance, points in self._points(name).items()
        }

    def _points(self, name: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for path, request in list(self.requests):
            for resource in request.resource_metrics if path == "/v1/metrics" else ():
                known = {it.key: it.value.string_value for it in resource.resource.attributes}
                points = [
                    point
                    for scope in resource.scope_metrics
                    for metric in scope.metrics
                    if metric.name == name
                    for point in (*metric.histogram.data_points, *metric.sum.data_points)
                ]
                if points:
                    found[known.get("service.instance.id", "")] = points
        return found

    @property
    def log_bodies(self) -> list[str]:
        return [
            record.body.string_value
            for path, request in list(self.requests)
            if path == "/v1/logs"
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


# Below what systems give to outgoing connections (Linux from 32768, others from 49152): a port that
# the system chose and that is closed again can go to the next caller before a program listens on it.
_CANDIDATES = iter(random.sample(range(10_000, 32_768), k=22_768))


def free_port() -> int:
    """Return a port that is not in use; the same one never twice in a process."""
    for port in _CANDIDATES:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port left between 10000 and 32767")


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(self.path, headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler
