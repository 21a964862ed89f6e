"""An outlet over one of OpenTelemetry's OTLP exporters, made when it is first needed.

Importing an exporter costs more than the rest of the start: a process that sends nothing does not.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import socket
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.distro.environment import Environment, Signal
from otel_agents.distro.otlp.encoding import (
    error_of_left_out,
    not_sent,
    raised,
    why_unencodable,
)
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome
from otel_agents.distro.otlp.silence import overheard

__all__ = ["EXPORTERS", "OtlpOutlet", "refused"]

_HTTP: Final = "opentelemetry.exporter.otlp.proto.http"
_GRPC: Final = "opentelemetry.exporter.otlp.proto.grpc"

EXPORTERS: Final = MappingProxyType(
    {
        ("http/protobuf", "traces"): f"{_HTTP}.trace_exporter:OTLPSpanExporter",
        ("http/protobuf", "metrics"): f"{_HTTP}.metric_exporter:OTLPMetricExporter",
        ("http/protobuf", "logs"): f"{_HTTP}._log_exporter:OTLPLogExporter",
        ("grpc", "traces"): f"{_GRPC}.trace_exporter:OTLPSpanExporter",
        ("grpc", "metrics"): f"{_GRPC}.metric_exporter:OTLPMetricExporter",
        ("grpc", "logs"): f"{_GRPC}._log_exporter:OTLPLogExporter",
    }
)

# Receivers take 20 MiB by HTTP and 4 MiB by gRPC unless configured otherwise.
_MAX_REQUEST: Final = MappingProxyType({"http/protobuf": 15 * 1024**2, "grpc": 3_670_016})
_CREDENTIALS: Final = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"
_GRPC_RETRYABLE: Final = frozenset(
    (
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS",
    )
)
_GRPC_REASONS: Final = MappingProxyType(
    {"UNAVAILABLE": "nobody answers", "DEADLINE_EXCEEDED": "no answer in time"}
)
_LONGEST_PAUSE: Final = "_MAX_RETRY_TIMEOUT"
"""Seconds after which an exporter before 1.35 gives up: 64, through which nothing ends it."""
_PROBE_SECONDS: Final = 1.0


class OtlpOutlet:
    """Sends one signal by OTLP.

    Args:
        signal: Where to and how.
        environment: Where credentials' variables are.
        exporter: An exporter that somebody else made, to be used as it is.
    """

    def __init__(
        self, signal: Signal, environment: Environment | None = None, exporter: Any = None
    ) -> None:
        self.signal = signal
        self.where = endpoint_origin(signal)
        self.max_request_bytes = _MAX_REQUEST[signal.protocol.value]
        self._environment = environment or Environment()
        self._exporter = exporter
        self._adopted = exporter is not None
        self._session: Any = None

    @property
    def exporter(self) -> Any:
        """The exporter itself; imported and made now if it was not yet."""
        if self._exporter is None:
            self._exporter = self._make()
        return self._exporter

    @property
    def _retries_by_itself(self) -> bool:
        """Whether one call of the exporter may take its whole time-out though nobody listens."""
        return self._adopted or self.signal.protocol.value == "grpc"

    def send(self, items: Any, timeout: float) -> Outcome:
        """Send ``items`` in one request."""
        if self._retries_by_itself and refused(self.signal.endpoint.value):
            return Outcome(False, True, "connection refused")
        try:
            exporter = self.exporter
        except Exception as error:  # noqa: BLE001  a bad certificate, a missing package: told, not raised
            return Outcome(False, False, f"{type(error).__name__}: {error}")
        if self._session is not None:
            self._session.begin(min(timeout, self.signal.seconds))
        with suppress_instrumentation(), overheard() as said:
            return self._export(exporter, items, said)

    def _export(self, exporter: Any, items: Any, said: list[logging.LogRecord]) -> Outcome:
        try:
            delivered = exporter.export(items).name == "SUCCESS"
        except Exception as error:  # noqa: BLE001  exporters raise whatever their transport raises
            return self._failure(said) or raised(error)
        if delivered:
            error = error_of_left_out(said)
            return DELIVERED if error is None else Outcome(True, left_out=why_unencodable(error))
        return self._failure(said) or not_sent(said) or self._unexplained()

    def _failure(self, said: list[logging.LogRecord]) -> Outcome | None:
        if self._session is not None:
            return self._session.failure
        return _read_log(said)

    def _unexplained(self) -> Outcome:
        """Of HTTP a session that is not ours has sent it, and no answer was an error of the network."""
        networks = self._session is None and self.signal.protocol.value != "grpc"
        return Outcome(False, networks, "the exporter failed")

    def renew(self) -> None:
        """Make a new exporter at the next request."""
        if not self._adopted:
            self._exporter = self._session = None

    def close(self) -> None:
        """Shut the exporter down."""
        if self._exporter is None:
            return
        with overheard():
            self._exporter.shutdown()

    def _make(self) -> Any:
        protocol = self.signal.protocol.value
        module, _, name = EXPORTERS[protocol, self.signal.name].partition(":")
        kind = getattr(importlib.import_module(module), name)
        timeout = self.signal.seconds
        if protocol == "grpc":
            exporter = kind(timeout=timeout, **self._grpc_options(kind))
            if hasattr(exporter, _LONGEST_PAUSE):
                setattr(exporter, _LONGEST_PAUSE, 2)  # it tries once, and gives up a second later
            return exporter
        return kind(timeout=timeout, **self._http_options())

    def _http_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if not self.signal.compression.given:
            options["compression"] = importlib.import_module(_HTTP).Compression.Gzip
        signal = self.signal.name.upper()
        names = (_CREDENTIALS.format(""), _CREDENTIALS.format(f"{signal}_"))
        if self._environment.text(*names, *(f"_{name}" for name in names)) is None:
            from otel_agents.distro.otlp.http import OneAttempt

            options["session"] = self._session = OneAttempt()
        return options

    def _grpc_options(self, kind: Any) -> dict[str, Any]:
        grpc = importlib.import_module("grpc")
        options: dict[str, Any] = {}
        if not self.signal.compression.given:
            options["compression"] = grpc.Compression.Gzip
        if "retryable_error_codes" in inspect.signature(kind).parameters:
            # No code of an error: retrying is the queue's decision. Older exporters always retry.
            options["retryable_error_codes"] = (grpc.StatusCode.OK,)
        return options


def endpoint_origin(signal: Signal) -> str:
    """The endpoint without its path: what the user sets and recognises."""
    url = urlsplit(signal.endpoint.value)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.netloc else url.geturl()


def refused(endpoint: str) -> bool:
    """Whether nobody listens at ``endpoint``; False where that cannot be told."""
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not url.hostname or _has_proxy():
        return False
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname, port), _PROBE_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:  # a slow network, an unknown host: the exporter's own attempt will tell
        return False
    return False


def _has_proxy() -> bool:
    """Behind a proxy a connection of our own tells nothing."""
    from urllib.request import getproxies  # costs at start, and is needed rarely

    return bool(getproxies().keys() & _PROXIES)


_PROXIES: Final = frozenset(("grpc", "http", "https", "all"))


def _read_log(said: Iterable[logging.LogRecord]) -> Outcome | None:
    """The outcome as the exporter's last line tells it: a gRPC status or an HTTP status code."""
    for record in reversed(list(said)):
        for value in record.args if isinstance(record.args, tuple) else ():
            code = getattr(value, "name", None)
            if isinstance(code, str) and code.isupper():
                return Outcome(False, code in _GRPC_RETRYABLE, _GRPC_REASONS.get(code, code))
            if isinstance(value, int) and 400 <= value < 600:
                return Outcome(False, value in (429, 502, 503, 504), f"HTTP {value}")
    return None
