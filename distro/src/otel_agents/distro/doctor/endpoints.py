"""A check of each signal's endpoint: an empty OTLP request, sent as the program would send it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from otel_agents.distro.addresses import origin, redacted
from otel_agents.distro.environment import Environment, Signal, SignalName
from otel_agents.distro.notices import listed
from otel_agents.distro.otlp.hints import hint_for
from otel_agents.distro.otlp.transport import OtlpTransport

__all__ = ["NOT_CHECKED", "SignalStatus", "check_signal", "endpoint_findings"]

NOT_CHECKED: Final = "not checked"
_MALFORMED: Final = "malformed"
_SECONDS: Final = 5.0
_OTLP: Final = MappingProxyType(
    {"otlp": None, "otlp_proto_http": "http/protobuf", "otlp_proto_grpc": "grpc"}
)


@dataclass(frozen=True)
class SignalStatus:
    """How a signal leaves, and the result of a test request to its endpoint.

    ``result`` is ``accepted``, ``malformed`` (not an endpoint), the failure, or ``not checked``
    if nothing is sent by OTLP. ``hint`` is what the user can do about a failure. A ``source`` is
    ``default``, a variable, or ``the receiver``, which accepts no compression.
    """

    name: str
    exporters: str
    exporters_source: str
    endpoint: str = ""
    endpoint_source: str = ""
    protocol: str = ""
    compression: str = ""
    compression_source: str = ""
    result: str = NOT_CHECKED
    hint: str = ""
    ok: bool = True


def endpoint_findings(signals: Iterable[SignalStatus]) -> Iterator[str]:
    """Yield a sentence for each server and way in which it refuses signals."""
    failed: dict[tuple[str, str, str], list[str]] = {}
    for signal in signals:
        if not signal.ok and signal.result != _MALFORMED:  # the variable has a finding of its own
            server = origin(signal.endpoint)
            failed.setdefault((server, signal.result, signal.hint), []).append(signal.name)
    for (server, result, hint), names in failed.items():
        yield f"{server} does not accept {listed(names, 'or')} ({result}); {hint}"


def check_signal(environment: Environment, name: SignalName) -> SignalStatus:
    """Send an empty request to the endpoint of a signal."""
    signal = environment.signal(name)
    status = SignalStatus(name, signal.exporters.value, signal.exporters.source)
    by_otlp = [exporter for exporter in signal.exporter_names if exporter in _OTLP]
    if not by_otlp:
        return status
    signal = environment.signal(name, _OTLP[by_otlp[-1]])
    status = replace(
        status,
        endpoint=redacted(signal.endpoint.value),
        endpoint_source=signal.endpoint.source,
        protocol=signal.protocol.value,
        compression=signal.compression.value,
        compression_source=signal.compression.source,
    )
    if not environment.sendable(signal):
        return replace(status, result=_MALFORMED, ok=False)
    return _checked(status, signal, environment)


def _checked(status: SignalStatus, signal: Signal, environment: Environment) -> SignalStatus:
    transport = OtlpTransport(signal, environment)
    outcome = transport.send(_empty(signal.name), _SECONDS)
    transport.close()
    if transport.compression != status.compression:
        status = replace(
            status, compression=transport.compression, compression_source="the receiver"
        )
    if outcome.delivered:
        return replace(status, result="accepted")
    return replace(status, result=outcome.text, hint=hint_for(outcome), ok=False)


def _empty(name: SignalName) -> Any:
    if name != "metrics":
        return []
    from opentelemetry.sdk.metrics.export import MetricsData

    return MetricsData(resource_metrics=[])
