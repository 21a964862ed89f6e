"""Classifies the errors of exporters: network, settings, or an item that cannot be encoded.

Only network errors are retryable. If a batch cannot be encoded, one of its items is the cause;
some versions of the exporters raise then, others log it and return a failure. An error inside
`requests` or gRPC comes after encoding: the settings are the cause, such as a header that cannot be
sent, and a retry with other items would fail too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from traceback import walk_tb
from types import MappingProxyType
from typing import Final

from otel_agents.distro.otlp.exporter_logs import ENCODER_LOGGER
from otel_agents.distro.otlp.outcome import Outcome

__all__ = [
    "UNSENDABLE_HEADER",
    "attribute_error",
    "misconfigured",
    "outcome_of_error",
    "outcome_of_logs",
    "why_unencodable",
]

UNSENDABLE_HEADER: Final = Outcome(False, False, "a header that cannot be sent", misconfigured=True)

_NOT_ENCODED: Final = "Failed to encode"
_DROPPED: Final = "Dropping"
"""How the log line of an exporter begins that sends no request and raises nothing."""

_NOT_EXPORTED: Final = "Failed to export"
_TRANSPORTS: Final = ("requests", "grpc")

_UNSUPPORTED_TYPE: Final = "a value has a type that OTLP does not support"
_REASONS: Final = MappingProxyType(
    {
        "UnicodeEncodeError": "a string contains a lone surrogate",
        "RecursionError": "it is cyclic or nested too deeply",
        "TooManyValuesError": "it has too many values or is cyclic",
        "OverflowError": "a number is out of range",
        "ValueError": "a value is out of range",
        "TypeError": _UNSUPPORTED_TYPE,
        "Exception": _UNSUPPORTED_TYPE,  # raised by the encoder itself
    }
)


def why_unencodable(error: BaseException) -> str:
    """Return a human-readable reason; never the exception's text, which may quote the item."""
    cause = vars(error).get(
        "original_exception", error
    )  # wraps it for metrics; `vars` calls no property
    return _REASONS.get(type(cause).__name__, type(cause).__name__)


def outcome_of_error(error: BaseException) -> Outcome:
    """Return the outcome of an exporter that raised ``error``."""
    # An exporter may raise another error while it handles a network error.
    if any(map(_is_network_error, (error, error.__cause__, error.__context__))):
        return Outcome(False, True, type(error).__name__)
    return misconfigured(error) if _failed_in_transport(error) else _unencodable(error)


def misconfigured(error: BaseException) -> Outcome:
    """Return the outcome where no request can be sent, without text that may quote a secret."""
    if isinstance(error, UnicodeError):
        return UNSENDABLE_HEADER
    return Outcome(False, False, type(error).__name__, misconfigured=True)


def outcome_of_logs(logged: Iterable[logging.LogRecord]) -> Outcome | None:
    """Return the outcome from the log of an exporter that sent nothing; None without a reason."""
    for record in logged:
        text = str(record.msg)
        if text.startswith(_NOT_ENCODED) and isinstance(record.args, tuple):
            for value in record.args:
                if isinstance(value, Exception):
                    return _unencodable(value)
        if text.startswith(_NOT_EXPORTED) and isinstance(record.args, tuple):
            for value in record.args:
                if isinstance(value, Exception) and not _is_network_error(value):
                    return misconfigured(value)
        if text.startswith(_DROPPED):
            return Outcome(False, False, "it exceeds the exporter's size limit", unencodable=True)
    return None


def attribute_error(logged: Iterable[logging.LogRecord]) -> BaseException | None:
    """Return the error of an attribute that could not be encoded and was dropped; else None."""
    for record in logged:
        if record.name == ENCODER_LOGGER and record.exc_info:
            return record.exc_info[1]
    return None


def _unencodable(error: BaseException) -> Outcome:
    return Outcome(False, False, why_unencodable(error), unencodable=True)


def _failed_in_transport(error: BaseException) -> bool:
    frames = walk_tb(error.__traceback__)
    modules = (str(frame.f_globals.get("__name__", "")) for frame, _ in frames)
    return any(module.partition(".")[0] in _TRANSPORTS for module in modules)


def _is_network_error(error: BaseException | None) -> bool:
    # Errors of `requests` are OSErrors; one about a malformed URL is a ValueError too.
    names = {kind.__name__ for kind in type(error).__mro__}
    of_the_system = isinstance(error, OSError) and not isinstance(error, ValueError)
    return "RpcError" in names or (of_the_system and "SSLError" not in names)
