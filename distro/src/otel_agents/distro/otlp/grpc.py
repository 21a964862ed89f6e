"""The stub that the OTLP/gRPC exporters call: one attempt per export, and its outcome.

It does what the session in `http` does, for exporters that retry by themselves and return only
that they failed. Their stub is private; for a version without one, their log is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import grpc

from otel_agents.distro.headers import sendable
from otel_agents.distro.otlp.encoding import UNSENDABLE_HEADER, misconfigured
from otel_agents.distro.otlp.outcome import (
    DELIVERED,
    GRPC_RETRYABLE,
    NotDeliveredError,
    Outcome,
)
from otel_agents.distro.otlp.responses import partial_success, redacted_line

__all__ = ["SingleCallStub"]

_STUB: Final = "_client"
_NO_CONNECTION: Final = r"failed to connect to all addresses\b.*"
_CONNECTION_ERRORS: Final = MappingProxyType(
    {
        re.compile(pattern, re.DOTALL): reason
        for pattern, reason in (
            (f"{_NO_CONNECTION}Connection refused.*", "connection refused"),
            (f"{_NO_CONNECTION}(Socket closed|Connection reset).*", "connection closed"),
            (_NO_CONNECTION, "no connection"),
            (r"(DNS resolution failed|errors resolving) .*", "unknown host"),
            (r"(Stream removed \()?(\w+:)?(Socket closed|Connection reset).*", "connection closed"),
            (r"(Stream removed \()?GOAWAY.*", "connection closed"),
            (r"Deadline Exceeded", "timed out"),
        )
    }
)
"""Messages of gRPC itself, matched whole: a receiver's message may contain parts of them."""
_TLS: Final = re.compile(r"handshake failed|SSL_ERROR", re.IGNORECASE)
_TLS_REASON: Final = re.compile(r"OPENSSL_internal:([A-Z_0-9]+)")
_STATUS: Final = "grpc-status-details-bin"
_RETRY: Final = "google.rpc.retryinfo-bin"
_EXHAUSTED: Final = "RESOURCE_EXHAUSTED"
"""Overload if the receiver sends a retry delay, else a request that is too large."""


class SingleCallStub:
    """Replace an exporter's stub and keep the outcome of its last call.

    ``failure`` is the outcome of a failed call, ``success`` that of a successful one.

    Args:
        secrets: Values of headers, which no log line may show.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        # With such a header gRPC itself would log several lines for each call.
        self._unsendable = not all(sendable(it, grpc=True) for it in self._secrets)
        self._stub: Any = None
        self.deadline = 0.0
        self.failure: Outcome | None = None
        self.success = DELIVERED

    def attach(self, exporter: Any) -> bool:
        """Put this object between ``exporter`` and its stub; return False without a known stub."""
        self._stub = getattr(exporter, _STUB, None)
        if not callable(getattr(self._stub, "Export", None)):
            return False
        setattr(exporter, _STUB, self)
        return True

    def start_attempt(self, timeout: float) -> None:
        """Prepare an export that may take ``timeout`` seconds."""
        self.deadline = time.monotonic() + timeout
        self.failure, self.success = None, DELIVERED

    def Export(self, request: Any, metadata: Any = None, timeout: float = 0.0) -> Any:
        """Make one call.

        Raises:
            NotDeliveredError: No response, or the receiver refused.
        """
        if self._unsendable:
            self.failure = UNSENDABLE_HEADER
            raise NotDeliveredError(self.failure.reason)
        left = max(self.deadline - time.monotonic(), 0.001)
        try:
            response = self._stub.Export(request=request, metadata=metadata, timeout=left)
        except grpc.RpcError as error:
            self.failure = self._outcome(error, request)
            raise NotDeliveredError(self.failure.reason) from error
        except Exception as error:  # what gRPC rejects itself, such as a call on a closed channel
            self.failure = misconfigured(error)
            raise NotDeliveredError(self.failure.reason) from error
        rejected, message = partial_success(response.SerializeToString())
        message = redacted_line(message, self._secrets, request.SerializeToString)
        self.success = Outcome(True, rejected=rejected, message=message)
        return response

    def _outcome(self, error: Any, request: Any) -> Outcome:
        code, details = error.code().name, error.details() or ""
        retryable = code in GRPC_RETRYABLE
        reason = _connection_error(code, details)
        if reason:
            return Outcome(False, retryable, reason)
        message = redacted_line(details, self._secrets, request.SerializeToString)
        delay = _retry_delay(error)
        retryable = retryable or (code == _EXHAUSTED and delay is not None)
        return Outcome(False, retryable, code, delay or 0.0, message)


def _connection_error(code: str, details: str) -> str:
    """Return why there is no response; empty if a receiver responded."""
    if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return ""
    if re.match(_NO_CONNECTION, details) and _TLS.search(details):
        tls_reason = _TLS_REASON.search(details)
        return (
            f"TLS: {tls_reason[1].lower().replace('_', ' ')}"
            if tls_reason
            else "TLS: the handshake failed"
        )
    return next(
        (reason for form, reason in _CONNECTION_ERRORS.items() if form.fullmatch(details)), ""
    )


def _retry_delay(error: Any) -> float | None:
    """Return the seconds in the receiver's RetryInfo; None without one."""
    for name, value in error.trailing_metadata() or ():
        if name in (_STATUS, _RETRY):
            try:
                info = next(_retry_infos(name, value), None)
            except Exception:  # noqa: BLE001  protobuf versions raise various errors
                return None
            if info is not None:
                return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return None


def _retry_infos(name: str, value: bytes) -> Iterator[Any]:
    details: Any = import_module("google.rpc.error_details_pb2")
    if name == _RETRY:
        yield details.RetryInfo.FromString(value)
        return
    status: Any = import_module("google.rpc.status_pb2")
    for detail in status.Status.FromString(value).details:
        info = details.RetryInfo()
        if detail.Unpack(info):
            yield info
