"""The span of a framework's model call, for the tables of providers."""

from __future__ import annotations

from typing import Any

from otel_agents.testing.scripted_model import Entry, ScriptedModel

__all__ = ["attributes_of_call"]


def attributes_of_call(
    model: ScriptedModel,
    entry: Entry,
    reason: str,
    *,
    provider: str,
    requested: str,
    operation: str = "chat",
    stream: bool = False,
) -> dict[str, Any]:
    """Return the attributes of the span of one billed response, but for durations.

    Args:
        model: Where the request was sent.
        entry: What the ledger has of it.
        reason: The provider's finish reason.
        provider: The name of the provider.
        requested: The model that was requested.
        operation: The name of the operation.
        stream: Whether the response was streamed.
    """
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": requested,
        "gen_ai.response.model": entry.model,
        "gen_ai.response.id": entry.response_id,
        "gen_ai.response.finish_reasons": (reason,),
        "gen_ai.usage.input_tokens": entry.input_tokens,
        "gen_ai.usage.output_tokens": entry.output_tokens,
        "server.address": "127.0.0.1",
        "server.port": model.port,
        **({"gen_ai.request.stream": True} if stream else {}),
    }
