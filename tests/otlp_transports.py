"""OTLP transports made from environment variables, and the outcome of an empty request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import MetricsData
from strict_receivers import StrictGrpc, StrictHttp

from otel_agents.distro.environment import Environment, SignalName
from otel_agents.distro.otlp.compression import Compressions
from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.transport import OtlpTransport

__all__ = ["GRPC", "HTTP", "RECEIVERS", "clear_variables", "send_empty", "transport_for"]

HTTP, GRPC = "http/protobuf", "grpc"
RECEIVERS: Mapping[str, type[Any]] = {HTTP: StrictHttp, GRPC: StrictGrpc}


def clear_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all variables of OpenTelemetry and of proxies."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def transport_for(signal: SignalName, compressions: Compressions | None = None) -> OtlpTransport:
    """Return the transport of ``signal`` by the environment, which must be valid."""
    notices: dict[str, str] = {}
    environment = Environment(report=notices.__setitem__)
    how = environment.signal(signal)
    assert environment.sendable(how)
    assert notices == {}
    return OtlpTransport(how, environment, compressions=compressions)


def send_empty(transport: OtlpTransport) -> Outcome:
    """Send an empty request."""
    return transport.send(MetricsData([]) if transport.signal.name == "metrics" else [], 10)
