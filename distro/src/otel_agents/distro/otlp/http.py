"""The session that the OTLP/HTTP exporters send through: one attempt per call, and its outcome.

The exporters retry by themselves, uninterruptibly, and return only that they failed. Their session
is a public argument: ours ends each call after the first response and keeps the outcome, so that
waiting and retrying are the queue's decision.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any, Final

import requests

from otel_agents.distro.addresses import redacted
from otel_agents.distro.otlp.encoding import misconfigured
from otel_agents.distro.otlp.outcome import DELIVERED, HTTP_RETRYABLE, NotDeliveredError, Outcome
from otel_agents.distro.otlp.responses import (
    body_text,
    partial_success,
    redacted_line,
    uncompressed,
)

__all__ = ["SingleAttemptSession"]

_NETWORK_ERRORS: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
_CONNECTION_CLOSED: Final = (
    *(ConnectionResetError, ConnectionAbortedError, BrokenPipeError, IncompleteRead),
    *(RemoteDisconnected, ssl.SSLEOFError),
)


class SingleAttemptSession(requests.Session):
    """A session whose requests end at ``deadline`` and that keeps the last outcome.

    ``failure`` is the outcome of a failed request, ``success`` that of a successful one.

    Args:
        secrets: Values of headers, which no log line may show.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)
        self.deadline = 0.0
        self.failure: Outcome | None = None
        self.success = DELIVERED

    def start_attempt(self, timeout: float) -> None:
        """Prepare an export that may take ``timeout`` seconds."""
        self.deadline = time.monotonic() + timeout
        self.failure, self.success = None, DELIVERED

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send one request; retry a reset connection at once, since a pooled one may be stale.

        Raises:
            NotDeliveredError: No response, or one without success.
        """
        try:
            response = self._send(method, url, *args, **options)
        except requests.RequestException as error:
            if any(isinstance(cause, ConnectionResetError) for cause in _causes(error)):
                response = self._retry(method, url, *args, **options)
            else:
                raise self._failed(_network_failure(error)) from error
        except OSError as error:  # a certificate file that is not one
            raise self._failed(Outcome(False, False, f"TLS: {error}")) from error
        except (
            Exception
        ) as error:  # a header that HTTP cannot carry, such as one that is not Latin-1
            raise self._failed(misconfigured(error)) from error
        if not 200 <= response.status_code < 300:  # exporters treat a redirect as success
            raise self._failed(self._refusal(response, options.get("data") or b""))
        self.success = self._acceptance(response, options.get("data") or b"")
        return response

    def _acceptance(self, response: requests.Response, sent: bytes) -> Outcome:
        if "protobuf" not in response.headers.get("Content-Type", ""):
            return DELIVERED
        rejected, message = partial_success(response.content)
        message = redacted_line(message, self._secrets, lambda: uncompressed(sent))
        return Outcome(True, rejected=rejected, message=message)

    def _refusal(self, response: requests.Response, sent: bytes) -> Outcome:
        status = response.status_code
        message = body_text(response.headers.get("Content-Type", ""), response.content)
        if "Location" in response.headers:
            message = f"moved to {redacted(response.headers['Location'])}"
        return Outcome(
            False,
            status in HTTP_RETRYABLE,
            f"HTTP {status}",
            _seconds(response.headers.get("Retry-After")),
            redacted_line(message, self._secrets, lambda: uncompressed(sent)),
        )

    def _send(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        options["timeout"] = max(self.deadline - time.monotonic(), 0.001)
        options["allow_redirects"] = False
        if options.get("verify") is None:
            options["verify"] = (
                self.verify
            )  # else REQUESTS_CA_BUNDLE overrides the user's certificate
        return super().request(method, url, *args, **options)

    def _retry(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        try:
            return self._send(method, url, *args, **options)
        except requests.RequestException as error:
            raise self._failed(_network_failure(error)) from error

    def _failed(self, outcome: Outcome) -> NotDeliveredError:
        self.failure = outcome
        return NotDeliveredError(outcome.reason)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _network_failure(error: requests.RequestException) -> Outcome:
    """Return the outcome of a request without a response; only network errors are retryable."""
    if isinstance(error, ValueError):
        return misconfigured(error)
    broken = any(isinstance(cause, ssl.SSLEOFError) for cause in _causes(error))
    untrusted = isinstance(error, requests.exceptions.SSLError) and not broken
    return Outcome(False, not untrusted and isinstance(error, _NETWORK_ERRORS), _reason(error))


def _reason(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, _CONNECTION_CLOSED):
            return "connection closed"
        if isinstance(cause, ssl.SSLError):
            tls_reason = cause.reason or type(cause).__name__
            return f"TLS: {tls_reason.lower().replace('_', ' ')}"
        if type(cause).__name__ in ("gaierror", "NameResolutionError"):
            return "unknown host"
        if isinstance(cause, (TimeoutError, requests.Timeout)):
            return "timed out"
    return type(error).__name__


def _seconds(text: str | None) -> float:
    # It may also be an HTTP date; then the queue's own backoff is used.
    return float(text) if text is not None and text.strip().isdigit() else 0.0
