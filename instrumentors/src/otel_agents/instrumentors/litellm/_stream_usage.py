"""Asks for the usage of streams that LiteLLM sends (``OTEL_AGENTS_STREAM_USAGE``).

What LiteLLM was not asked for it does not hand on: the chunk that tells the usage stays with it.
"""

from __future__ import annotations

import json
from typing import Any, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._dialects.openai.stream_usage import (
    OPTION,
    asked,
    retry_without_usage,
)

from ._questions import Question

__all__ = ["ask_for_usage"]


def ask_for_usage(call: Call, url: Any, question: Question) -> None:
    """Have ``call``, which posts a request, ask for usage too if it streams in OpenAI's format.

    It is left as it is where it asks itself, and for providers of which LiteLLM does not know that they
    take the option.
    """
    data = call.kwargs.get("data")
    if not isinstance(data, str) or not str(url).partition("?")[0].endswith("/completions"):
        return
    body: Any = json.loads(data)
    if not isinstance(body, dict):
        return
    request = cast("dict[str, Any]", body)
    stream_options = asked(request, question.server)
    if stream_options is None or not question.claim.withholds_usage:
        return
    call.kwargs = {**call.kwargs, "data": json.dumps({**request, OPTION: stream_options})}

    def restore() -> None:
        call.kwargs = {**call.kwargs, "data": data}

    retry_without_usage(call, question.server, restore)
