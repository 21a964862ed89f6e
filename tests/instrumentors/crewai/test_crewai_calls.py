"""Native tool calls, asynchronous and streaming crews, and the unified memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from crews import CHAT, agent, crew, crewai, run_of, task, tool

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def boom(query: str) -> str:
    """Never works."""
    raise ValueError(SECRET)


@pytest.mark.usefixtures("instrumented")
def test_a_tool(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]))
    crew(task(agent(llm, "Researcher", tools=[tool(search)]))).kickoff()
    calls = (CHAT, "execute_tool search", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]
    (span,) = [s for s in emission.spans if s.name == "execute_tool search"]
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.description": "Search the web.",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.agent.name": "Researcher",
    }


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_fails(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response(tool_calls=[ToolCall("boom", {"query": "x"})]))
    crew(task(agent(llm, "Researcher", tools=[tool(boom)]))).kickoff()
    (span,) = [s for s in emission.spans if s.name == "execute_tool boom"]
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_model_that_a_tool_calls_is_under_the_tool(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    def consult(query: str) -> str:
        """Consult another agent."""
        return str(agent(llm, "Helper").kickoff(query).raw)

    model.script(Response(tool_calls=[ToolCall("consult", {"query": "x"})]))
    crew(task(agent(llm, "Researcher", tools=[tool(consult)]))).kickoff()
    calls = (CHAT, "execute_tool consult", "  invoke_agent Helper", f"    {CHAT}", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]


@pytest.mark.usefixtures("instrumented")
def test_delegation_is_nested_as_it_happened(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    boss, worker = agent(llm, "Boss", allow_delegation=True), agent(llm, "Worker")
    work = {"task": "t", "context": "c", "coworker": "Worker"}
    model.script(Response(tool_calls=[ToolCall("delegate_work_to_coworker", work)]))
    crewai.Crew(agents=[boss, worker], tasks=[task(boss)]).kickoff()
    delegated = "execute_tool delegate_work_to_coworker"
    calls = (CHAT, delegated, "  invoke_agent Worker", f"    {CHAT}", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Boss", *calls)]


@pytest.mark.usefixtures("instrumented")
def test_an_asynchronous_crew(llm: Any, emission: Emission) -> None:
    asyncio.run(crew(task(agent(llm, "Writer"))).akickoff())
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]


@pytest.mark.usefixtures("instrumented")
def test_two_asynchronous_crews_at_once(llm: Any, emission: Emission) -> None:
    async def both() -> None:
        crews = [crew(task(agent(llm, "Writer"))) for _ in range(2)]
        await asyncio.gather(*(one.akickoff() for one in crews))

    asyncio.run(both())
    assert emission.traces() == 2
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")] * 2


@pytest.mark.usefixtures("instrumented")
def test_a_streaming_crew(llm: Any, emission: Emission) -> None:
    streaming = crew(task(agent(llm, "Writer")), stream=True).kickoff()
    assert emission.spans == ()
    assert "".join(chunk.content for chunk in streaming)
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]


@pytest.mark.usefixtures("instrumented")
def test_an_asynchronous_model_class_of_the_application(emission: Emission) -> None:
    class Parrot(crewai.BaseLLM):
        def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
            return "Thought: I know\nFinal Answer: parrot"

        async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> str:
            await asyncio.sleep(0)
            return self.call(messages)

    flock = crew(task(agent(Parrot(model="parrot-1"), "Writer")))
    assert asyncio.run(flock.akickoff()).raw == "parrot"
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", "chat parrot-1")]


@pytest.fixture
def embedder(model: ScriptedModel) -> dict[str, Any]:
    settings = {"model_name": "embed-3", "api_key": "none", "api_base": model.openai_url}
    return {"provider": "openai", "config": settings}


@pytest.mark.usefixtures("instrumented")
def test_memory(llm: Any, embedder: Any, emission: Emission) -> None:
    crew(task(agent(llm, "Writer")), memory=True, embedder=embedder).kickoff()
    lines = emission.tree()
    assert emission.traces() == 1
    assert "      search_memory" in lines


def test_content_is_recorded_once_where_it_belongs(
    llm: Any, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(Response(tool_calls=[ToolCall("search", {"query": "x"})]), Response("Done."))
    crew(task(agent(llm, "Writer", tools=[tool(search)]))).kickoff(inputs={"topic": "bees"})
    spans = {span.name: dict(span.attributes or {}) for span in emission.spans}
    workflow, run = spans["invoke_workflow"], spans["invoke_agent Writer"]
    text = '[{"role":"%s","parts":[{"type":"text","content":"%s"}]%s}]'
    assert workflow["gen_ai.input.messages"] == text % ("user", r"{\"topic\": \"bees\"}", "")
    assert workflow["gen_ai.output.messages"] == text % (
        "assistant",
        "Done.",
        ',"finish_reason":"stop"',
    )
    assert run["gen_ai.input.messages"] == text % ("user", "do it", "")
    assert run["gen_ai.output.messages"] == text % ("assistant", "Done.", ',"finish_reason":"stop"')
    called = spans["execute_tool search"]
    assert called["gen_ai.tool.call.arguments"] == '{"query":"x"}'
    assert called["gen_ai.tool.call.result"] == '{"result":"found x"}'


@pytest.mark.usefixtures("instrumented")
def test_without_content_nothing_of_it_leaves(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("search", {"query": SECRET})]), Response(SECRET))
    writer = crewai.Agent(
        role="Writer", goal=SECRET, backstory=SECRET, llm=llm, tools=[tool(search)]
    )
    secret = task(writer, description=SECRET, expected_output=SECRET)
    crew(secret).kickoff(inputs={"topic": SECRET})
    assert len(emission.spans) == 6
    assert SECRET not in emission.texts()
