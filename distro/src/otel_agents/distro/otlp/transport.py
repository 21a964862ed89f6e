"""An outlet over one of OpenTelemetry's OTLP exporters, made when it is first needed.

Importing an exporter costs more than the rest of the start: a process that sends nothing does not.
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
    hint_for,
    may_refuse_compression,
)
from otel_agents.distro.otlp.encoding import (
    error_of_left_out,
    not_sent,
    raised,
    why_unencodable,
)
from otel_agents.distro.otlp.exporters import make_exporter, session_for
from otel_agents.distro.otlp.outcome import DELIVERED, GRPC_RETRYABLE, HTTP_RETRYABLE, Outcome
from otel_agents.distro.otlp.probe import refused
from otel_agents.distro.otlp.silence import overheard

__all__ = ["OtlpTransport"]

# Receivers take 20 MiB by HTTP and 4 MiB by gRPC unless configured otherwise.
_MAX_REQUEST: Final = MappingProxyType({"http/protobuf": 15 * 1024**2, "grpc": 3_670_016})
_GRPC_REASONS: Final = MappingProxyType(
    {"UNAVAILABLE": "nobody answers", "DEADLINE_EXCEEDED": "no answer in time"}
)


class OtlpTransport:
    """Sends one signal by OTLP.

    Args:
        signal: Where to and how.
        environment: Where credentials' variables are.
        exporter: An exporter that somebody else made, to be used as it is.
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
        self.where = origin(signal.endpoint.value)
        self.max_request_bytes = _MAX_REQUEST[signal.protocol.value]
        self._environment = environment or Environment()
        self._exporter = exporter
        self._adopted = exporter is not None
        self._session: Any = None
        self._compressions = compressions or Compressions()
        self._made_for = ""
        """The compression that the exporter was made for."""
        self._no_such_signal = False
        """The receiver refuses this signal without compression as well."""

    @property
    def compression(self) -> str:
        """How requests are compressed now."""
        return self._compressions.of(self.signal, self.where)

    @property
    def exporter(self) -> Any:
        """The exporter itself; imported and made now if it was not yet."""
        if self._exporter is None:
            self._make(self.compression)
        return self._exporter

    @property
    def _retries_by_itself(self) -> bool:
        """Whether one call of the exporter may take its whole time-out though nobody listens."""
        return self._adopted or self.signal.protocol.value == "grpc"

    def send(self, items: Any, timeout: float) -> Outcome:
        """Send ``items`` in one request; in two where the receiver takes no compression."""
        if self._retries_by_itself and refused(self.signal.address):
            return Outcome(False, True, "connection refused")
        deadline = time.monotonic() + timeout
        compression = self.compression  # another signal may learn meanwhile
        outcome = self._attempt(items, timeout, compression)
        if not may_refuse_compression(outcome) or self._adopted or compression == "none":
            return outcome
        if self.signal.compression.given:
            return replace(outcome, hint=hint_for(self.signal, outcome))
        if self._no_such_signal:
            return outcome
        return self._without_compression(items, deadline - time.monotonic(), outcome)

    def _without_compression(self, items: Any, timeout: float, refusal: Outcome) -> Outcome:
        """Tell a receiver that takes no compression from one that does not take the signal."""
        outcome = self._attempt(items, timeout, "none")
        if outcome.reason == refusal.reason:
            self._no_such_signal = True
        elif not outcome.retryable:
            self._compressions.refused(self.signal, self.where, refusal)
        return outcome

    def _attempt(self, items: Any, timeout: float, compression: str) -> Outcome:
        if not self._adopted and compression != self._made_for:
            self.close()
            self.renew()
        try:
            exporter = self._exporter or self._make(compression)
        except OSError as error:  # a certificate's file that is none
            return Outcome(False, False, f"TLS: {error}")
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
            success = DELIVERED if self._session is None else self._session.success
            error = error_of_left_out(said)
            return success if error is None else replace(success, left_out=why_unencodable(error))
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

    def _make(self, compression: str) -> Any:
        with overheard():
            session = session_for(self.signal, self._environment)
            exporter = make_exporter(self.signal, self._environment, compression, session)
        if self.signal.protocol.value == "grpc" and not session.attach(exporter):
            session = None
        self._exporter, self._session, self._made_for = exporter, session, compression
        return exporter


def _read_log(said: Iterable[logging.LogRecord]) -> Outcome | None:
    """The outcome as the exporter's last line tells it: a gRPC status or an HTTP status code."""
    for record in reversed(list(said)):
        for value in record.args if isinstance(record.args, tuple) else ():
            code = getattr(value, "name", None)
            if isinstance(code, str) and code.isupper():
                return Outcome(False, code in GRPC_RETRYABLE, _GRPC_REASONS.get(code, code))
            if isinstance(value, int) and 400 <= value < 600:
                return Outcome(False, value in HTTP_RETRYABLE, f"HTTP {value}")
    return None
