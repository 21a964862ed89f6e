"""OpenTelemetry's OTLP exporters, each made with what the user chose and our defaults.

What the environment says is passed as arguments, so that every version of the exporters
understands it alike: they differ in empty values, fractions, compressions and gRPC's ``INSECURE``.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from otel_agents.distro.environment import Environment, Signal
from otel_agents.distro.variables import hidden

__all__ = ["make_exporter", "session_for"]

_HTTP: Final = "opentelemetry.exporter.otlp.proto.http"
_GRPC: Final = "opentelemetry.exporter.otlp.proto.grpc"
_EXPORTERS: Final = MappingProxyType(
    {
        ("http/protobuf", "traces"): f"{_HTTP}.trace_exporter:OTLPSpanExporter",
        ("http/protobuf", "metrics"): f"{_HTTP}.metric_exporter:OTLPMetricExporter",
        ("http/protobuf", "logs"): f"{_HTTP}._log_exporter:OTLPLogExporter",
        ("grpc", "traces"): f"{_GRPC}.trace_exporter:OTLPSpanExporter",
        ("grpc", "metrics"): f"{_GRPC}.metric_exporter:OTLPMetricExporter",
        ("grpc", "logs"): f"{_GRPC}._log_exporter:OTLPLogExporter",
    }
)
_COMPRESSIONS: Final = MappingProxyType(
    {"gzip": "Gzip", "deflate": "Deflate", "none": "NoCompression"}
)
_CREDENTIALS: Final = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"


def make_exporter(signal: Signal, compression: str, session: Any) -> Any:
    """The exporter of ``signal``, its requests compressed so; ``session`` is for HTTP alone."""
    protocol = signal.protocol.value
    module, _, name = _EXPORTERS[protocol, signal.name].partition(":")
    kind = getattr(import_module(module), name)
    options: dict[str, Any] = {"endpoint": signal.endpoint.value, "timeout": signal.seconds}
    if signal.headers is not None:
        options["headers"] = headers(signal)
    if protocol == "grpc":
        options |= _grpc_options(signal, compression, kind)
    else:
        options |= {"compression": _compression(_HTTP, compression), "session": session}
    with hidden(*_misread(signal)):
        return kind(**options)


def session_for(signal: Signal, environment: Environment) -> Any:
    """What keeps the outcome of each request; None over HTTP where the user has a session."""
    secrets = headers(signal).values()
    if signal.protocol.value == "grpc":
        from otel_agents.distro.otlp.grpc import OneCall

        return OneCall(secrets)
    names = (_CREDENTIALS.format(""), _CREDENTIALS.format(f"{signal.name.upper()}_"))
    if environment.text(*names, *(f"_{name}" for name in names)) is not None:
        return None
    from otel_agents.distro.otlp.http import OneAttempt

    return OneAttempt(secrets)


def headers(signal: Signal) -> dict[str, str]:
    """The headers that the user gave, by name."""
    if signal.headers is None:
        return {}
    from opentelemetry.util.re import parse_env_headers

    return dict(parse_env_headers(signal.headers.value, liberal=True))


def _grpc_options(signal: Signal, compression: str, kind: Any) -> dict[str, Any]:
    grpc = import_module("grpc")
    options: dict[str, Any] = {"compression": _compression("grpc", compression)}
    if signal.address is not None:
        options["insecure"] = not signal.address.secure
    if "retryable_error_codes" in inspect.signature(kind).parameters:
        # No code of an error: retrying is the queue's decision.
        options["retryable_error_codes"] = (grpc.StatusCode.OK,)
    return options


def _compression(module: str, name: str) -> Any:
    return getattr(import_module(module).Compression, _COMPRESSIONS[name])


def _misread(signal: Signal) -> tuple[str, ...]:
    """A time-out that is no whole number: exporters over gRPC read it though they are given one."""
    given = f"OTEL_EXPORTER_OTLP_{signal.name.upper()}_TIMEOUT"
    return () if signal.protocol.value != "grpc" or signal.timeout.value.isdigit() else (given,)
