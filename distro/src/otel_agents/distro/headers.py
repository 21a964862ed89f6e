"""Faults of a headers variable, described without showing its values."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

__all__ = ["Fault", "fault_of_header", "sendable"]

_NAME: Final = re.compile(r"[!#$%&'*+.\w^`|~-]+", re.ASCII)
_NAME_OF_GRPC: Final = re.compile(r"[\w.-]+", re.ASCII)
_PRINTABLE: Final = re.compile(r"[ -~]*")
_RESERVED: Final = re.compile(r'[";\\]')
_PAIRS: Final = "write it as name=value,name=value"


class Fault(NamedTuple):
    """Why a header is invalid; ``fatal`` if no request can be made with it."""

    text: str
    fatal: bool


_NO_PAIR: Final = Fault(f"a part that is not name=value, which is left out; {_PAIRS}", False)
_NO_NAME: Final = Fault(f"a name that is invalid for a header, which is left out; {_PAIRS}", False)
_NOT_ENCODED: Final = Fault(
    "a value that is not percent-encoded, which is left out; write %22 for a quotation mark, "
    "%3B for a semicolon, %5C for a backslash",
    False,
)
_UNSENDABLE_NAME: Final = Fault(
    "a name that cannot be sent, so nothing is; use letters, digits and any of _ . -", True
)
_UNSENDABLE_VALUE: Final = Fault(
    "a value that cannot be sent once it is decoded, so nothing is; use ASCII without line breaks",
    True,
)


def fault_of_header(part: str, protocol: str) -> Fault | None:
    """Return the fault of one comma-separated ``part``, or None.

    A part that OpenTelemetry leaves out is harmless. One that the transport refuses is fatal.
    """
    name, equals, value = (it.strip() for it in part.partition("="))
    if not part.strip():
        return None
    if not equals or not name:
        return _NO_PAIR
    if not _NAME.fullmatch(name):
        return _NO_NAME
    if not _PRINTABLE.fullmatch(value) or _RESERVED.search(value):
        return _NOT_ENCODED
    grpc = protocol == "grpc"
    if not (_NAME_OF_GRPC if grpc else _NAME).fullmatch(unquote(name)):
        return _UNSENDABLE_NAME
    return None if sendable(unquote(value).strip(), grpc=grpc) else _UNSENDABLE_VALUE


def sendable(value: str, *, grpc: bool) -> bool:
    """Return whether the transport accepts the decoded ``value`` of a header."""
    if grpc:
        return value.isascii() and value.isprintable()
    return all(ord(char) < 256 for char in value) and not re.search(r"[\r\n]", value)
