"""What a model client, AG2's or a custom one, reveals of its requests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Provider

from ._package import submodule_name

if TYPE_CHECKING:
    from ag2.context import ConversationContext

__all__ = [
    "is_llm_client",
    "model_of",
    "provider_name",
    "provider_of",
    "server_of_client",
    "settings_of",
]

_CONFIG_KEY: Final = "__ag2_model_config__"
"""The key of a turn's model configuration in the turn's dependencies."""
_CLIENT_PACKAGES: Final = "config."
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
"""AG2's provider names that differ from the conventions'."""
_SETTINGS: Final = MappingProxyType(
    {"num_predict": "max_tokens", "random_seed": "seed", "stop_sequences": "stop"}
)
"""Setting names that differ from OpenAI's."""


def provider_name(name: str) -> str:
    """Return the conventions' name for a provider name of AG2 or of a response."""
    return _PROVIDERS.get(name, name)


def provider_of(client: Any) -> str | None:
    """Return the provider of AG2's own client, by its package.

    None for a custom client, whose responses may name the provider.
    """
    module = submodule_name(type(client).__module__)
    if not module.startswith(_CLIENT_PACKAGES):
        return None
    if getattr(getattr(client, "_client", None), "vertexai", None) is True:
        return Provider.GCP_VERTEX_AI.value
    return provider_name(module.removeprefix(_CLIENT_PACKAGES).partition(".")[0])


def model_of(client: Any, context: ConversationContext) -> str | None:
    """Return the requested model from the client's options, else from the turn's configuration."""
    options = as_mapping(getattr(client, "_create_options", None))
    of_client = (getattr(client, name, None) for name in ("_model", "_model_name"))
    candidates = (options.get("model"), *of_client, _configured_model(context))
    return next((model for model in candidates if isinstance(model, str)), None)


def _configured_model(context: ConversationContext) -> Any:
    dependencies: Mapping[Any, Any] = getattr(context, "dependencies", {})
    try:
        return getattr(dependencies.get(_CONFIG_KEY), "model", None)
    except NotImplementedError:  # ModelConfig.model raises it where a subclass names no model
        return None


def settings_of(client: Any) -> dict[str, Any]:
    """Return the request settings of ``client``, by their names in OpenAI's API."""
    options = [
        as_mapping(getattr(client, name, None)) for name in ("_create_options", "_create_config")
    ]
    settings = {_SETTINGS.get(name, name): value for one in options for name, value in one.items()}
    streams = getattr(client, "_streaming", False) or settings.get("stream")
    return {**settings, "stream": streams}


def server_of_client(client: Any) -> tuple[str, int] | None:
    """Return host and port of the SDK client in ``client``, or of the URL it was created with."""
    sdk_client = getattr(client, "_client", None)
    google = getattr(getattr(sdk_client, "_api_client", None), "_http_options", None)
    urls = (
        getattr(sdk_client, "base_url", None),
        getattr(google, "base_url", None),
        as_mapping(getattr(client, "_client_kwargs", None)).get("endpoint_url"),  # Bedrock
        getattr(client, "_server_url", None),  # Mistral
    )
    return next((server_of(url) for url in urls if url is not None), None)


def is_llm_client(client: Any) -> bool:
    """Return whether ``client`` derives from AG2's ``LLMClient``; a duck-typed client does not."""
    names = ((submodule_name(kind.__module__), kind.__name__) for kind in type(client).__mro__)
    return ("config.client", "LLMClient") in names
