"""A receiver of spans over gRPC, by the generated code of OTLP."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

__all__ = ["receiving_spans"]


@contextmanager
def receiving_spans(max_bytes: int | None = None) -> Generator[tuple[str, list[str]], None, None]:
    """Yield its endpoint and the names of the spans that it receives.

    Args:
        max_bytes: Limit of a request after decompression; default is gRPC's own, as in a Collector.
    """
    received: list[str] = []

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: ExportTraceServiceRequest, context: Any) -> Any:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    received.extend(span.name for span in scope.spans)
            return ExportTraceServiceResponse()

    limit = [("grpc.max_receive_message_length", max_bytes)] if max_bytes is not None else []
    server = grpc.server(ThreadPoolExecutor(2), options=limit)
    generated: Any = trace_service_pb2_grpc  # it has no types
    generated.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", received
    finally:
        server.stop(None).wait()
