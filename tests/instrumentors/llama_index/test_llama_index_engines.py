"""Query engines that ask other engines."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

import pytest
from llama_index.core.query_engine import (
    CustomQueryEngine,
    RetryQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool, ToolMetadata
from llama_index_parts import CHAT, EMBED, attributes, index

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
core: Any = import_module("llama_index.core")
INGEST = ["ingest", f"  {EMBED}"]
PARTS = [
    {"sub_question": "Which?", "tool_name": "colors"},
    {"sub_question": "How many?", "tool_name": "shapes"},
]


def tools(llm: Any, model: ScriptedModel) -> list[QueryEngineTool]:
    """Return two engines with the application's names."""
    return [
        QueryEngineTool(
            query_engine=index(model).as_query_engine(llm=llm),
            metadata=ToolMetadata(name=name, description=name),
        )
        for name in ("colors", "shapes")
    ]


def query(name: str, depth: int = 1) -> list[str]:
    lines = [f"query {name}", "  retrieval", f"    {EMBED}", f"  {CHAT}"]
    return ["  " * depth + line for line in lines]


def divided(llm: Any, model: ScriptedModel, streaming: bool, at_once: bool = False) -> Any:
    """Return an engine that asks two engines, the second of them at the same time."""
    return SubQuestionQueryEngine.from_defaults(
        tools(llm, model),
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=core.get_response_synthesizer(llm=llm, streaming=streaming),
        use_async=at_once,
        verbose=False,
    )


@pytest.mark.parametrize("streaming", [False, True])
def test_divided_are_steps(
    streaming: bool, llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    engine = divided(llm, model, streaming)
    model.script(f"```json\n{json.dumps(PARTS)}\n```")
    response = engine.query("Compare.")
    if streaming:
        assert "".join(response.response_gen)
    assert emission.tree() == [
        *INGEST * 2,
        "invoke_workflow",
        f"  {CHAT}",
        *query("colors"),
        *query("shapes"),
        f"  {CHAT}",
    ]
    assert attributes(emission, "query colors") == [{"otel_agents.step.type": "query"}]


def test_async_divided_are_steps(
    llm: Any, loop: Loop, model: ScriptedModel, emission: Emission
) -> None:
    engine = divided(llm, model, False)
    model.script(f"```json\n{json.dumps(PARTS)}\n```")

    async def main() -> None:
        await engine.aquery("Compare.")

    loop.run_until_complete(main())
    tree = emission.tree()[4:]
    assert tree[:2] == ["invoke_workflow", f"  {CHAT}"]
    assert sorted(tree[2:]) == sorted([*query("colors"), *query("shapes"), f"  {CHAT}"])
    assert emission.traces() == 3


def test_divided_at_once_are_steps(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    engine = divided(llm, model, False, at_once=True)
    model.script(f"```json\n{json.dumps(PARTS)}\n```")
    engine.query("Compare.")
    tree = emission.tree()[4:]
    assert tree[:2] == ["invoke_workflow", f"  {CHAT}"]
    assert sorted(tree[2:]) == sorted([*query("colors"), *query("shapes"), f"  {CHAT}"])
    assert emission.traces() == 3


def test_a_router_selects_one_engine(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    selector = LLMSingleSelector.from_defaults(llm=llm)
    engine = RouterQueryEngine.from_defaults(tools(llm, model), llm=llm, selector=selector)
    model.script(json.dumps([{"choice": 2, "reason": "It is about shapes."}]))
    engine.query("How many?")
    assert emission.tree() == [*INGEST * 2, "invoke_workflow", f"  {CHAT}", *query("shapes")]


def test_an_engine_of_the_application_has_its_name(emission: Emission) -> None:
    class Oracle(CustomQueryEngine):
        def custom_query(self, query_str: str) -> str:
            return "42"

    assert str(Oracle().query("Why?")) == "42"
    assert emission.tree() == ["invoke_workflow Oracle"]


def test_an_engine_that_retries(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    from llama_index.core.evaluation import FaithfulnessEvaluator

    inner = index(model).as_query_engine(llm=llm)
    model.script_by(lambda request: Response("YES"))
    engine = RetryQueryEngine(inner, FaithfulnessEvaluator(llm=llm), max_retries=1)
    engine.query("Which?")
    tree = emission.tree()
    tree_of_query = ["invoke_workflow", "  retrieval", f"    {EMBED}", f"  {CHAT}"]
    assert tree[2:7] == [*tree_of_query, "  evaluate Faithfulness"]
    assert emission.traces() == 2
