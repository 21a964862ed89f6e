"""Features of versions with an event bus: flows, guardrails, plans, knowledge, agents alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from crews import CHAT, agent, crew, crewai, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel


@pytest.mark.usefixtures("instrumented")
def test_an_agent_alone(llm: Any, emission: Emission) -> None:
    agent(llm, "Writer").kickoff("hi")
    asyncio.run(agent(llm, "Writer").kickoff_async("hi"))
    assert emission.tree() == ["invoke_agent Writer", f"  {CHAT}"] * 2


@pytest.mark.usefixtures("instrumented")
def test_a_crew_in_a_flow(llm: Any, emission: Emission) -> None:
    flows: Any = import_module("crewai.flow.flow")

    class Report(flows.Flow):
        @flows.start()
        def collect(self) -> str:
            return str(crew(task(agent(llm, "Writer"))).kickoff().raw)

        @flows.listen(collect)
        async def publish(self, text: str) -> str:
            return text

    Report().kickoff()
    inner = ["    " + line for line in ["invoke_workflow", *run_of("Writer")]]
    assert emission.tree() == [
        "invoke_workflow Report",
        "  method collect",
        *inner,
        "  method publish",
    ]


@pytest.mark.usefixtures("instrumented")
def test_a_guardrail(llm: Any, emission: Emission) -> None:
    seen: list[Any] = []

    def strict(output: Any) -> tuple[bool, Any]:
        seen.append(output)
        return len(seen) > 1, output.raw

    strict.__annotations__ = {}  # CrewAI does not read postponed annotations
    crew(task(agent(llm, "Writer"), guardrail=strict)).kickoff()
    run = run_of("Writer")
    again = [*run[1:], "    guardrail strict"]
    assert emission.tree() == ["invoke_workflow", run[0], *run[1:], "    guardrail strict", *again]


@pytest.mark.usefixtures("instrumented")
def test_a_plan(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    plan = '{"list_of_plans_per_task": [{"task_number": 1, "task": "t", "plan": "p"}]}'
    model.script(Response(plan))
    crew(task(agent(llm, "Writer")), planning=True, planning_llm=llm).kickoff()
    lines = emission.tree()
    assert lines[:2] == ["invoke_workflow", "  plan"]
    assert lines[-3:] == run_of("Writer")
    assert emission.traces() == 1


@pytest.mark.usefixtures("instrumented")
def test_a_model_class_of_the_application(emission: Emission) -> None:
    class Parrot(crewai.BaseLLM):
        def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
            return "Thought: I know\nFinal Answer: parrot"

    crew(task(agent(Parrot(model="parrot-1"), "Writer"))).kickoff()
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", "chat parrot-1")]
    (span,) = [s for s in emission.spans if s.name == "chat parrot-1"]
    assert (span.attributes or {})["gen_ai.provider.name"] == "custom"


@pytest.mark.usefixtures("instrumented")
def test_a_model_class_that_calls_an_instrumented_one_is_counted_once(
    llm: Any, emission: Emission
) -> None:
    class Relay(crewai.BaseLLM):
        def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            return llm.call(messages)

    crew(task(agent(Relay(model="relay"), "Writer"))).kickoff()
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]


@pytest.fixture
def embedder(model: ScriptedModel) -> dict[str, Any]:
    named = {"model": "embed-3", "model_name": "embed-3"}  # early versions read the first
    settings = {**named, "api_key": "none", "api_base": model.openai_url}
    return {"provider": "openai", "config": settings}


@pytest.mark.usefixtures("instrumented")
def test_knowledge(llm: Any, embedder: Any, emission: Emission) -> None:
    sources: Any = import_module("crewai.knowledge.source.string_knowledge_source")
    source = sources.StringKnowledgeSource(content="The sky is blue.")
    writer = agent(llm, "Writer", knowledge_sources=[source], embedder=embedder)
    crew(task(writer), embedder=embedder).kickoff()
    lines = emission.tree()
    assert "      retrieval" in lines
    assert emission.traces() == 1


def test_a_model_class_of_crewai_is_reported_if_no_layer_below_is(
    llm: Any, model: ScriptedModel, instrument: Callable[..., None]
) -> None:
    emission = Emission()  # not checked: early events have no finish reason
    instrument(sdk=False, emission=emission)
    crew(task(agent(llm, "Writer"))).kickoff()
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]
    (span,) = [dict(s.attributes or {}) for s in emission.spans if s.name == CHAT]
    tokens = (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"])
    assert tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
    assert span["gen_ai.provider.name"] == "openai"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", model.port)
    emission.close()
