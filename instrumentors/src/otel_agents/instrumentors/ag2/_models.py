"""Model clients: the SDK below them reports, or they do where none is seen."""

from __future__ import annotations

import json
import re
import time
from functools import partial
from traceback import walk_tb
from types import MappingProxyType
from typing import Any, Final

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
    is_declared,
    model_of,
    named_provider,
    provider_of,
    server_asked,
    settings_of,
)
from ._homes import part
from ._messages import answer, conversation, instructions

__all__ = ["event_sent", "model_call", "undeclared_model_call"]

_CHUNK: Final = "ModelMessageChunk"
_PIECES: Final = (_CHUNK, "ModelReasoning")
"""Events of what comes in a stream; thoughts are told of a whole response too."""
_REMOTE: Final = ("a2a.", "acp.")
"""Clients that ask an agent, which is no model."""
_GENERATED: Final = (Provider.GCP_GEMINI.value, Provider.GCP_VERTEX_AI.value)
"""Providers that generate content; what AG2 tells of their output tokens is without thoughts."""
_ECHOED: Final = (*_GENERATED, Provider.AWS_BEDROCK.value, "dashscope")
"""Providers for whom AG2 names as the response's model the one that it has asked for."""
_CACHE_APART: Final = (Provider.ANTHROPIC.value, Provider.AWS_BEDROCK.value)
"""Providers whose input tokens do not contain those read from a cache and written to it."""
_HISTORY: Final = re.compile(r"config\..+\.mappers|events\.tool_events")
"""Modules that make a request of what was said before."""
_COMPLETED: Final = "completed"
_STATUSES: Final = MappingProxyType({_COMPLETED: "stop", "failed": "error", "cancelled": "error"})
_BREAKDOWN: Final = (
    ("cache_read_input_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_creation_input_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("thinking_tokens", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)


class Answer(ClaimedCall):
    """One call of a model client, below every middleware: the call itself is evidence."""

    def __init__(self, telemetry: Telemetry, client: Any, events: Any, context: Any) -> None:
        self._own = provider_of(client)
        super().__init__(
            telemetry,
            Operation.GENERATE_CONTENT if self._own in _GENERATED else Operation.CHAT,
            model=model_of(client, context),
            provider=self._own,
            sends_itself=True,
            record_request=partial(_record_request, events, context),
        )
        self.server = server_asked(client)
        self._wanted = telemetry.gate.enabled
        self._settings = settings_of(client)
        self._opened = time.perf_counter()
        self._first_chunk: float | None = None
        self.context = _ANSWER.set(self, self.context)

    def piece(self, kind: str) -> None:
        """A piece of a response is there."""
        if self._first_chunk is None:
            self._first_chunk = time.perf_counter() - self._opened
        if kind == _CHUNK:
            self._settings["stream"] = True

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """A response may name the provider; what AG2 itself refuses, or cannot write, was not sent."""
        named = getattr(value, "provider", None)
        if self.claim.provider is None and isinstance(named, str) and named:
            self.claim.provider = named_provider(named)
        if error is not None and (part(type(error).__module__) or _is_unwritten(error)):
            self.nothing_sent()
        return error

    def response_id(self, response: Any) -> str | None:
        """The provider's id of the response, in versions that keep it."""
        return getattr(response, "response_id", None)

    def describe(self, call: Any, response: Any) -> None:
        """What the client has told of it; one of the application's own may tell nothing."""
        if call.detailed:
            call.attributes.update(inference_attributes(self._settings))
        if self._first_chunk is not None and self._settings["stream"]:
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = self._first_chunk
        if response is None:
            return
        call.response_id = self.response_id(response)
        if self._own not in _ECHOED:
            call.response_model = getattr(response, "model", None)
        call.finish_reasons = _reasons(response)
        if self._wanted:
            call.content.output_messages = with_finish_reasons(
                answer(response)(), call.finish_reasons
            )
        usage = getattr(response, "usage", None)
        if usage:
            self._count(call, usage)

    def _count(self, call: Any, usage: Any) -> None:
        read, written, thought = (_tokens(usage, name) for name, _ in _BREAKDOWN)
        for (_, name), tokens in zip(_BREAKDOWN, (read, written, thought), strict=True):
            if tokens:
                call.attributes[name] = tokens
        prompt = _tokens(usage, "prompt_tokens")
        if prompt is not None and self.claim.provider in _CACHE_APART:
            prompt += (read or 0) + (written or 0)
        output = _tokens(usage, "completion_tokens")
        if thought and self._own in _GENERATED:
            output = (output or 0) + thought
        call.input_tokens, call.output_tokens = prompt, output


_ANSWER: Final = Slot("ag2-answer", Answer)


def _is_unwritten(error: BaseException) -> bool:
    """Whether the history, as of a tool's broken arguments, could not be made into a request."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__))
    return any(_HISTORY.fullmatch(part(module)) for module in modules)


def _reasons(response: Any) -> tuple[str, ...]:
    """Why the response ends; of the Responses API AG2 tells the status instead."""
    reason = getattr(response, "finish_reason", None)
    if not isinstance(reason, str):
        return ()
    if reason == _COMPLETED and getattr(getattr(response, "tool_calls", None), "calls", None):
        return ("tool_calls",)
    return (_STATUSES.get(reason, reason),)


def _tokens(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return int(value) if isinstance(value, (int, float)) else None


def _record_request(events: Any, context: Any, content: Content) -> None:
    content.system_instructions = instructions(context)
    content.input_messages = conversation(events)


def model_call(telemetry: Telemetry, call: Call) -> Answer | None:
    """``LLMClient.__call__(messages, context, …)``."""
    messages, context = call.argument(0, "messages"), call.argument(1, "context")
    return _answer(telemetry, call.instance, messages, context)


def undeclared_model_call(telemetry: Telemetry, call: Call) -> Answer | None:
    """``on_llm_call(call_next, events, context)``, where `model_call` does not see the client."""
    client = getattr(call.args[0], "func", None)
    if client is None or is_declared(client):
        return None
    return _answer(telemetry, client, call.args[1], call.args[2])


def _answer(telemetry: Telemetry, client: Any, events: Any, context: Any) -> Answer | None:
    """The call of a client, unless it is a way to another agent."""
    if part(type(client).__module__).startswith(_REMOTE):
        return None
    return Answer(telemetry, client, events, context)


def event_sent(telemetry: Telemetry, call: Call) -> None:
    """``ConversationContext.send(event)``, by which a client shows what comes in."""
    kind = type(call.argument(0, "event")).__name__
    answering = _ANSWER.get() if kind in _PIECES else None
    if answering is not None:
        answering.piece(kind)
