"""Whether the endpoint of each signal answers: an empty OTLP request, a connection for gRPC."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from otel_agents.distro.environment import Environment, Signal, SignalName
from otel_agents.distro.otlp.outlet import OtlpOutlet

__all__ = ["SignalAnswer", "ask", "unanswered"]

_SECONDS: Final = 5.0
_ADVICE: Final = "set OTEL_EXPORTER_OTLP_ENDPOINT"
_OTLP: Final = ("otlp", "otlp_proto_http", "otlp_proto_grpc")
_PROTOCOLS: Final = MappingProxyType(
    {"otlp_proto_http": "http/protobuf", "otlp_proto_grpc": "grpc"}
)


@dataclass(frozen=True)
class SignalAnswer:
    """How a signal leaves, and what its endpoint answered.

    ``answer`` is ``accepted``, the failure, or ``not asked`` where nothing is sent by OTLP. A
    ``source`` is ``default`` or a variable.
    """

    name: str
    exporters: str
    exporters_source: str
    endpoint: str
    endpoint_source: str
    protocol: str
    answer: str
    ok: bool


def unanswered(signals: Iterable[SignalAnswer]) -> Iterator[str]:
    """A sentence for each server and way in which it does not take signals."""
    failed: dict[tuple[str, str], list[str]] = {}
    for signal in signals:
        if not signal.ok:
            failed.setdefault((_server(signal.endpoint), signal.answer), []).append(signal.name)
    for (server, answer), names in failed.items():
        advice = "" if answer.startswith("HTTP") else "; start a Collector there, or " + _ADVICE
        yield f"{server} does not take {' or '.join(names)} ({answer}){advice}"


def _server(endpoint: str) -> str:
    url = urlsplit(endpoint)
    return f"{url.scheme}://{url.netloc}" if url.netloc else endpoint


def ask(environment: Environment, name: SignalName) -> SignalAnswer:
    """Send an empty request where a signal goes."""
    signal = environment.signal(name)
    by_otlp = [exporter for exporter in signal.exporter_names if exporter in _OTLP]
    for exporter in by_otlp:
        signal = environment.signal(name, _PROTOCOLS.get(exporter))
    answer, ok = _answer(signal, environment) if by_otlp else ("not asked", True)
    return SignalAnswer(
        name,
        signal.exporters.value,
        signal.exporters.source,
        signal.endpoint.value if by_otlp else "",
        signal.endpoint.source if by_otlp else "",
        signal.protocol.value if by_otlp else "",
        answer,
        ok,
    )


def _answer(signal: Signal, environment: Environment) -> tuple[str, bool]:
    if signal.protocol.value == "grpc":
        return _connect(signal.endpoint.value)
    outcome = OtlpOutlet(signal, environment).send(_nothing(signal.name), _SECONDS)
    return ("accepted", True) if outcome.delivered else (outcome.reason, False)


def _connect(endpoint: str) -> tuple[str, bool]:
    url = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    try:
        port = url.port or (443 if url.scheme == "https" else 4317)
        socket.create_connection((url.hostname or "localhost", port), _SECONDS).close()
    except ConnectionRefusedError:
        return "connection refused", False
    except OSError as error:
        return f"cannot connect: {error.strerror or type(error).__name__}", False
    return "accepted", True


def _nothing(name: SignalName) -> Any:
    if name != "metrics":
        return []
    from opentelemetry.sdk.metrics.export import MetricsData

    return MetricsData(resource_metrics=[])
