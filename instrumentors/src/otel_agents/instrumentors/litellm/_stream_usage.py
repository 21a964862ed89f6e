"""Requests the usage of streams that LiteLLM sends (``OTEL_AGENTS_STREAM_USAGE``).

LiteLLM withholds the chunk with the usage from a caller that did not request it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._dialects.openai.stream_usage import (
    OPTION,
    retry_without_usage,
    usage_option,
)

from ._calls import RoutedCall

if TYPE_CHECKING:
    import httpx

__all__ = ["request_usage"]


def request_usage(call: Call, url: httpx.URL | str, routed: RoutedCall) -> None:
    """Add the usage option to the request that ``call`` posts, if it streams in OpenAI's format.

    The request stays as it is if it has the option, or if LiteLLM does not list the option for the
    provider.
    """
    data = call.kwargs.get("data")
    if not isinstance(data, str) or not str(url).partition("?")[0].endswith("/completions"):
        return
    body: Any = json.loads(data)
    if not isinstance(body, dict):
        return
    request = cast("dict[str, Any]", body)
    stream_options = usage_option(request, routed.server)
    if stream_options is None or not routed.claim.withholds_usage:
        return
    call.kwargs = {**call.kwargs, "data": json.dumps({**request, OPTION: stream_options})}

    def restore() -> None:
        call.kwargs = {**call.kwargs, "data": data}

    retry_without_usage(call, routed.server, restore)
