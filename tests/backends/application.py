"""An application that emits all three signals to one OTLP end, with the SDK's exporters."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal

import grpc
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from typing_extensions import Self

__all__ = ["Application"]

_NEVER = 1_000_000.0
"""Milliseconds between two exports: only `flush` exports."""


class Application:
    """Sends what it recorded on `flush`; all spans since the last one go in one request.

    Args:
        endpoint: ``http://host:port`` for HTTP, ``host:port`` for gRPC.
        protocol: OTLP's.
        service: Its name.
        token: What it shows to the receiver; then it speaks TLS.
        certificate: Of the receiver.
    """

    def __init__(
        self,
        endpoint: str,
        protocol: Literal["http", "grpc"] = "http",
        *,
        service: str = "travel-planner",
        token: str = "",
        certificate: Path | None = None,
    ) -> None:
        resource = Resource({"service.name": service})
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if protocol == "http":
            trusted = str(certificate) if certificate else None
            spans = HttpSpans(f"{endpoint}/v1/traces", trusted, headers=headers)
            metrics = HttpMetrics(f"{endpoint}/v1/metrics", trusted, headers=headers)
            logs = HttpLogs(f"{endpoint}/v1/logs", trusted, headers=headers)
        else:
            root = certificate.read_bytes() if certificate else None
            safe = (False, grpc.ssl_channel_credentials(root)) if root else (True, None)
            spans = GrpcSpans(endpoint, *safe, headers=headers)
            metrics = GrpcMetrics(endpoint, *safe, headers=headers)
            logs = GrpcLogs(endpoint, *safe, headers=headers)
        self._spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._spans.add_span_processor(
            BatchSpanProcessor(
                spans, 100_000, schedule_delay_millis=_NEVER, max_export_batch_size=100_000
            )
        )
        reader = PeriodicExportingMetricReader(metrics, export_interval_millis=_NEVER)
        self._metrics = MeterProvider([reader], resource, shutdown_on_exit=False)
        self._logs = LoggerProvider(resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(logs, schedule_delay_millis=_NEVER)
        )
        self.tracer = self._spans.get_tracer("tests")
        self.meter = self._metrics.get_meter("tests")
        self.logger = self._logs.get_logger("tests")

    def flush(self) -> None:
        """Send everything."""
        for provider in (self._spans, self._metrics, self._logs):
            provider.force_flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for provider in (self._spans, self._metrics, self._logs):
            provider.shutdown()
