"""The steps of agents: scripted responses that request a tool, and the spans that a person would write.

A step is a model call and the tool call that it requests. The HTTP client's method is replaced by one
that returns responses itself, so that a framework and its instrumentation are measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import openai
from handwritten import Attributes, parts
from measurement import mark
from opentelemetry.trace import Span, SpanKind, Tracer

__all__ = ["MODEL", "PROMPT", "STEPS", "SUM", "ByHand", "add", "replace_network"]

STEPS: Final = 10
PROMPT: Final = "Add up the numbers of the ledger, one after the other. " * 20
MODEL: Final = "gpt-4o-mini"
SUM: Final = "The sum is 45."
_HTTP: Final[Any] = import_module("httpx2" if openai.__version__ >= "3" else "httpx")


class ScriptedResponses:
    """Responds with a tool call in each step, and then with a sentence."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, request: Any) -> Any:
        """Return the response to a request; CrewAI also requests token counts."""
        if not request.url.path.endswith("/chat/completions"):
            return _HTTP.Response(404, request=request)
        mark()
        self.number = self.number % STEPS + 1
        message: dict[str, Any] = {"role": "assistant", "content": SUM}
        if self.number < STEPS:
            arguments = json.dumps({"number": self.number})
            function = {"name": "add", "arguments": arguments}
            call = {"id": f"call_{self.number}", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "tool_calls" if self.number < STEPS else "stop"
        return _HTTP.Response(
            200,
            request=request,
            json={
                "id": f"chatcmpl-{self.number}",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-4o-mini-2024-07-18",
                "choices": [{"index": 0, "finish_reason": reason, "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            },
        )


def replace_network() -> None:
    """Let the SDK's HTTP clients return scripted responses."""
    respond = ScriptedResponses()

    def send(client: Any, request: Any, **more: Any) -> Any:
        return respond(request)

    async def send_async(client: Any, request: Any, **more: Any) -> Any:
        return respond(request)

    setattr(_HTTP.Client, "send", send)  # noqa: B010  a method, replaced
    setattr(_HTTP.AsyncClient, "send", send_async)  # noqa: B010  a method, replaced


def add(number: int) -> str:
    """Add a number to the sum."""
    return f"added {number}"


class ByHand:
    """The spans of model and tool calls and of agents, written by hand."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        completions: Any = import_module("openai.resources.chat.completions")
        self._created = {
            one: one.create for one in (completions.Completions, completions.AsyncCompletions)
        }

    def add(self) -> Callable[[int], str]:
        """Return the tool, within a span."""

        def traced(number: int) -> str:
            """Add a number to the sum."""
            with self.tracer.start_as_current_span("execute_tool add") as span:
                result = add(number)
                span.set_attributes(
                    {
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": "add",
                        "gen_ai.tool.type": "function",
                        "gen_ai.tool.description": "Add a number to the sum.",
                        "gen_ai.tool.call.arguments": json.dumps({"number": number}),
                        "gen_ai.tool.call.result": json.dumps(result),
                    }
                )
                return result

        traced.__name__ = "add"
        return traced

    def enter(self) -> None:
        """Replace the SDK's methods by those that write a span."""
        tracer = self.tracer
        one, other = self._created
        create, create_async = self._created.values()

        def traced(completions: Any, **request: Any) -> Any:
            with tracer.start_as_current_span(f"chat {MODEL}", kind=SpanKind.CLIENT) as span:
                response = create(completions, **request)
                span.set_attributes(_read(request, response))
                return response

        async def traced_async(completions: Any, **request: Any) -> Any:
            with tracer.start_as_current_span(f"chat {MODEL}", kind=SpanKind.CLIENT) as span:
                response = await create_async(completions, **request)
                span.set_attributes(_read(request, response))
                return response

        one.create, other.create = traced, traced_async

    def leave(self) -> None:
        """Put the SDK's methods back."""
        for one, create in self._created.items():
            one.create = create

    @contextmanager
    def agent(self, *others: Span) -> Generator[None]:
        """Write the span of an agent's run, and what it was given and returned on others too."""
        name: Attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "Bookkeeper",
            "gen_ai.request.model": MODEL,
        }
        with self.tracer.start_as_current_span("invoke_agent Bookkeeper", attributes=name) as agent:
            yield
            for span in (agent, *others):
                span.set_attribute("gen_ai.input.messages", json.dumps(_text("user", PROMPT)))
                span.set_attribute("gen_ai.output.messages", json.dumps(_text("assistant", SUM)))


def _text(role: str, content: str) -> list[Any]:
    return [{"role": role, "parts": parts(content)}]


def _read(request: Any, response: Any) -> Attributes:
    """Return the attributes of a model call."""
    response = (
        response.parse() if hasattr(response, "parse") else response
    )  # CrewAI requests it raw
    choice = response.choices[0]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "server.address": "api.openai.com",
        "gen_ai.response.id": response.id,
        "gen_ai.response.model": response.model,
        "gen_ai.response.finish_reasons": (choice.finish_reason,),
        "gen_ai.usage.input_tokens": response.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": response.usage.completion_tokens,
        "gen_ai.tool.definitions": json.dumps(request.get("tools")),
        "gen_ai.input.messages": json.dumps(
            [part for it in request["messages"] for part in _message(it)]
        ),
        "gen_ai.output.messages": json.dumps(_message(choice.message.model_dump())),
    }


def _message(it: Any) -> list[Any]:
    """Return one message of a request or response as the conventions write it."""
    if it["role"] == "tool":
        part = {"type": "tool_call_response", "id": it["tool_call_id"], "result": it["content"]}
        return [{"role": "tool", "parts": [part]}]
    calls = [
        {
            "type": "tool_call",
            "id": call["id"],
            "name": call["function"]["name"],
            "arguments": json.loads(call["function"]["arguments"]),
        }
        for call in it.get("tool_calls") or ()
    ]
    texts = parts(it["content"]) if it.get("content") else []
    return [{"role": it["role"], "parts": [*texts, *calls]}]
