"""A quick check for refused connections, before exporters that would notice slowly."""

from __future__ import annotations

import socket
from typing import Final

from otel_agents.distro.addresses import Address

__all__ = ["connection_refused"]

_SECONDS: Final = 1.0
_PROXIES: Final = frozenset(("grpc", "http", "https", "all"))


def connection_refused(address: Address | None) -> bool:
    """Return whether ``address`` refuses connections; False if that cannot be determined."""
    if address is None or not address.host or _has_proxy():
        return False
    try:
        socket.create_connection((address.host, address.port), _SECONDS).close()
    except ConnectionRefusedError:
        return True
    except (
        OSError,
        ValueError,
    ):  # a slow network, an unknown host: the exporter's attempt decides
        return False
    return False


def _has_proxy() -> bool:
    """Return whether a proxy is set: then a direct connection proves nothing."""
    from urllib.request import getproxies  # slow to import, rarely needed

    return bool(getproxies().keys() & _PROXIES)
