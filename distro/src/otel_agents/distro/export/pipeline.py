"""Processors and exporters of each signal, created from the names in ``OTEL_*_EXPORTER``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_agents.distro.discovery import exporter_named, no_such_exporter
from otel_agents.distro.environment import Environment, Signal, SignalName
from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.export.logs import DeliveringLogProcessor
from otel_agents.distro.export.measures import Counts
from otel_agents.distro.export.metrics import DeferredMetricExporter, Destination
from otel_agents.distro.export.sizes import log_size, span_size
from otel_agents.distro.export.spans import (
    DeliveringSpanProcessor,
    ExporterTransport,
    ForeignSpanProcessor,
)
from otel_agents.distro.export.status import Endpoints
from otel_agents.distro.foreign.telemetry import ForeignTelemetry
from otel_agents.distro.notices import warn
from otel_agents.distro.otlp.compression import Compressions
from otel_agents.distro.otlp.outcome import Transport
from otel_agents.distro.otlp.transport import OtlpTransport
from otel_agents.instrumentors.settings import Settings

__all__ = ["METRICS_ENTRY_POINT", "Pipeline"]

METRICS_ENTRY_POINT: Final = "otel_agents_otlp"

_OTLP: Final = MappingProxyType(
    {"otlp": None, "otlp_proto_http": "http/protobuf", "otlp_proto_grpc": "grpc"}
)
_ITEMS: Final = MappingProxyType({"traces": "spans", "logs": "log records"})
_SIZES: Final[Mapping[str, Callable[[Any], int]]] = MappingProxyType(
    {"traces": span_size, "logs": log_size}
)


@dataclass
class Pipeline:
    """The export pipelines of one process."""

    settings: Settings
    environment: Environment = field(default_factory=Environment)
    endpoints: Endpoints = field(default_factory=Endpoints)
    compressions: Compressions = field(default_factory=Compressions)
    deliveries: dict[SignalName, list[Delivery[Any]]] = field(
        default_factory=lambda: {"traces": [], "logs": []}
    )
    metric_exporters: list[DeferredMetricExporter] = field(default_factory=list[Any])

    def span_processors(self) -> Iterator[SpanProcessor]:
        """Yield a processor for each span exporter."""
        for name in self.environment.signal("traces").exporter_names:
            if name == "tree":
                # It prints on the thread that ends the root; a queue would only delay that.
                from otel_agents.distro.tree import TreeExporter

                yield ForeignSpanProcessor(SimpleSpanProcessor(TreeExporter()), self.foreign)
                continue
            delivery = self._delivery("traces", name)
            if delivery is not None:
                yield self.span_processor(delivery)

    def span_processor(self, delivery: Delivery[Any]) -> SpanProcessor:
        """Return the processor over ``delivery``."""
        return DeliveringSpanProcessor(delivery, self.foreign, self.settings.exit_timeout)

    @cached_property
    def foreign(self) -> ForeignTelemetry:
        """What applies the content settings to other libraries' telemetry."""
        return ForeignTelemetry(self.settings)

    def log_processors(self) -> Iterator[DeliveringLogProcessor]:
        """Yield a processor for each log exporter."""
        for name in self.environment.signal("logs").exporter_names:
            delivery = self._delivery("logs", name)
            if delivery is not None:
                yield DeliveringLogProcessor(delivery, self.foreign, self.settings.exit_timeout)

    def metric_exporter_names(self) -> list[str]:
        """Return names for the SDK to load, ours in place of OTLP's; log and skip unknown ones."""
        names: list[str] = []
        for name in self.environment.signal("metrics").exporter_names:
            if name in _OTLP:
                if not self.environment.sendable(self.environment.signal("metrics", _OTLP[name])):
                    continue
                name = METRICS_ENTRY_POINT
            elif not exporter_named("metrics", name):
                warn("%s", no_such_exporter("metrics", name))
                continue
            if name not in names:
                names.append(name)
        return names

    def metric_destination(self) -> Destination:
        """Return where a `DeferredMetricExporter` sends."""
        signal = self.environment.signal("metrics")
        for name in signal.exporter_names:
            if _OTLP.get(name):
                signal = self.environment.signal("metrics", _OTLP[name])
        transport = self._transport(signal)
        status = self.endpoints.at(transport.endpoint)
        return Destination(transport, status, self.environment, self.metric_exporters.append)

    def dropped(self) -> dict[str, Counts]:
        """Return the counts of dropped spans, log records and points, by reason."""
        return {
            "spans": lambda: self._drops("traces"),
            "log records": lambda: self._drops("logs"),
            "points": self._points,
        }

    def _points(self) -> Iterator[tuple[str, int]]:
        for exporter in self.metric_exporters:
            yield "unencodable", exporter.unencodable
            yield "rejected", exporter.rejected

    def _drops(self, signal: SignalName) -> Iterator[tuple[str, int]]:
        for delivery in self.deliveries[signal]:
            yield from list(delivery.counts.dropped.items())

    def failures(self) -> Iterator[tuple[str, int]]:
        """Yield the number of failed requests of each signal."""
        for signal, deliveries in self.deliveries.items():
            yield signal, sum(delivery.counts.failures for delivery in deliveries)
        yield "metrics", sum(exporter.failures for exporter in self.metric_exporters)

    def add_delivery(self, signal: SignalName, transport: Transport) -> Delivery[Any]:
        """Create a delivery to ``transport``."""
        delivery: Delivery[Any] = Delivery(
            _ITEMS[signal],
            transport,
            self.endpoints.at(transport.endpoint),
            _SIZES[signal],
            self.environment.batching(signal),
            self.settings.queue_max_bytes,
        )
        self.deliveries[signal].append(delivery)
        return delivery

    def _transport(self, signal: Signal) -> OtlpTransport:
        return OtlpTransport(signal, self.environment, compressions=self.compressions)

    def _delivery(self, signal: SignalName, name: str) -> Delivery[Any] | None:
        if name in _OTLP:
            selected: Signal = self.environment.signal(signal, _OTLP[name])
            if not self.environment.sendable(selected):
                return None
            return self.add_delivery(signal, self._transport(selected))
        exporter = _load(signal, name)
        return (
            None
            if exporter is None
            else self.add_delivery(signal, ExporterTransport(name, exporter))
        )


def _load(signal: SignalName, name: str) -> Any:
    entry_point = exporter_named(signal, name)
    if entry_point is None:
        warn("%s", no_such_exporter(signal, name))
        return None
    try:
        return entry_point.load()()
    except Exception as error:  # noqa: BLE001  a third-party exporter may raise anything
        warn(
            "the exporter %s of %s cannot be created (%s: %s)",
            name,
            signal,
            type(error).__name__,
            error,
        )
        return None
