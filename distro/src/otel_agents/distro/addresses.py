"""The address of a receiver, parsed from an endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

__all__ = ["Address", "MalformedError", "origin", "redacted", "without_credentials"]

_URL_SCHEMES: Final = ("http", "https")
_GRPC_SCHEMES: Final = ("unix", "unix-abstract", "dns", "ipv4", "ipv6", "vsock", "xds")
"""Schemes of gRPC's name resolvers."""
_LABEL: Final = re.compile(r"[\w-]{1,63}")
_BROKEN_SCHEME: Final = re.compile(r"^(https?:)?/*", re.IGNORECASE)
_PORT: Final = re.compile(r":[^:\]]*$")
_USER: Final = re.compile(r"(//|^)[^/?#]*@")
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)


class MalformedError(ValueError):
    """An endpoint is invalid; the text says why, ``suggestion`` what to write."""

    def __init__(self, why: str, suggestion: str = "http://HOST:PORT") -> None:
        super().__init__(why)
        self.suggestion = suggestion


@dataclass(frozen=True)
class Address:
    """Where a receiver listens; ``host`` is empty if only gRPC can resolve it."""

    secure: bool
    host: str = ""
    port: int = 0

    @classmethod
    def read(cls, endpoint: str, protocol: str, *, insecure: bool = False) -> Address:
        """Parse ``endpoint``; ``insecure`` applies to a gRPC endpoint without a scheme.

        Raises:
            MalformedError: The endpoint is invalid.
        """
        scheme = endpoint.partition(":")[0].lower()
        if protocol == "grpc" and scheme in _GRPC_SCHEMES:
            return cls(secure=not insecure)
        if "://" not in endpoint:
            if protocol != "grpc":
                raise MalformedError("it has no scheme", _with_scheme(endpoint))
            if "/" in endpoint:
                raise MalformedError("it is no URL", _with_scheme(endpoint))
            endpoint = f"//{endpoint}"
        url = _split(endpoint)
        if url.scheme not in ("", *_URL_SCHEMES):
            raise MalformedError(f"{url.scheme} is no scheme of OTLP")
        secure = url.scheme == "https" or (not url.scheme and not insecure)
        # gRPC's default port is 443 with and without TLS.
        fallback = 443 if secure or protocol == "grpc" else 80
        return cls(secure, _host(url), _port(url) or fallback)


def _with_scheme(endpoint: str) -> str:
    rest = redacted(_BROKEN_SCHEME.sub("", endpoint))
    return f"http://{rest} or https://{rest}"


def _split(endpoint: str) -> SplitResult:
    try:
        return urlsplit(endpoint)
    except ValueError:
        raise MalformedError("its host is no IPv6 address") from None


def _host(url: SplitResult) -> str:
    host = url.hostname
    if not host:
        raise MalformedError("it names no host")
    if ":" in host:  # IPv6
        return host
    labels = host.removesuffix(".").split(".")
    if "" in labels:
        raise MalformedError(f"part of its host {host} is empty")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise MalformedError(f"no host can be named {host}")
    return host


def _port(url: SplitResult) -> int | None:
    authority = url.netloc.rpartition("@")[2]
    if authority.rpartition("]")[2].count(":") > 1:
        raise MalformedError(f"{authority} has more than one port")
    text = _PORT.search(authority)
    if text is None or text[0] == ":":
        return None
    number = text[0][1:]
    if not (number.isascii() and number.isdigit() and 0 < int(number) < 65536):
        raise MalformedError(f"{number} is no port (1 to 65535)")
    return int(number)


def origin(endpoint: str) -> str:
    """Return the endpoint without path and credentials."""
    endpoint = redacted(endpoint)
    try:
        url = urlsplit(endpoint)
    except ValueError:
        return endpoint
    return f"{url.scheme}://{url.netloc}" if url.netloc else endpoint


def redacted(endpoint: str) -> str:
    """Return the endpoint for messages: without user name, password and query."""
    return _QUERY.sub("?…", without_credentials(endpoint))


def without_credentials(endpoint: str) -> str:
    """Return the endpoint without user name and password."""
    return _USER.sub(r"\1", endpoint, count=1)
