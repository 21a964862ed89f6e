"""Content: nothing of it leaves by default, and with it enabled it has the conventions' shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_graphs import CHAT, State, agent, compiled

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
HI = {"messages": [("user", f"{SECRET} hi")]}


@tool
def look_up(topic: str) -> str:
    """Find out about a topic."""
    return f"{SECRET} {topic}"


def run_agent(llm: Any, model: ScriptedModel) -> None:
    call = ToolCall("look_up", {"topic": SECRET}, id="c-1")
    model.script(Response(tool_calls=[call]), f"{SECRET} done")
    agent(llm, "helper", [look_up]).invoke(HI, {"tags": [SECRET], "metadata": {"key": SECRET}})


@pytest.mark.usefixtures("instrumented")
def test_nothing_leaves_by_default(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    run_agent(llm, model)
    assert len(emission.spans) == 4
    assert SECRET not in emission.texts()


def content(emission: Emission, operation: str, name: str) -> Any:
    """Return an attribute with content of the one span of an operation."""
    (span,) = (
        span
        for span in emission.spans
        if (span.attributes or {}).get("gen_ai.operation.name") == operation
    )
    return json.loads(str((span.attributes or {})[name]))


@pytest.mark.usefixtures("with_content")
def test_an_agent_and_a_tool(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    run_agent(llm, model)
    assert content(emission, "invoke_agent", "gen_ai.input.messages") == [
        {"role": "user", "parts": [{"type": "text", "content": f"{SECRET} hi"}]}
    ]
    (result,) = content(emission, "invoke_agent", "gen_ai.output.messages")
    assert result.pop("name", "helper") == "helper"  # LangChain names the messages of an agent
    assert result == {
        "role": "assistant",
        "parts": [{"type": "text", "content": f"{SECRET} done"}],
        "finish_reason": "stop",
    }
    assert content(emission, "execute_tool", "gen_ai.tool.call.arguments") == {"topic": SECRET}
    returned = content(emission, "execute_tool", "gen_ai.tool.call.result")
    assert returned in (f"{SECRET} {SECRET}", {"result": f"{SECRET} {SECRET}"})


@pytest.mark.usefixtures("with_content")
def test_the_state_of_a_graph_is_one_message(emission: Emission) -> None:
    def first(state: State) -> Any:
        return {"steps": ["first"]}

    compiled(first).invoke({"steps": ["start"]})
    (given,) = content(emission, "invoke_workflow", "gen_ai.input.messages")
    assert (given["role"], json.loads(given["parts"][0]["content"])) == (
        "user",
        {"steps": ["start"]},
    )
    (result,) = content(emission, "invoke_workflow", "gen_ai.output.messages")
    assert json.loads(result["parts"][0]["content"]) == {"steps": ["start", "first"]}


class Own(BaseChatModel):
    """A model of the application's."""

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        call: Any = {"name": "look_up", "args": {"topic": "x"}, "id": "c-2", "type": "tool_call"}
        message = AIMessage("Well", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


CALL: Any = {"name": "look_up", "args": {"topic": "y"}, "id": "c-1", "type": "tool_call"}
IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"


@pytest.mark.usefixtures("with_content")
def test_messages_of_a_model_that_reports_itself(emission: Emission) -> None:
    Own().invoke(
        [
            SystemMessage("Be brief."),
            HumanMessage(
                [
                    {"type": "text", "text": "What is that?"},
                    {"type": "image_url", "image_url": {"url": "https://example.test/a.png"}},
                    {"type": "image_url", "image_url": {"url": IMAGE}},
                ]
            ),
            AIMessage("", tool_calls=[CALL]),
            ToolMessage("found", tool_call_id="c-1"),
        ]
    )
    system, human, ai, result = content(emission, "chat", "gen_ai.input.messages")
    assert system == {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]}
    text, url, blob = human["parts"]
    assert text == {"type": "text", "content": "What is that?"}
    assert url == {"type": "uri", "modality": "image", "uri": "https://example.test/a.png"}
    assert (blob["type"], blob["mime_type"], blob["content"]) == ("blob", "image/png", "")
    assert ai["parts"] == [
        {"type": "tool_call", "id": "c-1", "name": "look_up", "arguments": {"topic": "y"}}
    ]
    assert result == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "c-1", "response": "found"}],
    }
    (output,) = content(emission, "chat", "gen_ai.output.messages")
    assert output["role"] == "assistant"
    assert output["parts"] == [
        {"type": "text", "content": "Well"},
        {"type": "tool_call", "id": "c-2", "name": "look_up", "arguments": {"topic": "x"}},
    ]


@pytest.mark.usefixtures("with_content")
def test_a_chain_over_a_prompt(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script("Sunny.")
    prompt = ChatPromptTemplate.from_messages([("human", "{topic}")])
    (prompt | llm).invoke({"topic": "weather"})
    (given,) = content(emission, "invoke_workflow", "gen_ai.input.messages")
    assert json.loads(given["parts"][0]["content"]) == {"topic": "weather"}
    (result,) = content(emission, "invoke_workflow", "gen_ai.output.messages")
    assert result["parts"] == [{"type": "text", "content": "Sunny."}]


def test_what_an_error_quotes_is_content(
    instrument: Callable[..., None], emission: Emission
) -> None:
    def broken(state: State) -> Any:
        raise LookupError(SECRET)

    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    with pytest.raises(LookupError):
        compiled(broken).invoke({"steps": []})
    assert [span.status.description for span in emission.spans] == [SECRET, SECRET]
    assert CHAT not in emission.names
