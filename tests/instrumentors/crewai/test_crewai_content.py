"""Content that is stored, found, typed, refused and raised is recorded once, or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crews import CHAT, agent, crew, task, tool

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
BOTH = pytest.mark.parametrize("content", [True, False])

Run = Callable[[], None]
Counts = dict[tuple[str, str], int]


@pytest.fixture
def watched(content: bool, instrument: Callable[..., None]) -> bool:
    """Instrument, with content or without; return which."""
    captured = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
    instrument(**(captured if content else {}))
    return content


@pytest.fixture
def embedder(model: ScriptedModel) -> dict[str, Any]:
    settings = {"model_name": "embed-3", "api_key": "none", "api_base": model.openai_url}
    return {"provider": "openai", "config": settings}


def spans_with(emission: Emission, text: str) -> Counts:
    """Return the count of spans with ``text``, by their name and the attribute (or the status)."""
    found = Counter(
        (span.name, name)
        for span in emission.spans
        for name, value in {**(span.attributes or {}), "status": span.status.description}.items()
        if text in str(value)
    )
    if not found:
        assert text not in emission.texts()
    return dict(found)


def contents(emission: Emission, name: str, key: str) -> list[Any]:
    """Return the contents of the records in the attribute ``key`` of the spans of a name."""
    attributes = [span.attributes or {} for span in emission.spans if span.name == name]
    return [[one["content"] for one in json.loads(str(recorded[key]))] for recorded in attributes]


@BOTH
def test_memory(watched: bool, llm: Any, embedder: Any, emission: Emission, tmp_path: Path) -> None:
    memories: Any = import_module("crewai.memory.unified_memory")
    memory = memories.Memory(llm=llm, embedder=embedder, storage=str(tmp_path / "memory"))
    facts = {"scope": "/team", "categories": ["taste"], "importance": 0.5}
    memory.remember(f"{SECRET} is kept", metadata={"source": "talk"}, **facts)
    memory.remember_many([f"{SECRET} too"], **facts)
    memory.recall(f"{SECRET}?", depth="shallow")
    memory.close()
    queries, records = "gen_ai.memory.query.text", "gen_ai.memory.records"
    recorded = {
        ("create_memory", records): 2,
        ("search_memory", queries): 1,
        ("search_memory", records): 1,
    }
    assert spans_with(emission, SECRET) == (recorded if watched else {})
    if watched:
        saved = [[f"{SECRET} is kept"], [f"{SECRET} too"]]
        assert contents(emission, "create_memory", records) == saved
        (found,) = contents(emission, "search_memory", records)
        assert sorted(found) == sorted(text for texts in saved for text in texts)


@BOTH
def test_knowledge(watched: bool, embedder: Any, emission: Emission) -> None:
    sources: Any = import_module("crewai.knowledge.source.string_knowledge_source")
    module: Any = import_module("crewai.knowledge.knowledge")
    source = sources.StringKnowledgeSource(content=f"The sky is {SECRET}.")
    knowledge = module.Knowledge("sky", sources=[source], embedder=embedder)
    knowledge.add_sources()
    knowledge.query([f"What is {SECRET}?"], score_threshold=0.0)
    queries, documents = "gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"
    recorded = {("retrieval", queries): 1, ("retrieval", documents): 1}
    assert spans_with(emission, SECRET) == (recorded if watched else {})
    if watched:
        assert contents(emission, "retrieval", documents) == [[f"The sky is {SECRET}."]]


@BOTH
def test_human_input_is_recorded_only_in_the_model_call(
    watched: bool, llm: Any, emission: Emission, typed: Callable[[str], None]
) -> None:
    typed(f"{SECRET}\n\n")
    crew(task(agent(llm, "Writer"), human_input=True)).kickoff()
    assert spans_with(emission, SECRET) == ({(CHAT, INPUT): 1} if watched else {})


@BOTH
def test_a_guardrail(watched: bool, llm: Any, model: ScriptedModel, emission: Emission) -> None:
    results = iter([(False, f"not {SECRET}"), (True, f"now {SECRET}")])

    def strict(output: Any) -> Any:
        return next(results)

    strict.__annotations__ = {}  # CrewAI does not read postponed annotations
    crew(task(agent(llm, "Writer"), guardrail=strict)).kickoff()
    refused = {(CHAT, INPUT): 1}
    accepted = {("invoke_workflow", OUTPUT): 1}
    assert spans_with(emission, f"not {SECRET}") == (refused if watched else {})
    assert spans_with(emission, f"now {SECRET}") == (accepted if watched else {})


@BOTH
def test_what_a_tool_raises(
    watched: bool, llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    def boom(query: str) -> str:
        """Never works."""
        raise ValueError(SECRET)

    model.script(Response(tool_calls=[ToolCall("boom", {"query": "x"})]))
    crew(task(agent(llm, "Writer", tools=[tool(boom)]))).kickoff()
    recorded = {("execute_tool boom", "status"): 1, (CHAT, INPUT): 1}
    assert spans_with(emission, SECRET) == (recorded if watched else {})
