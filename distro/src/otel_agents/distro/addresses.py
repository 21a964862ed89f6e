"""The address of a receiver, taken from an endpoint; an endpoint that cannot be one says why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

__all__ = ["Address", "MalformedError", "origin", "shown", "without_user"]

_URL: Final = ("http", "https")
_OF_GRPC: Final = ("unix", "unix-abstract", "dns", "ipv4", "ipv6", "vsock", "xds")
"""Schemes of gRPC's own names, which gRPC alone understands."""
_LABEL: Final = re.compile(r"[\w-]{1,63}")
_BROKEN_SCHEME: Final = re.compile(r"^(https?:)?/*", re.IGNORECASE)
_PORT: Final = re.compile(r":[^:\]]*$")
_USER: Final = re.compile(r"(//|^)[^/?#]*@")
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)


class MalformedError(ValueError):
    """No receiver can have this address; the text says why, ``instead`` what to write, for people."""

    def __init__(self, why: str, instead: str = "http://HOST:PORT") -> None:
        super().__init__(why)
        self.instead = instead


@dataclass(frozen=True)
class Address:
    """Where a receiver listens; ``host`` is empty where only gRPC can tell."""

    secure: bool
    host: str = ""
    port: int = 0

    @classmethod
    def read(cls, endpoint: str, protocol: str, *, insecure: bool = False) -> Address:
        """The address in ``endpoint``; ``insecure`` is asked where gRPC's has no scheme.

        Raises:
            MalformedError: It cannot be one.
        """
        scheme = endpoint.partition(":")[0].lower()
        if protocol == "grpc" and scheme in _OF_GRPC:
            return cls(secure=not insecure)
        if "://" not in endpoint:
            if protocol != "grpc":
                raise MalformedError("it has no scheme", _with_scheme(endpoint))
            if "/" in endpoint:
                raise MalformedError("it is no URL", _with_scheme(endpoint))
            endpoint = f"//{endpoint}"
        url = _split(endpoint)
        if url.scheme not in ("", *_URL):
            raise MalformedError(f"{url.scheme} is no scheme of OTLP")
        secure = url.scheme == "https" or (not url.scheme and not insecure)
        # gRPC's port is 443 with TLS and without.
        fallback = 443 if secure or protocol == "grpc" else 80
        return cls(secure, _host(url), _port(url) or fallback)


def _with_scheme(endpoint: str) -> str:
    rest = shown(_BROKEN_SCHEME.sub("", endpoint))
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
    place = url.netloc.rpartition("@")[2]
    if place.rpartition("]")[2].count(":") > 1:
        raise MalformedError(f"{place} has more than one port")
    text = _PORT.search(place)
    if text is None or text[0] == ":":
        return None
    number = text[0][1:]
    if not (number.isascii() and number.isdigit() and 0 < int(number) < 65536):
        raise MalformedError(f"{number} is no port (1 to 65535)")
    return int(number)


def origin(endpoint: str) -> str:
    """The endpoint without its path and without credentials: what the user recognises."""
    endpoint = shown(endpoint)
    try:
        url = urlsplit(endpoint)
    except ValueError:
        return endpoint
    return f"{url.scheme}://{url.netloc}" if url.netloc else endpoint


def shown(endpoint: str) -> str:
    """The endpoint for people: without a user's name and password, and without what is asked."""
    return _QUERY.sub("?…", without_user(endpoint))


def without_user(endpoint: str) -> str:
    """The endpoint without a user's name and password."""
    return _USER.sub(r"\1", endpoint, count=1)
