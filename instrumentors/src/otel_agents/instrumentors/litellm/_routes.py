"""LiteLLM's routes: the provider in the conventions' spelling, and the model as it is sent."""

from __future__ import annotations

import re
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from otel_agents.instrumentors._dialects import providers
from otel_agents.instrumentors._dialects.fields import Body, text
from otel_agents.instrumentors._dialects.openai.stream_usage import OPTION
from otel_agents.semconv.values import Provider

if TYPE_CHECKING:
    import httpx

__all__ = [
    "OPENAI_PROVIDERS",
    "TEXT_COMPLETION_ROUTES",
    "provider_name",
    "sent_model",
    "supports_stream_usage",
]

TEXT_COMPLETION_ROUTES: Final = (
    "azure_text",
    "text-completion-codestral",
    "text-completion-openai",
)
"""LiteLLM's names of routes that send a text completion, even for a chat."""

OPENAI_PROVIDERS: Final = (Provider.OPENAI.value, Provider.AZURE_AI_OPENAI.value)
"""The providers whose spans have ``openai.*`` attributes."""


def provider_name(provider: str | None) -> str | None:
    """Return ``gen_ai.provider.name`` for a ``custom_llm_provider``."""
    if not isinstance(provider, str) or not provider:
        return None
    return providers.provider_name(provider, _OVERRIDES)


_OVERRIDES: Final = MappingProxyType({"azure": Provider.AZURE_AI_OPENAI})


def supports_stream_usage(model: str | None, provider: str | None) -> bool:
    """Return whether LiteLLM lists ``stream_options`` among the parameters of the model."""
    supported = sys.modules["litellm"].get_supported_openai_params
    known: list[str] | None = supported(model=model, custom_llm_provider=provider)
    return OPTION in (known or ())


_MODEL_IN_PATH: Final = re.compile(r"/(?:models?|deployments)/([^/?]+)")
_METHOD: Final = re.compile(r":[a-zA-Z]+$")


def sent_model(url: httpx.URL | str | None, body: Body | str | bytes | None) -> str | None:
    """Return the model as the request names it; LiteLLM's own name may include the route.

    Args:
        url: The URL, which names the model for some providers.
        body: The body, unless it is encoded already.
    """
    named = text(body, "model")
    found = _MODEL_IN_PATH.search(str(url)) if named is None else None
    if found is None:
        return named
    return _METHOD.sub("", unquote(found[1]))
