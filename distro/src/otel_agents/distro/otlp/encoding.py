"""Why no request could be made: an exporter that raises or fails before it has sent anything.

Only the network's own failures may pass. What cannot be encoded never can be, and one item of a batch
is the cause of it; exporters of some versions raise then, others log and return that they failed.
What fails on its way through the transport had been encoded: the settings are the cause, as a header
that cannot be sent, and no item would do better.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from traceback import walk_tb
from types import MappingProxyType
from typing import Final

from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.silence import ENCODER

__all__ = [
    "UNSENDABLE_HEADER",
    "error_of_left_out",
    "not_sent",
    "raised",
    "unmade",
    "why_unencodable",
]

UNSENDABLE_HEADER: Final = Outcome(False, False, "a header that cannot be sent", unmade=True)

_NOT_ENCODED: Final = "Failed to encode"
_NOT_SENT: Final = "Dropping"
"""How an exporter begins that says why it makes no request, and raises nothing."""

_NOT_TAKEN: Final = "Failed to export"
_TRANSPORTS: Final = ("requests", "grpc")

_KIND: Final = "a value is of a kind that OTLP has not"
_WHY: Final = MappingProxyType(
    {
        "UnicodeEncodeError": "a text has half of a character, a lone surrogate",
        "RecursionError": "it contains itself or is too deep",
        "TooManyValuesError": "it holds too many values, or itself",
        "OverflowError": "a number is out of range",
        "ValueError": "a value is out of range",
        "TypeError": _KIND,
        "Exception": _KIND,  # the encoder's own
    }
)


def why_unencodable(error: BaseException) -> str:
    """For people; never the exception's text, which may quote the item."""
    cause = vars(error).get("original_exception", error)  # of a metric; nothing of others is called
    return _WHY.get(type(cause).__name__, type(cause).__name__)


def raised(error: BaseException) -> Outcome:
    """The outcome of an exporter that raises: by the network, the settings or what it encodes."""
    # An exporter that handles an error of the network may raise another one.
    if any(map(_is_networks, (error, error.__cause__, error.__context__))):
        return Outcome(False, True, type(error).__name__)
    return unmade(error) if _was_on_its_way(error) else _unencodable(error)


def unmade(error: BaseException) -> Outcome:
    """The outcome where the transport takes no request at all; its text may quote a secret."""
    if isinstance(error, UnicodeError):
        return UNSENDABLE_HEADER
    return Outcome(False, False, type(error).__name__, unmade=True)


def not_sent(said: Iterable[logging.LogRecord]) -> Outcome | None:
    """The outcome of an exporter that says why it makes no request; None where it does not."""
    for record in said:
        text = str(record.msg)
        if text.startswith(_NOT_ENCODED) and isinstance(record.args, tuple):
            for value in record.args:
                if isinstance(value, Exception):
                    return _unencodable(value)
        if text.startswith(_NOT_TAKEN) and isinstance(record.args, tuple):
            for value in record.args:
                if isinstance(value, Exception) and not _is_networks(value):
                    return unmade(value)
        if text.startswith(_NOT_SENT):
            return Outcome(False, False, "it is larger than its exporter takes", unencodable=True)
    return None


def error_of_left_out(said: Iterable[logging.LogRecord]) -> BaseException | None:
    """Why an attribute could not be encoded, if one was left out."""
    for record in said:
        if record.name == ENCODER and record.exc_info:
            return record.exc_info[1]
    return None


def _unencodable(error: BaseException) -> Outcome:
    return Outcome(False, False, why_unencodable(error), unencodable=True)


def _was_on_its_way(error: BaseException) -> bool:
    frames = walk_tb(error.__traceback__)
    modules = (str(frame.f_globals.get("__name__", "")) for frame, _ in frames)
    return any(module.partition(".")[0] in _TRANSPORTS for module in modules)


def _is_networks(error: BaseException | None) -> bool:
    # The errors of `requests` are the system's; a malformed address is a wrong value too.
    names = {kind.__name__ for kind in type(error).__mro__}
    of_the_system = isinstance(error, OSError) and not isinstance(error, ValueError)
    return "RpcError" in names or (of_the_system and "SSLError" not in names)
