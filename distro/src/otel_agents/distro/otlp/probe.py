"""Whether anybody listens, asked before exporters that would find out slowly."""

from __future__ import annotations

import socket
from typing import Final

from otel_agents.distro.addresses import Address

__all__ = ["refused"]

_SECONDS: Final = 1.0
_PROXIES: Final = frozenset(("grpc", "http", "https", "all"))


def refused(address: Address | None) -> bool:
    """Whether nobody listens at ``address``; False where that cannot be told."""
    if address is None or not address.host or _has_proxy():
        return False
    try:
        socket.create_connection((address.host, address.port), _SECONDS).close()
    except ConnectionRefusedError:
        return True
    except (
        OSError,
        ValueError,
    ):  # a slow network, an unknown host: the exporter's attempt will tell
        return False
    return False


def _has_proxy() -> bool:
    """Behind a proxy a connection of our own tells nothing."""
    from urllib.request import getproxies  # costs at start, and is needed rarely

    return bool(getproxies().keys() & _PROXIES)
