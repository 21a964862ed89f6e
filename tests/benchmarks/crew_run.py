"""Runs a crew of ten steps bare, with spans by hand and instrumented: prints CPU µs a step as JSON.

A step is a model call and the tool call that it requests. The HTTP client's method is replaced by
one that returns responses itself, so that CrewAI and its instrumentation are measured. Content is
recorded. Beside CrewAI, the package's instrumentor of the OpenAI SDK is applied, if it has one that
can be undone; ours of CrewAI and of the SDK count a model call once.

    python tests/benchmarks/crew_run.py PACKAGE
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_TRACKING="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_TESTING="true",
    CREWAI_STORAGE_DIR=tempfile.mkdtemp(),
    OPENAI_API_KEY="none",
)

from handwritten import Attributes
from measurement import BARE, BY_HAND, Pipeline, Variant, added
from opentelemetry.trace import SpanKind, Tracer
from packages import RECORDED, instrumentor

httpx: Any = import_module("httpx")  # openai 2's; types are checked with openai 3
STEPS: Final = 10
ROUNDS: Final = 24
PROMPT: Final = "Add up the numbers of the ledger, one after the other. " * 20
MODEL: Final = "gpt-4o-mini"
_OF_SDK: Final = frozenset({"ours", "openinference"})
"""Packages whose instrumentor of the SDK is applied too: OpenLLMetry's is not undone."""


class ScriptedResponses:
    """Responds with a tool call in each step, and then with a sentence."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, request: Any) -> Any:
        """Return the response to a request; CrewAI also requests token counts."""
        if not request.url.path.endswith("/chat/completions"):
            return httpx.Response(404, request=request)
        self.number = self.number % STEPS + 1
        message: dict[str, Any] = {"role": "assistant", "content": "The sum is 45."}
        if self.number < STEPS:
            arguments = json.dumps({"number": self.number})
            function = {"name": "add", "arguments": arguments}
            call = {"id": f"call_{self.number}", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "tool_calls" if self.number < STEPS else "stop"
        return httpx.Response(
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


def crew(add: Callable[[int], str]) -> Any:
    """Return one agent with one task and one tool."""
    crewai: Any = import_module("crewai")
    tools: Any = import_module("crewai.tools")
    import_module("openai.resources")  # else by its first use, unless an instrumentor has: seconds
    agent = crewai.Agent(
        role="Bookkeeper",
        goal="Add up",
        backstory="You count.",
        llm=crewai.LLM(model=MODEL),
        tools=[tools.tool("add")(add)],
        max_iter=2 * STEPS,
        respect_context_window=False,  # counting tokens would take most of the time
        cache=False,
    )
    task = crewai.Task(description=PROMPT, expected_output="The sum", agent=agent)
    return crewai.Crew(agents=[agent], tasks=[task], cache=False)


def add(number: int) -> str:
    """Add a number to the sum."""
    return f"added {number}"


def plain() -> Callable[[], None]:
    """Return what runs a crew once."""
    work = crew(add)

    def run() -> None:
        assert work.kickoff().raw == "The sum is 45."

    return run


class ByHand:
    """The spans of the crew, its task, its agent, its model and tool calls, written by hand."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._completions: Any = import_module("openai.resources.chat.completions").Completions
        self._create = self._completions.create
        self._crew = crew(self._add())

    def _add(self) -> Callable[[int], str]:
        def traced(number: int) -> str:
            """Add a number to the sum."""
            with self._tracer.start_as_current_span("execute_tool add") as span:
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
        """Replace the SDK's method by one that writes a span."""
        tracer, create = self._tracer, self._create

        def traced(completions: Any, **request: Any) -> Any:
            with tracer.start_as_current_span(f"chat {MODEL}", kind=SpanKind.CLIENT) as span:
                response = create(completions, **request)
                span.set_attributes(read(request, response.parse()))  # CrewAI requests it raw
                return response

        self._completions.create = traced

    def leave(self) -> None:
        """Put the SDK's method back."""
        self._completions.create = self._create

    def run(self) -> None:
        """Run the crew within three spans."""
        start = self._tracer.start_as_current_span
        name: Attributes = {"gen_ai.agent.name": "Bookkeeper", "gen_ai.request.model": MODEL}
        with (
            start("invoke_workflow crew", attributes={"gen_ai.operation.name": "invoke_workflow"}),
            start("task", attributes={"otel_agents.step.type": "task"}) as task,
            start("invoke_agent Bookkeeper", attributes=name) as agent,
        ):
            result = self._crew.kickoff().raw
            for span in (task, agent):
                span.set_attribute("gen_ai.input.messages", json.dumps(text("user", PROMPT)))
                span.set_attribute("gen_ai.output.messages", json.dumps(text("assistant", result)))


def text(role: str, content: str) -> list[Any]:
    """Return a message as the conventions write it."""
    return [{"role": role, "parts": [{"type": "text", "content": content}]}]


def read(request: Any, response: Any) -> Attributes:
    """Return the attributes of a model call."""
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
            [part for it in request["messages"] for part in message(it)]
        ),
        "gen_ai.output.messages": json.dumps(message(choice.message.model_dump())),
    }


def message(it: Any) -> list[Any]:
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
    texts = [{"type": "text", "content": it["content"]}] if it.get("content") else []
    return [{"role": it["role"], "parts": [*texts, *calls]}]


def variants(package: str, pipeline: Pipeline) -> Mapping[str, Variant]:
    """Return the variants, each with a crew of its own."""
    libraries = ("crewai", "openai") if package in _OF_SDK else ("crewai",)
    applied = [instrumentor(package, library) for library in libraries]

    def enter() -> None:
        for one in applied:
            one.instrument(tracer_provider=pipeline.tracers)

    def leave() -> None:
        for one in applied:
            one.uninstrument()

    hand = ByHand(pipeline.tracers.get_tracer("hand"))
    return {
        BARE: Variant(plain()),
        BY_HAND: Variant(hand.run, hand.enter, hand.leave),
        package: Variant(plain(), enter, leave),
    }


def main() -> None:
    """Measure and print."""
    package = sys.argv[1]
    os.environ.update(RECORDED)
    warnings.simplefilter("ignore")
    logging.disable()
    respond = ScriptedResponses()

    def send(client: Any, request: Any, **more: Any) -> Any:
        return respond(request)

    setattr(httpx.Client, "send", send)  # noqa: B010  a method, replaced
    pipeline = Pipeline(runs=1)
    blocks = pipeline.alternate(variants(package, pipeline), ROUNDS)
    bare = blocks.pop(BARE)
    print(json.dumps({name: added(measured, bare, STEPS) for name, measured in blocks.items()}))


if __name__ == "__main__":
    main()
