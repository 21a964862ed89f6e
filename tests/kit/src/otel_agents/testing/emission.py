"""In-memory providers, and what they emitted, as values that a test can compare whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk import _logs as logs_sdk
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

from otel_agents.instrumentors import hosting

__all__ = ["Emission"]

_LogExporter: Any = getattr(  # renamed between versions of the SDK
    log_export, "InMemoryLogRecordExporter", vars(log_export).get("InMemoryLogExporter")
)


class _Notices(SpanProcessor):
    """Shows us the spans that start."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        hosting.notice_span(span, parent_context)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: by None, as of the oldest SDK's class, the provider would not go on."""
        return True


class Emission:
    """One set of in-memory providers; `providers` are the arguments of ``instrument()``.

        emission = Emission()
        instrumentor.instrument(**emission.providers)
        with emission.tracer_provider.get_tracer("test").start_as_current_span("run"):
            ...  # run the instrumented library
        assert emission.tree() == ["run"]
        assert emission.span.attributes == {}  # where one span is expected
        emission.close()

    Args:
        sampler: A sampler of the SDK; by default everything is recorded.
        noticing: Whether the spans of other libraries are shown to us, as a distribution does.
    """

    def __init__(self, sampler: Sampler | None = None, *, noticing: bool = False) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = _LogExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        if noticing:
            self.tracer_provider.add_span_processor(_Notices())
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.logger_provider = logs_sdk.LoggerProvider(shutdown_on_exit=False)
        processor = log_export.SimpleLogRecordProcessor(self._logs)
        self.logger_provider.add_log_record_processor(processor)

    @property
    def providers(self) -> dict[str, Any]:
        """The three providers, by the parameter names of ``instrument()``."""
        return {
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
            "logger_provider": self.logger_provider,
        }

    def close(self) -> None:
        """Shut the providers down."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()
        self.logger_provider.shutdown()

    def encode(self) -> None:
        """Encode all spans and log records as the OTLP exporters do.

        Raises:
            Exception: A value has no type in OTLP.
        """
        encode_spans(self.spans)
        encode_logs(self.logs)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The finished spans, in the order in which they ended."""
        return self._spans.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        """The one finished span.

        Raises:
            ValueError: There is none, or there are several.
        """
        (span,) = self.spans
        return span

    @property
    def names(self) -> list[str]:
        """The names of the finished spans, in the order in which they ended."""
        return [span.name for span in self.spans]

    def tree(self) -> list[str]:
        """Return the names of the spans, two spaces deeper per level, siblings by start time."""
        by_parent: dict[int | None, list[ReadableSpan]] = {}
        known = {span.context.span_id for span in self.spans if span.context}
        for span in self.spans:
            parent = span.parent.span_id if span.parent else None
            by_parent.setdefault(parent if parent in known else None, []).append(span)

        def lines(parent: int | None, depth: int) -> list[str]:
            children = sorted(by_parent.get(parent, []), key=lambda span: span.start_time or 0)
            return [
                line
                for span in children
                if span.context
                for line in (
                    "  " * depth + span.name,
                    *lines(span.context.span_id, depth + 1),
                )
            ]

        return lines(None, 0)

    def traces(self) -> int:
        """Return the number of distinct traces."""
        return len({span.context.trace_id for span in self.spans if span.context})

    def metrics(self) -> list[Any]:
        """Collect the metrics, as the SDK's objects."""
        data: Any = self._reader.get_metrics_data()
        if data is None:
            return []
        return [
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def points(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """Collect the metrics: by name, attributes and sum (or value) of each data point."""
        return {
            metric.name: [
                (dict(point.attributes), getattr(point, "sum", getattr(point, "value", None)))
                for point in metric.data.data_points
            ]
            for metric in self.metrics()
        }

    @property
    def logs(self) -> Sequence[Any]:
        """The emitted log records, as the SDK's objects."""
        return self._logs.get_finished_logs()

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Name and attributes of each emitted event."""
        return [_event(log.log_record) for log in self.logs]

    def texts(self) -> str:
        """Return everything that was emitted as one text, to search for a secret."""
        spans = "\n".join(span.to_json() for span in self.spans)
        logs = "\n".join(
            repr(log.log_record) + repr(log.log_record.attributes) for log in self.logs
        )
        return f"{spans}\n{logs}\n{self.metrics()!r}"


def _event(record: Any) -> tuple[str, dict[str, Any]]:
    """Return name and attributes; before OpenTelemetry 1.35 the name was an attribute."""
    attributes = dict(record.attributes or {})
    return getattr(record, "event_name", None) or attributes.pop("event.name"), attributes
