"""The contract of the official GenAI packages, in both directions.

They keep an object with what they know of a model call in the context, under a public key. An
instrumentation that starts a call of the same kind and finds one there reports nothing, and fills
the object in. Source: ``opentelemetry-util-genai`` 1.3, module
``opentelemetry.util.genai.invocation``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from opentelemetry.context import Context, get_value, set_value

from otel_agents.semconv.values import Operation

__all__ = ["MODULE", "announce", "fill", "find", "without_official_calls"]

MODULE: Final = "opentelemetry.util.genai.invocation"
"""The module of the data objects. If it is not imported, nobody follows the contract."""
_INFERENCE: Final = ("opentelemetry.genai.client.inference.context", "InferenceData")
_CONTRACTS: Final = MappingProxyType(
    {
        Operation.CHAT: _INFERENCE,
        Operation.GENERATE_CONTENT: _INFERENCE,
        Operation.TEXT_COMPLETION: _INFERENCE,
        Operation.EMBEDDINGS: ("opentelemetry.genai.client.embedding.context", "EmbeddingData"),
        Operation.RETRIEVAL: ("opentelemetry.genai.client.retrieval.context", "RetrievalData"),
        Operation.FETCH_RESPONSE: (
            "opentelemetry.genai.client.fetch_response.context",
            "FetchResponseData",
        ),
    }
)
_OURS: Final = "_otel_agents"
_KEYS: Final = tuple({key for key, _ in _CONTRACTS.values()})


def _data_class(name: str) -> type[Any] | None:
    # If the package is not in use, nobody reads the key: do not import it for that.
    return getattr(sys.modules.get(MODULE), name, None)


def find(operation: Operation, context: Context) -> object | None:
    """Return the data object of an official call of the same kind around us."""
    contract = _CONTRACTS.get(operation)
    if contract is None:
        return None
    key, name = contract
    found = get_value(key, context)
    if found is None or getattr(found, _OURS, False):
        return None
    expected = _data_class(name)
    return found if expected is not None and isinstance(found, expected) else None


def announce(operation: Operation, context: Context) -> Context:
    """Return ``context`` in which official instrumentations of the same call report nothing."""
    contract = _CONTRACTS.get(operation)
    expected = _data_class(contract[1]) if contract else None
    if contract is None or expected is None:
        return context
    data = expected()
    setattr(data, _OURS, True)  # our calls inside our calls are responses of their own
    return set_value(contract[0], data, context)


def without_official_calls(context: Context) -> Context:
    """Return ``context`` without official calls, for a tool, an agent or a workflow."""
    for key in _KEYS:
        if get_value(key, context) is not None:
            context = set_value(key, None, context)
    return context


def fill(data: object, attributes: Mapping[str, Any]) -> None:
    """Set what we know on the data object of an official call.

    Its fields are named like the attributes: ``gen_ai.usage.input_tokens`` is
    ``usage_input_tokens``, ``server.address`` is ``server_address``.
    """
    for name, value in attributes.items():
        field = name.removeprefix("gen_ai.").replace(".", "_")
        if getattr(data, field, value) is None:  # an existing value wins
            setattr(data, field, list(cast(Any, value)) if isinstance(value, tuple) else value)
