"""Host and port of a provider's endpoint."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["server_of"]

_PORTS: Final = MappingProxyType({"https": 443, "http": 80, "ws": 80})


def server_of(url: Any) -> tuple[str, int] | None:
    """Return the host and port of a URL; None if it has no host."""
    try:
        parts = urlsplit(str(url))
        host, port = parts.hostname, parts.port
    except ValueError:  # an invalid URL of the application: the library itself will raise
        return None
    return (host, port or _PORTS.get(parts.scheme, 443)) if host else None
