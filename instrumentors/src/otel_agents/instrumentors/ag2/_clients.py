"""What a model client, AG2's or a custom one, reveals of its requests."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of

from ._package import submodule_name

if TYPE_CHECKING:
    from ag2.context import ConversationContext

__all__ = [
    "is_llm_client",
    "model_of",
    "provider_of",
    "server_of_client",
    "settings_of",
]

_CONFIG_KEY: Final = "__ag2_model_config__"
"""The key of a turn's model configuration in the turn's dependencies."""
_CLIENT_PACKAGES: Final = "config."
_SETTINGS: Final = MappingProxyType(
    {"num_predict": "max_tokens", "random_seed": "seed", "stop_sequences": "stop"}
)
"""Setting names that differ from OpenAI's."""


def provider_of(client: Any, context: ConversationContext) -> str | None:
    """Return the provider of AG2's own client: its configuration's, or else its package's.

    None for a custom client, whose responses may name the provider.
    """
    package = _client_package(client)
    if not package:
        return None
    config = _config(context)
    # The client may have been created by another configuration, as for a summary.
    named = _of_config(config, "provider") if _client_package(config) == package else None
    return provider_name(named.value if named is not None else package)


def model_of(client: Any, context: ConversationContext) -> str | None:
    """Return the requested model from the client's options, else from the turn's configuration."""
    options = as_mapping(getattr(client, "_create_options", None))
    of_client = (getattr(client, name, None) for name in ("_model", "_model_name"))
    candidates = (options.get("model"), *of_client, _of_config(_config(context), "model"))
    return next((model for model in candidates if isinstance(model, str)), None)


def _client_package(value: Any) -> str:
    """Return the package, such as ``anthropic``, of AG2's own client or configuration."""
    module = submodule_name(type(value).__module__)
    if not module.startswith(_CLIENT_PACKAGES):
        return ""
    return module.removeprefix(_CLIENT_PACKAGES).partition(".")[0]


def _config(context: ConversationContext) -> Any:
    return getattr(context, "dependencies", {}).get(_CONFIG_KEY)


def _of_config(config: Any, name: str) -> Any:
    try:
        return getattr(config, name, None)
    except NotImplementedError:  # ModelConfig's properties raise it where a subclass has none
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
    """Return host and port of the SDK client in ``client``, where it has a base URL."""
    return server_of(getattr(getattr(client, "_client", None), "base_url", None))


def is_llm_client(client: Any) -> bool:
    """Return whether ``client`` derives from AG2's ``LLMClient``; a duck-typed client does not."""
    names = ((submodule_name(kind.__module__), kind.__name__) for kind in type(client).__mro__)
    return ("config.client", "LLMClient") in names
