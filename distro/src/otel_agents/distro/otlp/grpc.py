"""The stub that the OTLP/gRPC exporters call: one attempt per export, and what came of it.

As the session of `http`: the exporters retry by themselves and tell only that they failed. Their
stub is private; where a version has none, their log is read.
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
from otel_agents.distro.otlp.encoding import UNSENDABLE_HEADER, unmade
from otel_agents.distro.otlp.outcome import (
    DELIVERED,
    GRPC_RETRYABLE,
    NotDeliveredError,
    Outcome,
)
from otel_agents.distro.otlp.words import in_short, partial_success

__all__ = ["OneCall"]

_STUB: Final = "_client"
_NO_CONNECTION: Final = r"failed to connect to all addresses\b.*"
_OWN_REASONS: Final = MappingProxyType(
    {
        re.compile(pattern, re.DOTALL): reason
        for pattern, reason in (
            (f"{_NO_CONNECTION}Connection refused.*", "connection refused"),
            (f"{_NO_CONNECTION}(Socket closed|Connection reset).*", "connection closed"),
            (_NO_CONNECTION, "nobody answers"),
            (r"(DNS resolution failed|errors resolving) .*", "unknown host"),
            (r"(Stream removed \()?(\w+:)?(Socket closed|Connection reset).*", "connection closed"),
            (r"(Stream removed \()?GOAWAY.*", "connection closed"),
            (r"Deadline Exceeded", "no answer in time"),
        )
    }
)
"""What gRPC itself says where no receiver did; a receiver's words may have parts of it."""
_TLS: Final = re.compile(r"handshake failed|SSL_ERROR", re.IGNORECASE)
_TLS_REASON: Final = re.compile(r"OPENSSL_internal:([A-Z_0-9]+)")
_STATUS: Final = "grpc-status-details-bin"
_RETRY: Final = "google.rpc.retryinfo-bin"
_EXHAUSTED: Final = "RESOURCE_EXHAUSTED"
"""An overload where the receiver says when to come again, else a request that is too large."""


class OneCall:
    """Takes the place of an exporter's stub; its last failure is ``failure``.

    Of a success, ``success`` has what the receiver said.

    Args:
        secrets: Values of headers, which no line may show.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        # gRPC itself would write several lines for each call.
        self._unsendable = not all(sendable(it, grpc=True) for it in self._secrets)
        self._stub: Any = None
        self.deadline = 0.0
        self.failure: Outcome | None = None
        self.success = DELIVERED

    def attach(self, exporter: Any) -> bool:
        """Stand between ``exporter`` and its stub; False where it has none that is known."""
        self._stub = getattr(exporter, _STUB, None)
        if not callable(getattr(self._stub, "Export", None)):
            return False
        setattr(exporter, _STUB, self)
        return True

    def begin(self, timeout: float) -> None:
        """Before each export: it may take ``timeout`` seconds."""
        self.deadline = time.monotonic() + timeout
        self.failure, self.success = None, DELIVERED

    def Export(self, request: Any, metadata: Any = None, timeout: float = 0.0) -> Any:
        """One call.

        Raises:
            NotDeliveredError: Nobody answered, or the receiver refused.
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
        except Exception as error:  # what gRPC does not take, as a call on a closed channel
            self.failure = unmade(error)
            raise NotDeliveredError(self.failure.reason) from error
        rejected, said = partial_success(response.SerializeToString())
        said = in_short(said, self._secrets, request.SerializeToString)
        self.success = Outcome(True, rejected=rejected, said=said)
        return response

    def _outcome(self, error: Any, request: Any) -> Outcome:
        code, details = error.code().name, error.details() or ""
        retryable = code in GRPC_RETRYABLE
        reason = _own_reason(code, details)
        if reason:
            return Outcome(False, retryable, reason)
        said = in_short(details, self._secrets, request.SerializeToString)
        pause = _asked_pause(error)
        retryable = retryable or (code == _EXHAUSTED and pause is not None)
        return Outcome(False, retryable, code, pause or 0.0, said)


def _own_reason(code: str, details: str) -> str:
    """Why nobody answered, in our own words; empty where a receiver spoke."""
    if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return ""
    if re.match(_NO_CONNECTION, details) and _TLS.search(details):
        told = _TLS_REASON.search(details)
        return f"TLS: {told[1].lower().replace('_', ' ')}" if told else "TLS: the handshake failed"
    return next((reason for form, reason in _OWN_REASONS.items() if form.fullmatch(details)), "")


def _asked_pause(error: Any) -> float | None:
    """Seconds that the receiver asks to wait, as its RetryInfo has them; None without one."""
    for name, value in error.trailing_metadata() or ():
        if name in (_STATUS, _RETRY):
            try:
                info = next(_retry_infos(name, value), None)
            except Exception:  # noqa: BLE001  whatever this protobuf raises for what is none
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
