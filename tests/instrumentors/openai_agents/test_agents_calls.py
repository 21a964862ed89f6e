"""Sessions, MCP servers, replaced runners, hooks: what else takes part in a run."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any

import pytest
from openai_agents_runs import CHAT, VERSION, agents, assistant, finished, started, weather
from opentelemetry import trace
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")
Runs = pytest.mark.parametrize("start", [finished, started])
mcp: Any = import_module("agents.mcp")
types: Any = import_module("mcp.types")


def attributes(emission: Emission, name: str) -> dict[str, Any]:
    (found,) = [dict(span.attributes or {}) for span in emission.spans if span.name == name]
    return found


class Server(mcp.MCPServer):
    """An MCP server in this process."""

    name = "house"
    fails = False

    async def connect(self) -> None: ...

    async def cleanup(self) -> None: ...

    async def list_tools(self, *args: Any, **more: Any) -> list[Any]:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        fields = types.Tool.model_fields
        name = "inputSchema" if "inputSchema" in fields else "input_schema"
        return [types.Tool(name="weather", **{name: schema})]

    async def call_tool(self, *args: Any, **more: Any) -> Any:
        content = [types.TextContent(type="text", text="Sunny.")]
        name = "isError" if "isError" in types.CallToolResult.model_fields else "is_error"
        return types.CallToolResult(content=content, **{name: self.fails})

    async def list_prompts(self) -> Any:
        raise NotImplementedError

    async def get_prompt(self, *args: Any) -> Any:
        raise NotImplementedError


class Failing(Server):
    """An MCP server whose tool returns an error to the model."""

    fails = True


@Runs
def test_a_tool_of_an_mcp_server(
    run: Any, start: Any, emission: Emission, model: ScriptedModel
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_1")]))
    run(start(assistant(mcp_servers=[Server()])))
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool weather",
        f"  {CHAT}",
    ]
    assert attributes(emission, "execute_tool weather") == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "extension",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.agent.name": "guide",
    }


@pytest.mark.parametrize("traced", [True, False])
@Runs
def test_a_tool_of_an_mcp_server_that_returns_an_error(
    run: Any, start: Any, traced: bool, emission: Emission, model: ScriptedModel
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]))
    config = agents.RunConfig(tracing_disabled=not traced)
    run(start(assistant(mcp_servers=[Failing()]), run_config=config))
    assert attributes(emission, "execute_tool weather")["error.type"] == "tool_error"
    assert "error.type" not in attributes(emission, "invoke_agent guide")


def test_a_function_may_recover_from_the_error_of_an_mcp_server(
    run: Any, emission: Emission, model: ScriptedModel
) -> None:
    @agents.function_tool
    async def weather() -> str:
        result = await Failing().call_tool("weather", {})
        return str(result.content[0].text)

    model.script(Response(tool_calls=[ToolCall("weather", {})]))
    run(finished(assistant(tools=[weather])))
    assert "error.type" not in attributes(emission, "execute_tool weather")


@pytest.mark.skipif(Version("0.2") > VERSION, reason="sessions came later")
@Runs
def test_runs_of_a_session_share_a_conversation(run: Any, start: Any, emission: Emission) -> None:
    session = agents.SQLiteSession("thread-7")

    async def twice() -> None:
        await start(assistant(), "go", session=session)
        await start(assistant(), "on", session=session)

    run(twice())
    assert emission.tree() == ["invoke_agent guide", f"  {CHAT}"] * 2
    assert emission.traces() == 2
    ids = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
    assert ids == ["thread-7"] * 4


@pytest.mark.skipif(
    "conversation_id" not in signature(agents.Runner.run).parameters, reason="there was none"
)
@Runs
def test_the_id_of_a_conversation_precedes_that_of_a_group(
    run: Any, start: Any, emission: Emission
) -> None:
    config = agents.RunConfig(group_id="thread-7")
    run(start(assistant(), "go", conversation_id="conv-1", run_config=config))
    ids = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
    assert ids == ["conv-1"] * 2


@pytest.mark.skipif(Version("0.0.19") > VERSION, reason="runners came later")
@Runs
def test_a_runner_of_the_application(run: Any, start: Any, emission: Emission) -> None:
    runners: Any = import_module("agents.run")

    class Counting(runners.AgentRunner):
        runs = 0

        async def run(self, *args: Any, **more: Any) -> Any:
            self.runs += 1
            result: Any = await runners.AgentRunner.run(self, *args, **more)
            return result

    runners.set_default_agent_runner(Counting())
    try:
        run(start(assistant(tools=[weather])))
    finally:
        runners.set_default_agent_runner(None)
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool weather",
        f"  {CHAT}",
    ]


@Runs
def test_hooks_run_within_their_agent(run: Any, start: Any, emission: Emission) -> None:
    tracer = trace.get_tracer("hooks", tracer_provider=emission.providers["tracer_provider"])
    seen: list[str] = []

    def note(what: str) -> None:
        with tracer.start_as_current_span(what):
            seen.append(what)

    class Hooks(agents.RunHooks):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            note("started")

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            note("calling")

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            note("ended")

    run(start(assistant(tools=[weather]), hooks=Hooks()))
    assert seen == ["started", "calling", "ended"]
    assert emission.tree() == [
        "invoke_agent guide",
        "  started",
        f"  {CHAT}",
        "  execute_tool weather",
        "    calling",
        f"  {CHAT}",
        "  ended",
    ]


@Runs
def test_tools_at_once(run: Any, start: Any, emission: Emission, model: ScriptedModel) -> None:
    calls = [ToolCall("weather", {"city": city}, id=city) for city in ("Bern", "Rome", "Oslo")]
    model.script(Response(tool_calls=calls))
    run(start(assistant(tools=[weather])))
    ids = [
        (span.attributes or {})["gen_ai.tool.call.id"]
        for span in sorted(emission.spans, key=lambda span: span.start_time or 0)
        if span.name == "execute_tool weather"
    ]
    assert ids == ["Bern", "Rome", "Oslo"]


def test_a_run_within_a_tool_has_no_workflow(run: Any, emission: Emission) -> None:
    inner = assistant("triage", handoffs=[assistant("expert")])

    @agents.function_tool
    async def consult() -> str:
        """Consult."""
        return str((await finished(inner)).final_output)

    run(finished(assistant(tools=[consult])))
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool consult",
        "    invoke_agent triage",
        f"      {CHAT}",
        "      execute_tool transfer_to_expert",
        "    invoke_agent expert",
        f"      {CHAT}",
        f"  {CHAT}",
    ]


def test_the_trace_processors_of_the_application_get_all(run: Any, emission: Emission) -> None:
    seen: list[str] = []

    class Processor(agents.TracingProcessor):
        def on_trace_start(self, trace: Any) -> None:
            seen.append("trace")

        def on_trace_end(self, trace: Any) -> None: ...

        def on_span_start(self, span: Any) -> None: ...

        def on_span_end(self, span: Any) -> None:
            seen.append(span.span_data.type)

        def shutdown(self) -> None: ...

        def force_flush(self) -> None: ...

    agents.set_trace_processors([Processor()])
    run(finished(assistant(tools=[weather])))
    assert [kind for kind in seen if kind not in ("task", "turn", "mcp_tools")] == [
        "trace",
        "response",
        "function",
        "response",
        "agent",
    ]
    assert emission.tree()[0] == "invoke_agent guide"
