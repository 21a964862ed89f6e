"""Where DSPy's own engine sends a request: provider, model, host and port."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_agents.instrumentors._dialects.fields import as_mapping, text
from otel_agents.instrumentors._dialects.openai.hosts import known_provider
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Provider

if TYPE_CHECKING:
    from ._types import Engine, Request

__all__ = ["Endpoint", "native_endpoint"]

_PROVIDERS: Final = MappingProxyType(
    {
        "aws": Provider.AWS_BEDROCK,
        "azure": Provider.AZURE_AI_OPENAI,
        "bedrock": Provider.AWS_BEDROCK,
        "claude": Provider.ANTHROPIC,
        "gemini": Provider.GCP_GEMINI,
        "moonshotai": Provider.MOONSHOT_AI,
        "openai": Provider.OPENAI,
        "vertex": Provider.GCP_VERTEX_AI,
        "xai": Provider.X_AI,
    }
)
"""The first words of DSPy's names of providers, such as ``openai-chat``."""


class Endpoint(NamedTuple):
    """What is known of the receiver of a request."""

    model: str
    provider: str | None = None
    server: tuple[str, int] | None = None


def native_endpoint(engine: Engine, request: Request, provider: str | None) -> Endpoint:
    """Return what an engine resolves a request to, without the network."""
    resolved = engine.resolve(request.model)
    name = provider or resolved.provider
    server = server_of(_url(engine, name))
    host = known_provider(server[0]) if server is not None else None
    return Endpoint(resolved.model, host or _provider(name), server)


def _provider(name: str) -> str:
    known = _PROVIDERS.get(name.partition("-")[0])
    return known.value if known is not None else name


def _url(engine: Engine, provider: str) -> str | None:
    """Return the base URL: the application's, else the provider's own."""
    given = as_mapping(engine.config.base_urls).get(provider)
    if given is not None:
        return str(given)
    definition: Any = import_module("dspy._vendor.lm15.registry").lookup(provider)
    if definition is None:  # declared by the application
        declared: Any = getattr(engine.config, "providers", ())
        definition = next((one for one in declared if one.id == provider), None)
        return text(getattr(definition, "access", None), "base_url")
    default = getattr(definition.adapter, "__dataclass_fields__", {}).get("base_url")
    own = definition.access.base_url
    return own if own is not None else getattr(default, "default", None)
