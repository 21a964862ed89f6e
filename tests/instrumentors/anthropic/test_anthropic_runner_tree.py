"""Tool runners: the run is an agent, each request an inference, each executed tool a tool."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES, VERSION
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

if VERSION < (0, 70):
    pytest.skip("has no tool runner", allow_module_level=True)

from anthropic import beta_async_tool, beta_tool
from anthropic.lib.tools._beta_functions import BetaBuiltinFunctionTool

CALL = ToolCall("weather", {"city": "Bern"}, id="toolu_1")
TREE = ["invoke_agent", "  chat m", "  execute_tool weather", "  chat m"]
CURRENT: list[int] = []
"""The spans in which the tools ran."""


def note_span() -> None:
    CURRENT.append(trace.get_current_span().get_span_context().span_id)


@beta_tool
def weather(city: str) -> str:
    """Return the weather.

    Args:
        city: The city.
    """
    note_span()
    return f"sunny in {city}"


@beta_async_tool(name="weather")
async def weather_async(city: str) -> str:
    """Return the weather.

    Args:
        city: The city.
    """
    note_span()
    return f"sunny in {city}"


@beta_tool
def failing(city: str) -> str:
    """Fail."""
    raise LookupError(city)


class Clock(BetaBuiltinFunctionTool):
    """A tool of a type that the provider defines."""

    def to_dict(self) -> Any:
        return {"type": "clock_20260101", "name": "clock"}

    def call(self, input: object) -> str:
        note_span()
        return "noon"


def runner_of(client: Any, *tools: Any, **arguments: Any) -> Any:
    return client.beta.messages.tool_runner(
        model="m", max_tokens=9, messages=MESSAGES, tools=tools, **arguments
    )


def until_done(client: anthropic.Anthropic, run: Any) -> None:
    runner_of(client, weather).until_done()


def by_iteration(client: anthropic.Anthropic, run: Any) -> None:
    for message in runner_of(client, weather):
        assert message.content


def streamed(client: anthropic.Anthropic, run: Any) -> None:
    for stream in runner_of(client, weather, stream=True):
        for _ in stream:
            pass


def eagerly(client: anthropic.Anthropic, run: Any) -> None:
    for stream in runner_of(client, weather, stream=True, run_tools_eagerly=True):
        for _ in stream:
            pass


def by_hand(client: anthropic.Anthropic, run: Any) -> None:
    runner = runner_of(client, weather)
    for _ in runner:
        runner.generate_tool_call_response()


def until_done_async(client: anthropic.Anthropic, run: Any) -> None:
    async def use(client: anthropic.AsyncAnthropic) -> None:
        await runner_of(client, weather_async).until_done()

    run(use)


def streamed_async(client: anthropic.Anthropic, run: Any) -> None:
    async def use(client: anthropic.AsyncAnthropic) -> None:
        async for stream in runner_of(client, weather_async, stream=True):
            async for _ in stream:
                pass

    run(use)


def eagerly_async(client: anthropic.Anthropic, run: Any) -> None:
    async def use(client: anthropic.AsyncAnthropic) -> None:
        async for stream in runner_of(client, weather_async, stream=True, run_tools_eagerly=True):
            async for _ in stream:
                pass

    run(use)


WAYS = [until_done, by_iteration, streamed, by_hand, until_done_async, streamed_async]
if VERSION >= (1, 9):
    WAYS.extend([eagerly, eagerly_async])


@pytest.fixture(autouse=True)
def spans_of_tools() -> None:
    CURRENT.clear()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("instrumented")
def test_a_run(
    way: Callable[[Any, Any], None],
    client: anthropic.Anthropic,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response(tool_calls=[CALL]), Response("Sunny."))
    way(client, run)
    assert finalization.drain(5)
    assert emission.tree() == TREE
    spans = {span.name: span for span in emission.spans}
    agent, tool = spans["invoke_agent"], spans["execute_tool weather"]
    assert (agent.kind, agent.parent, agent.status.status_code) == (
        SpanKind.INTERNAL,
        None,
        StatusCode.UNSET,
    )
    assert dict(agent.attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.request.model": "m",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "gen_ai.usage.output_tokens": model.ledger.output_tokens,
    }
    assert dict(tool.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "toolu_1",
        "gen_ai.tool.description": "Return the weather.",
    }
    context = tool.get_span_context()
    assert context is not None
    assert [context.span_id] == CURRENT


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("with_content")
def test_the_content_of_a_run(
    way: Callable[[Any, Any], None],
    client: anthropic.Anthropic,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response(tool_calls=[CALL]), Response("Sunny."))
    way(client, run)
    assert finalization.drain(5)
    spans: dict[str, Any] = {span.name: dict(span.attributes or {}) for span in emission.spans}
    agent, tool = spans["invoke_agent"], spans["execute_tool weather"]
    prompt = {"type": "text", "content": "Where is the Eiffel Tower?"}
    reply = {"type": "text", "content": "Sunny."}
    assert json.loads(agent["gen_ai.input.messages"]) == [{"role": "user", "parts": [prompt]}]
    assert json.loads(agent["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [reply], "finish_reason": "end_turn"}
    ]
    assert json.loads(agent["gen_ai.tool.definitions"]) == [{"type": "function", "name": "weather"}]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"city": "Bern"}
    assert json.loads(tool["gen_ai.tool.call.result"]) == {"result": "sunny in Bern"}


@pytest.mark.usefixtures("instrumented")
def test_the_application_is_outside_of_the_run(client: anthropic.Anthropic) -> None:
    spans = [
        trace.get_current_span().get_span_context().span_id for _ in runner_of(client, weather)
    ]
    assert spans == [0, 0]


@pytest.mark.usefixtures("instrumented")
def test_a_runner_that_is_not_started_is_no_run(
    client: anthropic.Anthropic, emission: Emission
) -> None:
    runner_of(client, weather)
    gc.collect()
    assert finalization.drain(5)
    assert emission.spans == ()


@pytest.mark.parametrize("leave", ["close", "drop"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.usefixtures("instrumented")
def test_a_run_that_is_left_is_abandoned(
    leave: str,
    stream: bool,
    client: anthropic.Anthropic,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response(tool_calls=[CALL]))
    runner = runner_of(client, weather, stream=stream)
    for message in runner:
        if stream:
            list(message)
        del message
        break
    if leave == "close" and hasattr(runner, "close"):
        runner.close()
    del runner
    gc.collect()
    assert finalization.drain(5)
    assert emission.tree() == ["invoke_agent", "  chat m"]
    attributes = dict(emission.spans[-1].attributes or {})
    assert attributes["otel_agents.stream.abandoned"] is True
    assert "error.type" not in attributes
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_fails(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    call = ToolCall("failing", {"city": "planted-secret"})
    model.script(Response(tool_calls=[call, CALL]), "Sorry.")
    runner_of(client, failing, weather).until_done()
    assert emission.tree() == [
        "invoke_agent",
        "  chat m",
        "  execute_tool failing",
        "  execute_tool weather",
        "  chat m",
    ]
    (failed,) = [span for span in emission.spans if span.name == "execute_tool failing"]
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "LookupError"
    assert "planted-secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_request_that_fails_fails_the_run(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[CALL]), Failure(500))
    with pytest.raises(anthropic.InternalServerError):
        runner_of(client, weather).until_done()
    assert emission.tree() == TREE
    errors = [(span.attributes or {}).get("error.type") for span in emission.spans]
    kind = "anthropic.InternalServerError"
    assert sorted(map(str, errors)) == ["None", "None", kind, "api_error"]


@pytest.mark.usefixtures("instrumented")
def test_a_tool_of_the_provider_that_runs_here(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("clock")]), "Noon.")
    runner_of(client, Clock()).until_done()
    assert emission.tree() == [line.replace("weather", "clock") for line in TREE]


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_the_application_calls_is_no_tool_of_an_agent(emission: Emission) -> None:
    assert weather.call({"city": "Bern"}) == "sunny in Bern"
    assert emission.spans == ()


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_a_tool_calls_is_no_tool_of_the_agent(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    @beta_tool
    def forecast(city: str) -> str:
        """Return the forecast."""
        return str(weather.call({"city": city}))

    model.script(Response(tool_calls=[ToolCall("forecast", {"city": "Bern"})]), "Sunny.")
    runner_of(client, forecast).until_done()
    assert emission.tree() == [line.replace("weather", "forecast") for line in TREE]
    assert len(CURRENT) == 1


@pytest.mark.usefixtures("instrumented")
def test_runs_in_parallel_are_traces_of_their_own(run: Any, emission: Emission) -> None:
    async def use(client: anthropic.AsyncAnthropic) -> None:
        runners = [runner_of(client, weather_async).until_done() for _ in range(3)]
        await asyncio.gather(*runners)

    run(use)
    assert emission.tree() == TREE * 3


@pytest.mark.usefixtures("instrumented")
def test_an_agent_in_a_tool_is_below_it(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    @beta_tool
    def delegate(task: str) -> str:
        """Delegate.

        Args:
            task: The task.
        """
        runner_of(client, weather).until_done()
        return "done"

    model.script(
        Response(tool_calls=[ToolCall("delegate", {"task": "t"})]),
        Response(tool_calls=[CALL]),
        "Sunny.",
        "Done.",
    )
    runner_of(client, delegate).until_done()
    assert emission.tree() == [
        "invoke_agent",
        "  chat m",
        "  execute_tool delegate",
        *(f"    {line}" for line in TREE),
        "  chat m",
    ]


if VERSION >= (1, 12):
    from anthropic.lib.tools._toolsets._runnable import BetaRunnableToolset

    class Browser(BetaRunnableToolset):
        """A toolset: its tools are called by their own names."""

        toolset_name = "browser"

        def to_dict(self) -> Any:
            return {"type": "browser_toolset_20260801"}

        def call(self, context: Any, name: str, input: Any) -> str:
            note_span()
            if name == "navigate":
                raise LookupError("no such page")
            return "a page"

    @pytest.mark.usefixtures("instrumented")
    def test_the_tools_of_a_toolset(
        client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
    ) -> None:
        block: dict[str, Any] = {"type": "tool_use", "toolset_name": "browser", "input": {}}
        items = [
            {**block, "id": "toolu_1", "name": "read_page"},
            {**block, "id": "toolu_2", "name": "navigate", "input": {"url": "https://x"}},
            {**block, "id": "toolu_3", "name": "read_page"},
        ]
        model.script(Response(items=items, finish_reason="tool_calls"), "Read.")
        runner_of(client, Browser()).until_done()
        # After a failure, the runner does not call the others.
        tree = ["invoke_agent", "  chat m", "  execute_tool read_page", "  execute_tool navigate"]
        assert emission.tree() == [*tree, "  chat m"]
        errors = [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]
        assert ("execute_tool navigate", "LookupError") in errors
        assert len(CURRENT) == 2


if VERSION >= (1, 14):

    @pytest.mark.parametrize("own", [False, True])
    @pytest.mark.usefixtures("instrumented")
    def test_the_spans_of_the_sdk(
        own: bool, model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They are left out, except for a client with a tracer provider of its own."""
        exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        option: Any = {"conversation_id": "c-1"}
        if own:
            option["tracer_provider"] = provider
        else:
            monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
        model.script(Response(tool_calls=[CALL]), Response("Sunny."))
        with anthropic.Anthropic(
            base_url=model.base_url, api_key="none", max_retries=0, open_telemetry=option
        ) as client:
            runner_of(client, weather).until_done()
        names = sorted(span.name for span in exporter.get_finished_spans())
        theirs = [
            "anthropic.custom_tool_use weather",
            "anthropic.messages.create",
            "anthropic.messages.create",
            "anthropic.messages.tool_runner",
        ]
        assert names == (theirs if own else [])
        assert emission.tree() == TREE
        attributes = [dict(span.attributes or {}) for span in emission.spans]
        assert [one["gen_ai.conversation.id"] for one in attributes] == ["c-1"] * 4
        provider.shutdown()

    @pytest.mark.parametrize("eagerly", [False, True])
    def test_the_spans_of_the_sdk_have_the_parents_that_they_have_without_ours(
        eagerly: bool, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
    ) -> None:
        """And ours have none of theirs, even if theirs are not sampled."""
        if eagerly and VERSION < (1, 9):
            pytest.skip("executes no tools eagerly")

        def run(provider: TracerProvider) -> None:
            model.script(Response(tool_calls=[CALL]), Response("Sunny."))
            with anthropic.Anthropic(
                base_url=model.base_url,
                api_key="none",
                max_retries=0,
                open_telemetry={"tracer_provider": provider},
            ) as client:
                more = {"stream": True, "run_tools_eagerly": True} if eagerly else {}
                runner_of(client, weather, **more).until_done()
            provider.shutdown()

        bare, both, unsampled = Emission(), Emission(), Emission(ALWAYS_OFF)
        run(bare.tracer_provider)
        instrument()
        run(both.tracer_provider)
        assert both.tree() == bare.tree()
        assert emission.tree() == TREE
        run(unsampled.tracer_provider)
        assert finalization.drain(5)
        assert emission.tree() == TREE * 2
        for one in (bare, both, unsampled):
            one.close()
