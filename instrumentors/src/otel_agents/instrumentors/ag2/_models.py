"""Calls of model clients: the SDK below reports them; without an instrumented SDK, this module."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from functools import partial
from traceback import walk_tb
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.openai.requests import inference_attributes
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, Provider

from ._clients import (
    is_llm_client,
    model_of,
    provider_name,
    provider_of,
    server_of_client,
    settings_of,
)
from ._messages import conversation_messages, response_messages, system_instructions
from ._package import submodule_name

if TYPE_CHECKING:
    from ag2.context import ConversationContext
    from ag2.events import BaseEvent, ModelResponse, Usage

__all__ = ["duck_typed_model_call", "event_sent", "model_call"]

_MESSAGE_CHUNK: Final = "ModelMessageChunk"
_CHUNK_EVENTS: Final = (_MESSAGE_CHUNK, "ModelReasoning")
"""Events that AG2 sends while a response streams in."""
# AG2 sends ModelReasoning for responses that are not streamed, too.
_AGENT_CLIENTS: Final = ("a2a.", "acp.")
"""Packages of clients that call a remote agent and not a model."""
_GOOGLE: Final = (Provider.GCP_GEMINI.value, Provider.GCP_VERTEX_AI.value)
"""Providers whose operation is ``generate_content``."""
_REQUESTED_MODEL_ECHOED: Final = (*_GOOGLE, Provider.AWS_BEDROCK.value, "dashscope")
"""Providers for which AG2 sets a response's model to the requested one."""
_CACHE_NOT_IN_INPUT: Final = (Provider.ANTHROPIC.value, Provider.AWS_BEDROCK.value)
"""Providers whose input tokens exclude those read from a cache and written to it."""
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


class FrameworkModelCall(ClaimedCall):
    """One call of a model client, below every middleware: each call sends a request."""

    def __init__(
        self,
        telemetry: Telemetry,
        client: Any,
        events: Sequence[BaseEvent],
        context: ConversationContext,
    ) -> None:
        self._provider = provider_of(client)
        super().__init__(
            telemetry,
            Operation.GENERATE_CONTENT if self._provider in _GOOGLE else Operation.CHAT,
            model=model_of(client, context),
            provider=self._provider,
            sends_itself=True,
            record_request=partial(_record_request, events, context),
        )
        self.server = server_of_client(client)
        self._content_enabled = telemetry.gate.enabled
        self._settings = settings_of(client)
        self._started = time.perf_counter()
        self._first_chunk: float | None = None
        self.context = _MODEL_CALL.set(self, self.context)

    def chunk_received(self, kind: str) -> None:
        """Record that a chunk of the response, an event of this class name, was received."""
        if self._first_chunk is None:
            self._first_chunk = time.perf_counter() - self._started
        if kind == _MESSAGE_CHUNK:
            self._settings["stream"] = True

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

    def response_id(self, response: Any) -> str | None:
        """Return the provider's id of the response."""
        # AG2 1.0 drops the id: its ModelResponse has no response_id.
        return getattr(response, "response_id", None)

    def describe(self, call: Any, response: ModelResponse | None) -> None:
        """Record what the client reports; a custom client may report nothing."""
        if call.detailed:
            call.attributes.update(inference_attributes(self._settings))
        if self._first_chunk is not None and self._settings["stream"]:
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = self._first_chunk
        if response is None:
            return
        call.response_id = self.response_id(response)
        if self._provider not in _REQUESTED_MODEL_ECHOED:
            call.response_model = getattr(response, "model", None)
        call.finish_reasons = _finish_reasons(response)
        if self._content_enabled:
            output = response_messages(response)()
            call.content.output_messages = with_finish_reasons(output, call.finish_reasons)
        usage = getattr(response, "usage", None)
        if usage:
            self._record_usage(call, usage)

    def _record_usage(self, call: Any, usage: Usage) -> None:
        read, written, thinking = (_tokens(usage, name) for name, _ in _USAGE_DETAILS)
        for (_, name), tokens in zip(_USAGE_DETAILS, (read, written, thinking), strict=True):
            if tokens:
                call.attributes[name] = tokens
        prompt = _tokens(usage, "prompt_tokens")
        if prompt is not None and self.claim.provider in _CACHE_NOT_IN_INPUT:
            prompt += (read or 0) + (written or 0)
        output = _tokens(usage, "completion_tokens")
        # For Google's models AG2's completion_tokens exclude the thinking tokens, which are billed.
        if thinking and self._provider in _GOOGLE:
            output = (output or 0) + thinking
        call.input_tokens, call.output_tokens = prompt, output


_MODEL_CALL: Final = Slot("ag2-model-call", FrameworkModelCall)


def _failed_to_serialize(error: BaseException) -> bool:
    """Return whether nothing was sent: the conversation could not be made into a request."""
    # A tool call with invalid JSON in its arguments stays in the history, and AG2 parses it again
    # to build the next request.
    if not isinstance(error, json.JSONDecodeError):
        return False
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__))
    return any(_REQUEST_MAPPERS.fullmatch(submodule_name(module)) for module in modules)


def _finish_reasons(response: ModelResponse) -> tuple[str, ...]:
    reason = getattr(response, "finish_reason", None)
    if not isinstance(reason, str):
        return ()
    if reason == _COMPLETED and getattr(getattr(response, "tool_calls", None), "calls", None):
        return ("tool_calls",)
    return (_FINISH_REASONS.get(reason, reason),)


def _tokens(usage: Usage, name: str) -> int | None:
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
        model_call.chunk_received(kind)
