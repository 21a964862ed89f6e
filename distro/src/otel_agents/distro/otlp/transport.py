"""The transport over one of OpenTelemetry's OTLP exporters, which is created when first needed.

Importing an exporter takes longer than the rest of the start; a process that sends nothing skips
it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.distro.addresses import origin
from otel_agents.distro.environment import Environment, Signal
from otel_agents.distro.otlp.compression import (
    Compressions,
    compression_hint,
    may_refuse_compression,
)
from otel_agents.distro.otlp.encoding import (
    attribute_error,
    outcome_of_error,
    outcome_of_logs,
    why_unencodable,
)
from otel_agents.distro.otlp.exporter_logs import captured_logs
from otel_agents.distro.otlp.exporters import make_exporter, session_for
from otel_agents.distro.otlp.outcome import DELIVERED, GRPC_RETRYABLE, HTTP_RETRYABLE, Outcome
from otel_agents.distro.otlp.probe import connection_refused

__all__ = ["OtlpTransport"]

# Receivers take 20 MiB by HTTP and 4 MiB by gRPC unless configured otherwise.
_MAX_REQUEST: Final = MappingProxyType({"http/protobuf": 15 * 1024**2, "grpc": 3_670_016})
_GRPC_REASONS: Final = MappingProxyType(
    {"UNAVAILABLE": "no connection", "DEADLINE_EXCEEDED": "timed out"}
)


class OtlpTransport:
    """Send one signal by OTLP.

    Args:
        signal: Endpoint, protocol and options.
        environment: Has the variables of credentials.
        exporter: An exporter that was created elsewhere, used as it is.
        compressions: What is known about receivers; shared by the signals of a process.
    """

    def __init__(
        self,
        signal: Signal,
        environment: Environment | None = None,
        exporter: Any = None,
        compressions: Compressions | None = None,
    ) -> None:
        self.signal = signal
        self.endpoint = origin(signal.endpoint.value)
        self.max_request_bytes = _MAX_REQUEST[signal.protocol.value]
        self._environment = environment or Environment()
        self._exporter = exporter
        self._provided = exporter is not None
        self._session: Any = None
        self._compressions = compressions or Compressions()
        self._exporter_compression = ""
        """The compression that the exporter was created with."""
        self._signal_unsupported = False
        """Whether the receiver refuses this signal without compression as well."""

    @property
    def compression(self) -> str:
        """The compression of the next request."""
        return self._compressions.of(self.signal, self.endpoint)

    @property
    def exporter(self) -> Any:
        """The exporter, imported and created on first use."""
        if self._exporter is None:
            self._make(self.compression)
        return self._exporter

    @property
    def _retries_internally(self) -> bool:
        """Whether the exporter retries refused connections until its timeout."""
        return self._provided or self.signal.protocol.value == "grpc"

    def send(self, items: Any, timeout: float) -> Outcome:
        """Send ``items`` in one request; send a second one if the receiver refuses compression."""
        if self._retries_internally and connection_refused(self.signal.address):
            return Outcome(False, True, "connection refused")
        deadline = time.monotonic() + timeout
        compression = self.compression  # another signal may change it meanwhile
        outcome = self._attempt(items, timeout, compression)
        if not may_refuse_compression(outcome) or self._provided or compression == "none":
            return outcome
        if self.signal.compression.given:
            return replace(outcome, hint=compression_hint(self.signal, outcome))
        if self._signal_unsupported:
            return outcome
        return self._without_compression(items, deadline - time.monotonic(), outcome)

    def _without_compression(self, items: Any, timeout: float, refusal: Outcome) -> Outcome:
        """Retry uncompressed: it succeeds if the compression was refused, and not the signal."""
        outcome = self._attempt(items, timeout, "none")
        if outcome.reason == refusal.reason:
            self._signal_unsupported = True
        elif not outcome.retryable:
            self._compressions.record_refusal(self.signal, self.endpoint, refusal)
        return outcome

    def _attempt(self, items: Any, timeout: float, compression: str) -> Outcome:
        if not self._provided and compression != self._exporter_compression:
            self.close()
            self.renew()
        try:
            exporter = self._exporter or self._make(compression)
        except OSError as error:  # a certificate file that is not one
            return Outcome(False, False, f"TLS: {error}")
        except Exception as error:  # noqa: BLE001  a bad certificate, a missing package: logged
            return Outcome(False, False, f"{type(error).__name__}: {error}")
        if self._session is not None:
            self._session.start_attempt(min(timeout, self.signal.seconds))
        with suppress_instrumentation(), captured_logs() as logged:
            return self._export(exporter, items, logged)

    def _export(self, exporter: Any, items: Any, logged: list[logging.LogRecord]) -> Outcome:
        try:
            delivered = exporter.export(items).name == "SUCCESS"
        except Exception as error:  # noqa: BLE001  whatever `requests` or gRPC raises
            return self._failure(logged) or outcome_of_error(error)
        if delivered:
            success = DELIVERED if self._session is None else self._session.success
            error = attribute_error(logged)
            return (
                success
                if error is None
                else replace(success, unencoded_attribute=why_unencodable(error))
            )
        return self._failure(logged) or outcome_of_logs(logged) or self._unexplained_failure()

    def _failure(self, logged: list[logging.LogRecord]) -> Outcome | None:
        if self._session is not None:
            return self._session.failure
        return _outcome_of_status(logged)

    def _unexplained_failure(self) -> Outcome:
        """Return the outcome without a status: with a user's HTTP session, a network error."""
        networks = self._session is None and self.signal.protocol.value != "grpc"
        return Outcome(False, networks, "the exporter failed")

    def renew(self) -> None:
        """Create a new exporter at the next request."""
        if not self._provided:
            self._exporter = self._session = None

    def close(self) -> None:
        """Shut the exporter down."""
        if self._exporter is None:
            return
        with captured_logs():
            self._exporter.shutdown()

    def _make(self, compression: str) -> Any:
        with captured_logs():
            session = session_for(self.signal, self._environment)
            exporter = make_exporter(self.signal, self._environment, compression, session)
        if self.signal.protocol.value == "grpc" and not session.attach(exporter):
            session = None
        self._exporter, self._session, self._exporter_compression = exporter, session, compression
        return exporter


def _outcome_of_status(logged: Iterable[logging.LogRecord]) -> Outcome | None:
    """Return the outcome by the gRPC or HTTP status in the exporter's last log records."""
    for record in reversed(list(logged)):
        for value in record.args if isinstance(record.args, tuple) else ():
            code = getattr(value, "name", None)
            if isinstance(code, str) and code.isupper():
                return Outcome(False, code in GRPC_RETRYABLE, _GRPC_REASONS.get(code, code))
            if isinstance(value, int) and 400 <= value < 600:
                return Outcome(False, value in HTTP_RETRYABLE, f"HTTP {value}")
    return None
