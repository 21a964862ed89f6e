"""The session that the OTLP/HTTP exporters send through: one attempt per call, and its outcome.

The exporters retry by themselves, which one batch cannot be interrupted in, and tell only that they
failed. Their session is a public argument: here it ends each call after the first answer and keeps
what happened, so that waiting and retrying are the queue's decision.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any, Final

import requests

from otel_agents.distro.addresses import redacted
from otel_agents.distro.otlp.encoding import unmade
from otel_agents.distro.otlp.outcome import DELIVERED, HTTP_RETRYABLE, NotDeliveredError, Outcome
from otel_agents.distro.otlp.words import body_text, in_short, partial_success, uncompressed

__all__ = ["OneAttempt"]

_NETWORKS: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
_CLOSED: Final = (
    *(ConnectionResetError, ConnectionAbortedError, BrokenPipeError, IncompleteRead),
    *(RemoteDisconnected, ssl.SSLEOFError),
)


class OneAttempt(requests.Session):
    """A session whose requests end at ``deadline`` and whose last failure is ``failure``.

    Of a success, ``success`` has what the receiver said.

    Args:
        secrets: Values of headers, which no line may show.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)
        self.deadline = 0.0
        self.failure: Outcome | None = None
        self.success = DELIVERED

    def begin(self, timeout: float) -> None:
        """Before each export: it may take ``timeout`` seconds."""
        self.deadline = time.monotonic() + timeout
        self.failure, self.success = None, DELIVERED

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """One request; a lost connection is tried again at once, since a pooled one may be stale.

        Raises:
            NotDeliveredError: Nobody answered, or not with success.
        """
        try:
            response = self._once(method, url, *args, **options)
        except requests.RequestException as error:
            if any(isinstance(cause, ConnectionResetError) for cause in _causes(error)):
                response = self._again(method, url, *args, **options)
            else:
                raise self._failed(_unanswered(error)) from error
        except OSError as error:  # a certificate's file that is none
            raise self._failed(Outcome(False, False, f"TLS: {error}")) from error
        except Exception as error:  # a header that HTTP has not, as one that is not Latin-1
            raise self._failed(unmade(error)) from error
        if not 200 <= response.status_code < 300:  # exporters take a redirection for success
            raise self._failed(self._refusal(response, options.get("data") or b""))
        self.success = self._acceptance(response, options.get("data") or b"")
        return response

    def _acceptance(self, response: requests.Response, sent: bytes) -> Outcome:
        if "protobuf" not in response.headers.get("Content-Type", ""):
            return DELIVERED
        rejected, said = partial_success(response.content)
        said = in_short(said, self._secrets, lambda: uncompressed(sent))
        return Outcome(True, rejected=rejected, said=said)

    def _refusal(self, response: requests.Response, sent: bytes) -> Outcome:
        status = response.status_code
        said = body_text(response.headers.get("Content-Type", ""), response.content)
        if "Location" in response.headers:
            said = f"it moved to {redacted(response.headers['Location'])}"
        return Outcome(
            False,
            status in HTTP_RETRYABLE,
            f"HTTP {status}",
            _seconds(response.headers.get("Retry-After")),
            in_short(said, self._secrets, lambda: uncompressed(sent)),
        )

    def _once(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        options["timeout"] = max(self.deadline - time.monotonic(), 0.001)
        options["allow_redirects"] = False
        if options.get("verify") is None:
            options["verify"] = self.verify  # else REQUESTS_CA_BUNDLE wins over the user's
        return super().request(method, url, *args, **options)

    def _again(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        try:
            return self._once(method, url, *args, **options)
        except requests.RequestException as error:
            raise self._failed(_unanswered(error)) from error

    def _failed(self, outcome: Outcome) -> NotDeliveredError:
        self.failure = outcome
        return NotDeliveredError(outcome.reason)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _unanswered(error: requests.RequestException) -> Outcome:
    """A malformed URL or an untrusted certificate stays what it is; the network may change."""
    if isinstance(error, ValueError):
        return unmade(error)
    broken = any(isinstance(cause, ssl.SSLEOFError) for cause in _causes(error))
    untrusted = isinstance(error, requests.exceptions.SSLError) and not broken
    return Outcome(False, not untrusted and isinstance(error, _NETWORKS), _reason(error))


def _reason(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, _CLOSED):
            return "connection closed"
        if isinstance(cause, ssl.SSLError):
            told = cause.reason or type(cause).__name__
            return f"TLS: {told.lower().replace('_', ' ')}"
        if type(cause).__name__ in ("gaierror", "NameResolutionError"):
            return "unknown host"
        if isinstance(cause, (TimeoutError, requests.Timeout)):
            return "no answer in time"
    return type(error).__name__


def _seconds(text: str | None) -> float:
    # An HTTP date is legal too; the queue's own pauses serve as well.
    return float(text) if text is not None and text.strip().isdigit() else 0.0
