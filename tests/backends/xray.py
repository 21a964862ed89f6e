"""A fake AWS X-Ray on loopback that enforces the documented limits.

It takes ``PutTraceSegments`` and the OTLP endpoint ``/v1/traces``. What AWS would refuse is refused
as AWS does and kept in ``refused`` with the reason; what it takes is in ``segments`` and ``spans``.

Source: X-Ray Developer Guide, "Segment documents"; X-Ray API Reference, "PutTraceSegments";
CloudWatch User Guide, "OTLP endpoints", limits of traces.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .segments import objection

__all__ = ["XRay"]

_DOCUMENTS_PER_CALL: Final = 50
_ANNOTATIONS_PER_TRACE: Final = 50
_REQUEST_BYTES: Final = 5_000_000
_REQUEST_SPANS: Final = 10_000
_SPAN_BYTES: Final = 200_000


@dataclass
class _Response:
    status: int
    body: bytes
    kind: str = "application/json"


@dataclass
class XRay:
    """A context manager; ``endpoint`` is its address.

    Attributes:
        segments: The documents that were taken, by segment id.
        spans: The spans that the OTLP endpoint took, by span id in hexadecimal.
        refused: Reasons, one for each document, span or call that was refused.
    """

    segments: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    spans: dict[str, Span] = field(default_factory=dict[str, Span])
    refused: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._annotations: dict[str, set[str]] = {}
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environ(self) -> dict[str, str]:
        """Variables with its address for a Collector."""
        traces = f"{self.endpoint}/v1/traces"
        return {"XRAY_ENDPOINT": self.endpoint, "XRAY_OTLP_ENDPOINT": traces}

    def __enter__(self) -> XRay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        """Return the segment documents of a trace, by its OpenTelemetry id."""
        xray_id = f"1-{trace_id[:8]}-{trace_id[8:]}"
        with self._arrived:
            return [it for it in self.segments.values() if it["trace_id"] == xray_id]

    def spans_of(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace that the OTLP endpoint accepted."""
        with self._arrived:
            return [span for span in self.spans.values() if span.trace_id.hex() == trace_id]

    def wait_for(self, number: int, timeout: float = 30) -> None:
        """Wait for ``number`` documents, spans or refusals; raise TimeoutError if they do not come."""

        def enough() -> bool:
            return len(self.segments) + len(self.spans) + len(self.refused) >= number

        with self._arrived:
            if not self._arrived.wait_for(enough, timeout):
                raise TimeoutError(f"{len(self.segments)} segments, {len(self.spans)} spans")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                response = service._respond(self.path, self.headers, body)  # pyright: ignore[reportPrivateUsage]  its own
                self.send_response(response.status)
                self.send_header("Content-Type", response.kind)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, format: str, *args: Any) -> None: ...

        return Handler

    def _respond(self, path: str, headers: Any, body: bytes) -> _Response:
        if "/xray/aws4_request" not in headers.get("Authorization", ""):
            return self._refuse(403, "no SigV4 signature for the service xray")
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with self._arrived:
            handlers = {"/TraceSegments": self._put_segments, "/v1/traces": self._take_spans}
            take = handlers.get(path)
            response = take(body) if take else _Response(200, b"{}")
            self._arrived.notify_all()
            return response

    def _refuse(self, status: int, reason: str) -> _Response:
        self.refused.append(reason)
        return _Response(status, json.dumps({"message": reason}).encode())

    def _put_segments(self, body: bytes) -> _Response:
        documents: list[str] = json.loads(body)["TraceSegmentDocuments"]
        if len(documents) > _DOCUMENTS_PER_CALL:
            return self._refuse(400, f"{len(documents)} documents in one call")
        unprocessed = list(self._unprocessed(documents))
        return _Response(200, json.dumps({"UnprocessedTraceSegments": unprocessed}).encode())

    def _unprocessed(self, documents: list[str]) -> Iterator[dict[str, str]]:
        for text in documents:
            segment, reason = objection(text)
            reason = reason or self._too_many_annotations(segment)
            if not reason:
                self.segments[segment["id"]] = segment
                continue
            self.refused.append(reason)
            yield {"Id": segment.get("id", ""), "ErrorCode": "InvalidSegment", "Message": reason}

    def _too_many_annotations(self, segment: dict[str, Any]) -> str:
        keys = self._annotations.setdefault(segment["trace_id"], set())
        keys.update(segment.get("annotations", {}))
        return "" if len(keys) <= _ANNOTATIONS_PER_TRACE else f"{len(keys)} annotations in a trace"

    def _take_spans(self, body: bytes) -> _Response:
        if len(body) > _REQUEST_BYTES:
            return self._refuse(413, f"a request of {len(body)} bytes")
        request = ExportTraceServiceRequest.FromString(body)
        spans = [span for it in request.resource_spans for s in it.scope_spans for span in s.spans]
        if len(spans) > _REQUEST_SPANS:
            return self._refuse(400, f"{len(spans)} spans in one request")
        response = ExportTraceServiceResponse()
        for span in spans:
            if span.ByteSize() > _SPAN_BYTES:
                self.refused.append(f"a span of {span.ByteSize()} bytes")
                response.partial_success.rejected_spans += 1
            else:
                self.spans[span.span_id.hex()] = span
        return _Response(200, response.SerializeToString(), "application/x-protobuf")
