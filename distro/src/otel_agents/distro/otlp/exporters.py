"""Creates OpenTelemetry's OTLP exporters from the user's settings and our defaults.

Settings are passed as arguments, so that every version of the exporters treats them alike: the
versions differ in empty values, fractions, compressions and gRPC's ``INSECURE``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from otel_agents.distro.addresses import without_credentials
from otel_agents.distro.environment import FILES, Environment, Signal
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
_GRPC_CREDENTIALS: Final = "OTEL_PYTHON_EXPORTER_OTLP_GRPC_{}CREDENTIAL_PROVIDER"


def make_exporter(signal: Signal, environment: Environment, compression: str, session: Any) -> Any:
    """Create the exporter of ``signal``; only the HTTP exporters take ``session``."""
    protocol = signal.protocol.value
    module, _, name = _EXPORTERS[protocol, signal.name].partition(":")
    exporter_class = getattr(import_module(module), name)
    options: dict[str, Any] = {"endpoint": signal.endpoint.value, "timeout": signal.seconds}
    if signal.headers is not None:
        options["headers"] = headers(signal)
    files = {what: file.value for what, file in environment.files(signal.name).items()}
    if protocol == "grpc":
        options |= _grpc_options(signal, compression, exporter_class)
        provided = _has_credentials(signal, environment, _GRPC_CREDENTIALS)
        if not options.get("insecure") and not provided:
            options["credentials"] = _credentials(files)
    else:
        options |= {"compression": _compression(_HTTP, compression), "session": session}
        options |= {f"{what.lower()}_file": path for what, path in files.items()}
    with hidden(*_unreliable_variables(signal, environment)):
        return exporter_class(**options)


def session_for(signal: Signal, environment: Environment) -> Any:
    """Create what keeps each request's outcome; None over HTTP if the user provides a session."""
    secrets = (*headers(signal).values(), *_raw_header_values(signal))
    if signal.protocol.value == "grpc":
        from otel_agents.distro.otlp.grpc import SingleCallStub

        return SingleCallStub(secrets)
    if _has_credentials(signal, environment, _CREDENTIALS):
        return None
    from otel_agents.distro.otlp.http import SingleAttemptSession

    return SingleAttemptSession(secrets)


def headers(signal: Signal) -> dict[str, str]:
    """Return the user's headers by name."""
    if signal.headers is None:
        return {}
    from opentelemetry.util.re import parse_env_headers

    return dict(parse_env_headers(signal.headers.value, liberal=True))


def _raw_header_values(signal: Signal) -> Iterator[str]:
    """Yield the values of headers as the variable has them, still encoded."""
    for part in signal.headers.value.split(",") if signal.headers is not None else ():
        yield part.partition("=")[2].strip()


def _grpc_options(signal: Signal, compression: str, exporter_class: Any) -> dict[str, Any]:
    grpc = import_module("grpc")
    options: dict[str, Any] = {
        "compression": _compression("grpc", compression),
        # gRPC would take a user and password in the URL for part of the host name.
        "endpoint": without_credentials(signal.endpoint.value),
    }
    if signal.address is not None:
        options["insecure"] = not signal.address.secure
    if "retryable_error_codes" in inspect.signature(exporter_class).parameters:
        # OK is no error, so the exporter never retries: that is the queue's decision.
        options["retryable_error_codes"] = (grpc.StatusCode.OK,)
    return options


def _compression(module: str, name: str) -> Any:
    return getattr(import_module(module).Compression, _COMPRESSIONS[name])


def _credentials(paths: Mapping[str, str]) -> Any:
    """Return gRPC's channel credentials, which take the contents of the files."""
    contents = (Path(paths[what]).read_bytes() if what in paths else None for what in FILES)
    return import_module("grpc").ssl_channel_credentials(*contents)


def _has_credentials(signal: Signal, environment: Environment, variable: str) -> bool:
    """Return whether the user names a credential provider, which the exporter then loads."""
    names = (variable.format(""), variable.format(f"{signal.name.upper()}_"))
    return environment.text(*names, *(f"_{name}" for name in names)) is not None


def _unreliable_variables(signal: Signal, environment: Environment) -> Iterator[str]:
    """Yield variables that exporters read in addition to their arguments, and parse wrongly.

    Variables of other signals are not among them: another thread may create their exporter.
    """
    own = f"OTEL_EXPORTER_OTLP_{signal.name.upper()}"
    yield f"{own}_TIMEOUT"
    for name in (f"{prefix}_{what}" for prefix in (own, "OTEL_EXPORTER_OTLP") for what in FILES):
        if environment.text(name) is None:  # empty, which exporters do not ignore
            yield name
