"""Where a client sends its requests: host, port and the provider behind it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from otel_agents.instrumentors._dialects.openai.hosts import provider_of_host
from otel_agents.semconv.values import Provider

__all__ = ["Endpoint", "endpoint_of"]


class Endpoint(NamedTuple):
    """The host and port of a client, and the provider that the host belongs to."""

    provider: str
    host: str
    port: int

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port, None where the client has no host."""
        return (self.host, self.port) if self.host else None


_PORTS: Final = {"https": 443, "http": 80}

_known: WeakKeyDictionary[Any, tuple[Any, Endpoint]] = WeakKeyDictionary()


def endpoint_of(client: Any) -> Endpoint:
    """The endpoint of an OpenAI client; looked at again when its base URL is replaced."""
    url = client._base_url
    known = _known.get(client)
    if known is not None and known[0] is url:
        return known[1]
    host = str(url.host)
    port = int(url.port or _PORTS.get(url.scheme, 443))
    endpoint = Endpoint(_provider(client, host), host, port)
    _known[client] = (url, endpoint)
    return endpoint


def _provider(client: Any, host: str) -> str:
    if any(cls.__name__ == "BaseAzureClient" for cls in type(client).__mro__):
        return Provider.AZURE_AI_OPENAI.value
    return provider_of_host(host)
