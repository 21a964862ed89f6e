"""What a model client of AG2's, or of the application's own, shows of what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Provider

from ._homes import part

__all__ = [
    "is_declared",
    "model_of",
    "named_provider",
    "provider_of",
    "server_asked",
    "settings_of",
]

_CONFIG: Final = "__ag2_model_config__"
"""The key by which AG2 leaves a turn's model configuration in its dependencies."""
_CLIENTS: Final = "config."
_PROVIDERS: Final = MappingProxyType(
    {
        "bedrock": Provider.AWS_BEDROCK.value,
        "gemini": Provider.GCP_GEMINI.value,
        "google": Provider.GCP_GEMINI.value,
        "mistral": Provider.MISTRAL_AI.value,
        "vertexai": Provider.GCP_VERTEX_AI.value,
        "xai": Provider.X_AI.value,
    }
)
"""AG2's names that are not the conventions'."""
_SETTINGS: Final = MappingProxyType(
    {"num_predict": "max_tokens", "random_seed": "seed", "stop_sequences": "stop"}
)
"""Names of settings that are not OpenAI's."""


def named_provider(name: str) -> str:
    """The conventions' name of a provider that AG2, or a response, names."""
    return _PROVIDERS.get(name, name)


def provider_of(client: Any) -> str | None:
    """The provider by the package of AG2's own client; an application's own names it later."""
    module = part(type(client).__module__)
    if not module.startswith(_CLIENTS):
        return None
    if getattr(getattr(client, "_client", None), "vertexai", None) is True:
        return Provider.GCP_VERTEX_AI.value
    return named_provider(module.removeprefix(_CLIENTS).partition(".")[0])


def model_of(client: Any, context: Any) -> str | None:
    """The model that ``client`` asks: of its options, or of the turn that it was made for."""
    options = as_mapping(getattr(client, "_create_options", None))
    known = (options.get("model"), *(getattr(client, n, None) for n in ("_model", "_model_name")))
    return next((one for one in (*known, _configured(context)) if isinstance(one, str)), None)


def _configured(context: Any) -> Any:
    dependencies: Mapping[Any, Any] = getattr(context, "dependencies", {})
    try:
        return getattr(dependencies.get(_CONFIG), "model", None)
    except NotImplementedError:  # the base class says so where a configuration names none
        return None


def settings_of(client: Any) -> dict[str, Any]:
    """What ``client`` asks with, in the names of OpenAI's API."""
    told = [
        as_mapping(getattr(client, name, None)) for name in ("_create_options", "_create_config")
    ]
    settings = {_SETTINGS.get(name, name): value for one in told for name, value in one.items()}
    streams = getattr(client, "_streaming", False) or settings.get("stream")
    return {**settings, "stream": streams}


def server_asked(client: Any) -> tuple[str, int] | None:
    """The endpoint of the SDK's client that ``client`` holds, or that it was given."""
    inner = getattr(client, "_client", None)
    options = getattr(getattr(inner, "_api_client", None), "_http_options", None)  # Google's
    given = as_mapping(getattr(client, "_client_kwargs", None)).get("endpoint_url")  # Bedrock's
    known = (getattr(inner, "base_url", None), getattr(options, "base_url", None), given)
    known = (*known, getattr(client, "_server_url", None))  # Mistral's
    return next((server_of(url) for url in known if url is not None), None)


def is_declared(client: Any) -> bool:
    """Whether ``client`` is of AG2's class of clients, and not one by its shape alone."""
    names = ((part(kind.__module__), kind.__name__) for kind in type(client).__mro__)
    return ("config.client", "LLMClient") in names
