"""Human input, and the memories of early versions: short-term, long-term, entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Kind,
    ModelRequest,
    Response,
    ScriptedModel,
    default_response,
)

SECRET = "planted-secret"
EMBEDDER = {"provider": "openai", "config": {"model": "embed-3", "api_key": "none"}}
EMBEDDED = "  embeddings embed-3"

pytestmark = pytest.mark.usefixtures("instrumented")


def react(request: ModelRequest) -> Response:
    """Respond; a request with a tool is an evaluation, which has its own memory."""
    if request.tools:
        return default_response(request)
    return Response(f"Thought: I know it.\nFinal Answer: {SECRET}")


def test_memory(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script_by(react)
    writer = agent(llm, "Writer")
    crew(task(writer, description=SECRET), memory=True, embedder=EMBEDDER).kickoff()
    searched = ("search_memory", "search_memory", EMBEDDED, "search_memory", EMBEDDED)
    kept = ("create_memory", EMBEDDED, CHAT, "create_memory", "create_memory", EMBEDDED)
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *searched, CHAT, *kept)]
    (run,) = [span for span in emission.spans if span.name == "invoke_agent Writer"]
    billed = model.ledger.only(Kind.INFERENCE).input_tokens
    assert (run.attributes or {})["gen_ai.usage.input_tokens"] == billed
    assert SECRET not in emission.texts()


def test_human_input(
    llm: Any, model: ScriptedModel, emission: Emission, typed: Callable[[str], None]
) -> None:
    model.script_by(react)
    typed(f"{SECRET}\n")
    crew(task(agent(llm, "Writer"), human_input=True)).kickoff()
    lines = emission.tree()
    assert lines[:5] == ["invoke_workflow", *run_of("Writer", CHAT, "human_input")]
    assert {line.strip() for line in lines[5:]} == {CHAT}
    assert len([line for line in lines if line.strip() == CHAT]) == model.ledger.requests
    assert SECRET not in emission.texts()
