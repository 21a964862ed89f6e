"""Tools that fail, time out, or are not executed: each execution has a span, with its error."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task, tool

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
SEARCH = "execute_tool search"
SERVER = """
from mcp.server.fastmcp import FastMCP

server = FastMCP("weather")


@server.tool()
def forecast(city: str) -> str:
    "Tell the weather."
    return f"sunny in {city}"


server.run()
"""

pytestmark = pytest.mark.usefixtures("instrumented")


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def slow(query: str) -> str:
    """Take too long."""
    raise TimeoutError(SECRET)


def request_of(name: str, **arguments: str) -> Response:
    return Response(tool_calls=[ToolCall(name, arguments)])


def attributes(emission: Emission, name: str) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans if span.name == name]


def test_a_tool_is_described_as_it_was_written(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(request_of("search", query="x"))
    crew(task(agent(llm, "Writer", tools=[tool(search)]))).kickoff()
    (span,) = attributes(emission, SEARCH)
    assert span["gen_ai.tool.description"] == "Search the web."


def test_a_description_that_crewai_builds_from_roles_is_not_recorded(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    boss = agent(llm, "Boss", allow_delegation=True)
    worker = agent(llm, "Expert of {topic}")
    work = {"task": "t", "context": "c", "coworker": f"Expert of {SECRET}"}
    model.script(Response(tool_calls=[ToolCall("delegate_work_to_coworker", work)]))
    crew(task(boss), task(worker)).kickoff(inputs={"topic": SECRET})
    (span,) = attributes(emission, "execute_tool delegate_work_to_coworker")
    assert "gen_ai.tool.description" not in span
    assert SECRET not in emission.texts()


def test_a_tool_that_times_out(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(request_of("slow", query="x"))
    crew(task(agent(llm, "Writer", tools=[tool(slow)]))).kickoff()
    assert emission.tree() == [
        "invoke_workflow",
        *run_of("Writer", CHAT, "execute_tool slow", CHAT),
    ]
    (span,) = attributes(emission, "execute_tool slow")
    assert span["error.type"] == "TimeoutError"
    assert SECRET not in emission.texts()


def test_a_cached_result_is_no_execution(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    ran: list[str] = []

    def count(query: str) -> str:
        """Count."""
        ran.append(query)
        return "one"

    model.script(*[request_of("count", query=query) for query in ("x", "x", "y")])
    crew(task(agent(llm, "Writer", tools=[tool(count)])), cache=True).kickoff()
    calls = (CHAT, "execute_tool count", CHAT, CHAT, "execute_tool count", CHAT)
    assert ran == ["x", "y"]
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *calls)]


def test_the_most_iterations(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(*[request_of("search", query=str(n)) for n in range(2)])
    crew(task(agent(llm, "Writer", tools=[tool(search)], max_iter=2))).kickoff()
    calls = (CHAT, SEARCH, CHAT, SEARCH, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *calls)]
    assert model.ledger.requests == 3
    recorded: list[Any] = [s["gen_ai.usage.input_tokens"] for s in attributes(emission, CHAT)]
    assert sorted(recorded) == sorted(entry.input_tokens for entry in model.ledger.entries)


def test_a_tool_of_an_mcp_server(
    llm: Any, model: ScriptedModel, emission: Emission, tmp_path: Path
) -> None:
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    servers: Any = import_module("crewai.mcp")
    server = servers.MCPServerStdio(command=sys.executable, args=[str(program)])

    offered: list[str] = []

    def react(request: ModelRequest) -> Response:
        offered.extend(one.name for one in request.tools)
        return request_of(offered[0], city="Bern") if len(offered) == 1 else Response("Sunny.")

    model.script_by(react)
    crew(task(agent(llm, "Writer", mcps=[server]))).kickoff()
    name = f"execute_tool {offered[0]}"
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", CHAT, name, CHAT)]
    (span,) = attributes(emission, name)
    assert span["gen_ai.tool.description"] == "Tell the weather."
    assert "error.type" not in span
