"""Asks for the usage of streams that LiteLLM sends itself (``OTEL_AGENTS_STREAM_USAGE``).

What LiteLLM was not asked for it does not hand on: the chunk that tells the usage stays with it.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final, cast

__all__ = ["asking_usage"]

_OPTION: Final = "stream_options"


def asking_usage(url: Any, data: Any, model: str | None, provider: Any) -> Any:
    """The body ``data`` of a request, which asks for usage too if it streams in OpenAI's format.

    It is left as it is where it says itself what it wants, and for providers of which LiteLLM does not
    know that they take the option.
    """
    if not isinstance(data, str) or not str(url).partition("?")[0].endswith("/completions"):
        return data
    body: Any = json.loads(data)
    if not isinstance(body, dict):
        return data
    request = cast("dict[str, Any]", body)
    if request.get("stream") is not True or _OPTION in request or not _takes(model, provider):
        return data
    return json.dumps({**request, _OPTION: {"include_usage": True}})


def _takes(model: str | None, provider: Any) -> bool:
    litellm: Any = sys.modules["litellm"]
    known = litellm.get_supported_openai_params(model=model, custom_llm_provider=provider)
    return _OPTION in (known or ())
