"""Content leaves only if it was enabled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index_parts import add, attributes, index, talk

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

SECRET = "planted-secret"


def message(role: str, content: str, **more: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


def recorded(emission: Emission, span: str, name: str) -> Any:
    (found,) = attributes(emission, span)
    return json.loads(found[name])


@pytest.mark.usefixtures("instrumented")
def test_nothing_leaves_by_default(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(SECRET)
    engine = index(model, [SECRET]).as_query_engine(llm=llm)
    engine.query(SECRET)
    talk(llm).chat(SECRET)
    add(a=1, b=2)
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("with_content")
def test_a_query_with_content(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    index(model, ["red"]).as_query_engine(llm=llm).query("Which?")
    assert recorded(emission, "invoke_workflow", "gen_ai.input.messages") == [
        message("user", "Which?")
    ]
    assert recorded(emission, "invoke_workflow", "gen_ai.output.messages") == [
        message("assistant", "Hello from the scripted model.", finish_reason="stop")
    ]
    (found,) = attributes(emission, "retrieval")
    assert found["gen_ai.retrieval.query.text"] == "Which?"
    (document,) = json.loads(found["gen_ai.retrieval.documents"])
    assert document["content"] == "red"
    assert set(document) == {"id", "score", "content"}


@pytest.mark.usefixtures("with_content")
def test_a_streamed_query_with_content(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    engine = index(model).as_query_engine(llm=llm, streaming=True)
    assert "".join(engine.query("Which?").response_gen)
    (found,) = recorded(emission, "invoke_workflow", "gen_ai.output.messages")
    assert found["parts"][0]["content"].strip() == "Hello from the scripted model."


@pytest.mark.usefixtures("with_content")
def test_a_chat_with_content(llm: Any, emission: Emission) -> None:
    talk(llm).chat("Hi")
    assert recorded(emission, "invoke_workflow", "gen_ai.input.messages") == [message("user", "Hi")]
    assert recorded(emission, "invoke_workflow", "gen_ai.output.messages") == [
        message("assistant", "Hello from the scripted model.", finish_reason="stop")
    ]


@pytest.mark.usefixtures("with_content")
def test_a_tool_with_content(emission: Emission) -> None:
    add(a=1, b=2)
    assert recorded(emission, "execute_tool add", "gen_ai.tool.call.arguments") == {"a": 1, "b": 2}
    assert recorded(emission, "execute_tool add", "gen_ai.tool.call.result") == {"result": "3"}
