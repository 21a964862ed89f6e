"""Where LiteLLM sends a request: the provider in the conventions' spelling."""

from __future__ import annotations

import re
import sys
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from otel_agents.instrumentors._dialects import providers
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.instrumentors._dialects.openai.stream_usage import OPTION
from otel_agents.semconv.values import Provider

__all__ = [
    "COMPLETES_TEXT",
    "SPEAKS_OPENAI",
    "provider_name",
    "sent_model",
    "tells_usage_of_streams",
]

COMPLETES_TEXT: Final = ("azure_text", "text-completion-codestral", "text-completion-openai")
"""LiteLLM's names of routes that complete a text, also where a chat was asked for."""

SPEAKS_OPENAI: Final = (Provider.OPENAI.value, Provider.AZURE_AI_OPENAI.value)
"""The providers whose spans have attributes of OpenAI's own."""


def provider_name(provider: Any) -> str | None:
    """``gen_ai.provider.name`` for a ``custom_llm_provider``."""
    if not isinstance(provider, str) or not provider:
        return None
    return providers.provider_name(provider, _OWN)


_OWN: Final = MappingProxyType({"azure": Provider.AZURE_AI_OPENAI})


def tells_usage_of_streams(model: str | None, provider: Any) -> bool:
    """Whether LiteLLM knows that streams of the model tell their usage if they are asked to."""
    litellm: Any = sys.modules["litellm"]
    known = litellm.get_supported_openai_params(model=model, custom_llm_provider=provider)
    return OPTION in (known or ())


_MODEL_IN_PATH: Final = re.compile(r"/(?:models?|deployments)/([^/?]+)")
_METHOD: Final = re.compile(r":[a-zA-Z]+$")


def sent_model(url: Any, body: Any) -> str | None:
    """The model as a request names it to the provider; LiteLLM's name may tell the way to it too.

    Args:
        url: Where it goes; some providers name the model there.
        body: What is sent, if that is not text yet.
    """
    named = text(body, "model")
    found = _MODEL_IN_PATH.search(str(url)) if named is None else None
    if found is None:
        return named
    return _METHOD.sub("", unquote(found[1]))
