"""Host and port of a provider's endpoint."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["server_of"]

_PORTS: Final = MappingProxyType({"https": 443, "http": 80, "ws": 80})


def server_of(url: Any) -> tuple[str, int] | None:
    """Return the host and port of a URL; None if it has no host."""
    return _server_of(str(url))


@lru_cache(maxsize=256)
def _server_of(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # an invalid URL of the application: the library itself will raise
        return None
    return (host, port or _PORTS.get(parts.scheme, 443)) if host else None
