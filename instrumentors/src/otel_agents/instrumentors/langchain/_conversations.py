"""Conversations: a config's thread, the session of a history, or one that the metadata name."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed

from ._names import labels_of_config
from ._runs import RUNS

__all__ = [
    "conversation_context",
    "conversations_of",
    "in_conversation",
    "model_conversation",
    "model_stream_context",
    "on_config",
    "with_batched_conversations",
]

_SESSION: Final = "session_id"
_BATCHED: Final[Slot[dict[Any, Any]]] = Slot("langchain-batched-conversations", dict)
"""The ids of the conversations of a batch, by the identities of its inputs."""
_configured: Final[ContextVar[str | None]] = ContextVar("otel_agents_configured", default=None)
"""The conversation of the config of the chain that starts next."""
_DEPTH: Final = 8
"""Levels of a chain in which a history is searched."""


def conversations_of(
    runnable: Any, inputs: Sequence[Any], config: Any
) -> dict[int, deque[str]] | None:
    """Return the conversations of a batch whose inputs have a config each."""
    found: dict[int, deque[str]] = {}
    configs = listed(config)
    for value, one in zip(inputs, configs or [config] * len(inputs), strict=False):
        conversation = _conversation_of(runnable, as_mapping(one))
        if conversation is not None:
            found.setdefault(id(value), deque()).append(conversation)
    return found


def with_batched_conversations(conversations: dict[int, deque[str]], context: Context) -> Context:
    """Return ``context`` for a batch with these conversations."""
    return _BATCHED.set(conversations, context)


def in_conversation(inputs: Any, metadata: Mapping[str, Any], parent: Context) -> Context:
    """Return ``parent`` in a run's conversation; an id that the application set is kept."""
    configured = _configured.get()
    if configured is not None:
        _configured.set(None)
    if conversation_id(parent) is not None:
        return parent
    if RUNS.batch() is not None:  # the configs of a batch are read before its runs start
        configured = _batched_conversation(inputs, parent)
    found = metadata.get("thread_id") or configured or metadata.get(_SESSION)
    return with_conversation_id(str(found), parent) if found else parent


def _batched_conversation(value: Any, context: Context) -> str | None:
    """Return the conversation of the run of a batch with the input ``value``, once.

    LangChain may put an input that is no dictionary into one, as the fallbacks' batch does.
    """
    batched = _BATCHED.get(context) or {}
    waiting = batched.get(id(value)) or batched.get(id(as_mapping(value).get("input")))
    return waiting.popleft() if waiting else None


def on_config(telemetry: Telemetry, call: Call) -> None:
    """Observe what LangChain reads of the config of a chain, right before it reports its start.

    It is called for chains of each kind. Earlier versions copy ``configurable`` to the metadata.
    """
    if RUNS.current() is None:
        config = as_mapping(call.argument(0, "config"))
        _configured.set(_id_in(as_mapping(config.get("configurable"))))


def model_conversation(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for ``invoke(input, config)`` of a model that is called outside of runs."""
    if RUNS.current() is not None or conversation_id() is not None:
        return None
    config = as_mapping(call.argument(1, "config"))
    known = (config.get("configurable"), config.get("metadata"), call.instance.metadata)
    found = next(filter(None, map(_id_in, map(as_mapping, known))), None)
    return with_conversation_id(found) if found is not None else None


def model_stream_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for ``stream(input, config, …)`` of a model: its labels as well."""
    return labels_of_config(telemetry, call, model_conversation(telemetry, call))


def _id_in(settings: Mapping[str, Any]) -> str | None:
    found = settings.get("thread_id") or settings.get(_SESSION)
    return str(found) if found else None


def conversation_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for a call of a chain that is no part of a run: its conversation's.

    LangChain does not pass on to the callbacks what a config has under ``configurable``.
    """
    if conversation_id() is not None:
        return None
    found = _conversation_of(call.instance, as_mapping(call.argument(1, "config")))
    return with_conversation_id(found) if found is not None else None


def _conversation_of(runnable: Any, config: Mapping[str, Any]) -> str | None:
    """Return the id of the thread, or that of the session of a history in ``runnable``."""
    settings = as_mapping(config.get("configurable"))
    if not settings:
        return None
    found = settings.get("thread_id")
    if not found:
        history = _history_in(runnable, _DEPTH)
        found = settings.get(_session_key(history)) if history is not None else None
    return str(found) if found else None


def _history_in(runnable: Any, depth: int) -> Any:
    """Return the first ``RunnableWithMessageHistory`` that a chain consists of."""
    if hasattr(runnable, "history_factory_config"):
        return runnable
    bound = getattr(runnable, "bound", None)
    parts = listed(getattr(runnable, "steps", None)) or ([bound] if bound is not None else [])
    found = (_history_in(part, depth - 1) for part in parts if depth)
    return next((history for history in found if history is not None), None)


def _session_key(history: Any) -> str:
    keys = [getattr(one, "id", "") for one in listed(history.history_factory_config)]
    return keys[0] if len(keys) == 1 else _SESSION
