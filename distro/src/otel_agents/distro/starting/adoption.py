"""Declarative configuration: replace the SDK's span batching with our delivery.

``OTEL_CONFIG_FILE`` makes the SDK ignore all arguments, so this runs afterwards. A provider's
list of processors is private; if it is not found, the SDK's batching stays and a line says so. The
processors that stay get other libraries' telemetry without its content, as ours do.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_agents.distro.environment import Choice, Signal
from otel_agents.distro.export.logs import ForeignLogProcessor, IdentityLogProcessor
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.export.spans import ForeignSpanProcessor
from otel_agents.distro.notices import warn
from otel_agents.distro.otlp.transport import OtlpTransport

__all__ = ["adopt_exporters"]

_SOURCE = "OTEL_CONFIG_FILE"
_OTLP_MODULES = MappingProxyType(
    {
        "opentelemetry.exporter.otlp.proto.http": "http/protobuf",
        "opentelemetry.exporter.otlp.proto.grpc": "grpc",
    }
)


def adopt_exporters(pipeline: Pipeline) -> None:
    """Replace the batching of each OTLP span exporter with a delivery; guard all others."""
    _adopt_span_exporters(pipeline)
    _adopt_log_exporters(pipeline)


def _adopt_log_exporters(pipeline: Pipeline) -> None:
    active: Any = getattr(get_logger_provider(), "_multi_log_record_processor", None)
    processors: tuple[Any, ...] | None = getattr(active, "_log_record_processors", None)
    if processors is not None:
        guarded = (ForeignLogProcessor(processor, pipeline.foreign) for processor in processors)
        active._log_record_processors = (IdentityLogProcessor(), *guarded)
    elif active is not None:
        warn(
            "%s configures the SDK, and this version does not expose its log processors: events of "
            "other libraries keep prompts and other content, and log records have no identity",
            _SOURCE,
        )


def _adopt_span_exporters(pipeline: Pipeline) -> None:
    active: Any = getattr(trace.get_tracer_provider(), "_active_span_processor", None)
    processors: tuple[Any, ...] | None = getattr(active, "_span_processors", None)
    if processors is None:
        warn(
            "%s configures the SDK, and this version does not expose its processors: "
            "its own batching sends the spans, not bounded in bytes or at exit, and those of other "
            "libraries keep prompts and other content",
            _SOURCE,
        )
        return
    active._span_processors = tuple(
        ours for processor in processors if (ours := _ours(processor, pipeline)) is not None
    )


def _ours(processor: Any, pipeline: Pipeline) -> SpanProcessor | None:
    """Return the replacement of ``processor``; None if its endpoint is invalid."""
    exporter = getattr(processor, "span_exporter", None)
    signal = _signal(exporter)
    if signal is None or not isinstance(processor, BatchSpanProcessor):
        return ForeignSpanProcessor(processor, pipeline.foreign)
    if not pipeline.environment.sendable(signal):
        return None
    transport = OtlpTransport(signal, pipeline.environment, exporter)
    delivery = pipeline.add_delivery("traces", transport)
    return pipeline.span_processor(delivery)


def _signal(exporter: Any) -> Signal | None:
    module = type(exporter).__module__.rpartition(".")[0]
    endpoint = getattr(exporter, "_endpoint", None)
    if module not in _OTLP_MODULES or not isinstance(endpoint, str):
        return None
    protocol = _OTLP_MODULES[module]
    url = f"http://{endpoint}" if protocol == "grpc" and "://" not in endpoint else endpoint
    return Signal(
        "traces",
        Choice("otlp", _SOURCE),
        Choice(protocol, _SOURCE),
        Choice(url, _SOURCE),
        Choice("none", _SOURCE),
        Choice("10", _SOURCE),
        from_file=True,
    )
