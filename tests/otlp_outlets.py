"""Outlets of OTLP made from variables, and what becomes of an empty request through them."""

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

__all__ = ["GRPC", "HTTP", "RECEIVERS", "ask", "clear_variables", "outlet_for"]

HTTP, GRPC = "http/protobuf", "grpc"
RECEIVERS: Mapping[str, type[Any]] = {HTTP: StrictHttp, GRPC: StrictGrpc}


def clear_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of OpenTelemetry's is set, and no proxy."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def outlet_for(signal: SignalName, compressions: Compressions | None = None) -> OtlpTransport:
    """The outlet of ``signal`` under the variables that are set, in which nothing is wrong."""
    told: dict[str, str] = {}
    environment = Environment(report=told.__setitem__)
    how = environment.signal(signal)
    assert environment.sendable(how)
    assert told == {}
    return OtlpTransport(how, environment, compressions=compressions)


def ask(transport: OtlpTransport) -> Outcome:
    """Send an empty request."""
    return transport.send(MetricsData([]) if transport.signal.name == "metrics" else [], 10)
