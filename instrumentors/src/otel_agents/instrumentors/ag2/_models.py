"""Calls of model clients: the SDK below reports them; without an instrumented SDK, this module."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from traceback import walk_tb
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields, Usage
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Provider

from ._clients import is_llm_client, model_of, provider_of, server_of_client, settings_of
from ._messages import conversation_messages, response_messages, system_instructions
from ._package import submodule_name

if TYPE_CHECKING:
    from ag2.context import ConversationContext
    from ag2.events import BaseEvent, ModelResponse
    from ag2.events import Usage as AG2Usage

__all__ = ["duck_typed_model_call", "event_sent", "model_call"]

_MESSAGE_CHUNK: Final = "ModelMessageChunk"
_CHUNK_EVENTS: Final = (_MESSAGE_CHUNK, "ModelReasoning")
"""Events that AG2 sends while a response streams in."""
# AG2 sends ModelReasoning for responses that are not streamed, too.
_AGENT_CLIENTS: Final = ("a2a.", "acp.")
"""Packages of clients that call a remote agent and not a model."""
_THINKING_NOT_IN_OUTPUT: Final = (Provider.GCP_GEMINI.value, Provider.GCP_VERTEX_AI.value)
"""Providers for which AG2's ``completion_tokens`` exclude the thinking tokens, which are billed."""
_CACHE_NOT_IN_INPUT: Final = (Provider.ANTHROPIC.value, Provider.AWS_BEDROCK.value)
"""Providers for which AG2's ``prompt_tokens`` exclude those read from a cache and written to it."""
_REQUESTED_MODEL_ECHOED: Final = (
    *_THINKING_NOT_IN_OUTPUT,
    Provider.AWS_BEDROCK.value,
    "dashscope",
)
"""Providers for which AG2 sets a response's model to the requested one."""
_REQUEST_MAPPERS: Final = re.compile(r"config\..+\.mappers|events\.tool_events")
"""Modules that convert the conversation so far into a request."""
_COMPLETED: Final = "completed"
_FINISH_REASONS: Final = MappingProxyType(
    {_COMPLETED: "stop", "failed": "error", "cancelled": "error"}
)
"""Finish reasons by the statuses of the Responses API, which AG2 passes on in their place."""
_USAGE_DETAILS: Final = (
    ("cache_read_input_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_creation_input_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("thinking_tokens", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)


class FrameworkModelCall(FrameworkCall):
    """One call of a model client, below every middleware: each call sends a request."""

    def __init__(
        self,
        telemetry: Telemetry,
        client: Any,
        events: Sequence[BaseEvent],
        context: ConversationContext,
    ) -> None:
        self._own_provider = provider_of(client, context)
        super().__init__(
            telemetry,
            settings_of(client),
            model=model_of(client, context),
            provider=self._own_provider,
            server=server_of_client(client),
            record_request=partial(_record_request, events, context),
        )
        self.context = _MODEL_CALL.set(self, self.context)

    def event_sent(self, kind: str) -> None:
        """Record that AG2 sent an event of this class name while the response streamed in."""
        self.chunk_received()
        if kind == _MESSAGE_CHUNK:
            self.settings = {**self.settings, "stream": True}

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Return ``error``, and record whether anything was sent.

        Nothing was sent where AG2 itself refuses the request or cannot serialize it. A response may
        name the provider.
        """
        named = getattr(value, "provider", None)
        if self.claim.provider is None and isinstance(named, str) and named:
            self.claim.provider = provider_name(named)
        if error is not None and (
            submodule_name(type(error).__module__) or _failed_to_serialize(error)
        ):
            self.nothing_sent()
        return error

    def response_fields(self, response: ModelResponse | None) -> ResponseFields:
        """Return what the client reports; a custom client may report nothing."""
        echoed = self._own_provider in _REQUESTED_MODEL_ECHOED
        usage = getattr(response, "usage", None)
        return ResponseFields(
            # AG2 1.0 drops the id: its ModelResponse has no response_id.
            response_id=getattr(response, "response_id", None),
            model=None if echoed else getattr(response, "model", None),
            finish_reasons=_finish_reasons(response),
            usage=_usage(usage, self.claim.provider) if usage else None,
        )

    def output_messages(self, response: ModelResponse | None) -> list[Message]:
        """Return the response as a message."""
        return response_messages(response)() if response is not None else []


def _usage(usage: AG2Usage, provider: str | None) -> Usage:
    """Return the tokens as billed."""
    read, written, thinking = (_tokens(usage, name) or 0 for name, _ in _USAGE_DETAILS)
    counts = zip(_USAGE_DETAILS, (read, written, thinking), strict=True)
    inputs, outputs = _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
    if inputs is not None and provider in _CACHE_NOT_IN_INPUT:
        inputs += read + written
    if thinking and provider in _THINKING_NOT_IN_OUTPUT:
        outputs = (outputs or 0) + thinking
    return Usage(inputs, outputs, {name: tokens for (_, name), tokens in counts if tokens})


_MODEL_CALL: Final = Slot("ag2-model-call", FrameworkModelCall)


def _failed_to_serialize(error: BaseException) -> bool:
    """Return whether nothing was sent: the conversation could not be made into a request."""
    # A tool call with invalid JSON in its arguments stays in the history, and AG2 parses it again
    # to build the next request.
    if not isinstance(error, json.JSONDecodeError):
        return False
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__))
    return any(_REQUEST_MAPPERS.fullmatch(submodule_name(module)) for module in modules)


def _finish_reasons(response: ModelResponse | None) -> tuple[str, ...]:
    reason = getattr(response, "finish_reason", None)
    if not isinstance(reason, str):
        return ()
    if reason == _COMPLETED and getattr(getattr(response, "tool_calls", None), "calls", None):
        return ("tool_calls",)
    return (_FINISH_REASONS.get(reason, reason),)


def _tokens(usage: AG2Usage, name: str) -> int | None:
    value = getattr(usage, name, None)
    return int(value) if isinstance(value, (int, float)) else None


def _record_request(
    events: Sequence[BaseEvent], context: ConversationContext, content: Content
) -> None:
    content.system_instructions = system_instructions(context)
    content.input_messages = conversation_messages(events)


def model_call(telemetry: Telemetry, call: Call) -> FrameworkModelCall | None:
    """Start at ``LLMClient.__call__(messages, context, …)``."""
    messages, context = call.argument(0, "messages"), call.argument(1, "context")
    return _start(telemetry, call.instance, messages, context)


def duck_typed_model_call(telemetry: Telemetry, call: Call) -> FrameworkModelCall | None:
    """Start at ``on_llm_call(call_next, events, context)`` for clients that `model_call` misses."""
    client = getattr(call.args[0], "func", None)
    if client is None or is_llm_client(client):
        return None
    return _start(telemetry, client, call.args[1], call.args[2])


def _start(
    telemetry: Telemetry, client: Any, events: Sequence[BaseEvent], context: ConversationContext
) -> FrameworkModelCall | None:
    """Start the call of a client, unless the client calls a remote agent."""
    if submodule_name(type(client).__module__).startswith(_AGENT_CLIENTS):
        return None
    return FrameworkModelCall(telemetry, client, events, context)


def event_sent(telemetry: Telemetry, call: Call) -> None:
    """Observe ``ConversationContext.send(event)``, by which a client publishes chunks."""
    kind = type(call.argument(0, "event")).__name__
    model_call = _MODEL_CALL.get() if kind in _CHUNK_EVENTS else None
    if model_call is not None:
        model_call.event_sent(kind)
