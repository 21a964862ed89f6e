"""Shapes that the endpoints share: names of released models, tiers, usage objects."""

from __future__ import annotations

from types import MappingProxyType

from otel_agents.testing.scripted_model.dialect import Exchange, Tool
from otel_agents.testing.scripted_model.reactions import Usage
from otel_agents.testing.scripted_model.values import Json, json_object

RELEASES = MappingProxyType(
    {
        "gpt-4o": "gpt-4o-2024-08-06",
        "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
        "gpt-4.1": "gpt-4.1-2025-04-14",
        "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
        "gpt-5": "gpt-5-2025-08-07",
        "gpt-5-mini": "gpt-5-mini-2025-08-07",
        "o3": "o3-2025-04-16",
        "o4-mini": "o4-mini-2025-04-16",
    }
)


def model_name(exchange: Exchange) -> str:
    """Return the response's model: the scripted one, else the requested one's dated release."""
    requested = exchange.request.model
    return exchange.response.model or RELEASES.get(requested, requested)


def service_tier(exchange: Exchange) -> str:
    """Return the scripted tier, else the requested one; "auto" becomes "default"."""
    requested = exchange.request.body.get("service_tier")
    return exchange.response.service_tier or (
        "default" if requested in (None, "auto") else str(requested)
    )


def completion_usage(usage: Usage) -> Json:
    """Return usage as chat and legacy completions report it."""
    input_details = {
        "cached_tokens": usage.cached_tokens,
        "audio_tokens": usage.input_audio_tokens,
        "image_tokens": usage.input_image_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    always = ("cached_tokens", "audio_tokens")  # only newer models report the others
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            name: count for name, count in input_details.items() if count or name in always
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.output_audio_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def function_tool(declared: Json) -> Tool:
    """Return a tool of a request; `declared` holds name and parameters."""
    return Tool(str(declared.get("name")), json_object(declared.get("parameters")))


def forced_tool(choice: object) -> str | None:
    """Return the tool that `tool_choice` names, "" for "none", None if the model may choose."""
    if choice == "none":
        return ""
    named = json_object(choice)
    return json_object(named.get("function")).get("name") or named.get("name")
