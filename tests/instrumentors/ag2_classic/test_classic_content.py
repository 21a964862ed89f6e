"""Content is recorded only if enabled: messages and replies of turns, arguments and results of tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conversations import CHAT, agent, calculator, executor, group, talk

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
FIELDS = (
    *("gen_ai.input.messages", "gen_ai.output.messages"),
    *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
)


def echo(a: str) -> str:
    return a


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("sdk", [True, False])
def test_content_is_not_recorded_by_default(
    sdk: bool,
    asynchronous: bool,
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
    tmp_path: Path,
) -> None:
    instrument(sdk=sdk)
    with_call = Response(SECRET, tool_calls=[ToolCall("calculate", {"a": SECRET})])
    model.script(with_call, Response(f"```python\nprint('{SECRET}')\n```"))
    assistant, user = calculator(model, echo, system_message=SECRET)
    user._code_execution_config = {"use_docker": False, "work_dir": str(tmp_path)}
    how: dict[str, Any] = {"message": SECRET, "max_turns": 3, "asynchronous": asynchronous}
    talk(user, assistant, **how, summary_method="reflection_with_llm")
    names = [name.split()[0] for name in emission.names]
    assert (names.count("chat"), names.count("invoke_agent")) == (4, 5)
    assert SECRET not in emission.texts()


def contents(emission: Emission) -> list[tuple[str, dict[str, Any]]]:
    """Return names and content of all spans except model calls, in order of their start."""
    spans = [span for span in emission.spans if span.name != CHAT]
    recorded: list[tuple[str, dict[str, Any]]] = []
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        values: dict[str, Any] = dict(span.attributes or {})
        recorded.append((span.name, {name: values[name] for name in FIELDS if name in values}))
    return recorded


def text(role: str, content: str, **more: str) -> str:
    message = {"role": role, "parts": [{"type": "text", "content": content}], **more}
    return json.dumps([message], separators=(",", ":"))


def test_the_content_of_a_chat_with_a_tool(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(**ON)
    model.script(
        Response(tool_calls=[ToolCall("calculate", {"a": "b"}, id="c1")]), Response("three")
    )
    assistant, user = calculator(model, echo)
    talk(user, assistant, message="Question", max_turns=2)
    call = {"type": "tool_call", "id": "c1", "name": "calculate", "arguments": {"a": "b"}}
    result = {"type": "tool_call_response", "id": "c1", "response": "b"}
    recorded = [
        {name: json.loads(value) for name, value in given.items()}
        for _, given in contents(emission)
    ]
    request = json.loads(text("user", "Question", name="user"))
    assert [name for name, _ in contents(emission)] == [
        *("invoke_workflow", "invoke_agent assistant", "invoke_agent user"),
        *("execute_tool calculate", "invoke_agent assistant"),
    ]
    workflow, first, second, tool, third = recorded
    assert workflow == {
        "gen_ai.input.messages": json.loads(text("user", "Question")),
        "gen_ai.output.messages": json.loads(text("assistant", "three", finish_reason="stop")),
    }
    assert first["gen_ai.input.messages"] == request
    assert first["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [call], "finish_reason": "tool_calls"}
    ]
    assert second["gen_ai.output.messages"] == [
        {"role": "tool", "parts": [result], "finish_reason": "stop"}
    ]
    assert tool == {
        "gen_ai.tool.call.arguments": {"a": "b"},
        "gen_ai.tool.call.result": {"result": "b"},
    }
    assert third["gen_ai.input.messages"] == [{"role": "tool", "parts": [result]}]
    assert third["gen_ai.output.messages"] == json.loads(
        text("assistant", "three", finish_reason="stop")
    )


def test_a_group_has_the_request_and_the_last_message(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    def react(request: ModelRequest) -> Response:
        return Response(f"answer {len(request.body['messages'])}")

    instrument(**ON)
    model.script_by(react)
    first, manager = group(model, "round_robin")
    result = talk(first, manager, message="Question")
    (_, workflow), *_ = contents(emission)
    assert workflow == {
        "gen_ai.input.messages": text("user", "Question"),
        "gen_ai.output.messages": text("assistant", result.summary, finish_reason="stop"),
    }


@pytest.mark.parametrize("sdk", [True, False])
def test_the_messages_of_a_model_call(
    sdk: bool, instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(sdk=sdk, **ON)
    model.script(Response("three"))
    talk(executor(), agent("assistant", model, system_message="Be kind"), max_turns=1)
    (call,) = [dict(s.attributes or {}) for s in emission.spans if s.name == CHAT]
    system, request = json.loads(str(call["gen_ai.input.messages"]))
    assert system == {"role": "system", "parts": [{"type": "text", "content": "Be kind"}]}
    assert request["parts"] == [{"type": "text", "content": "hi"}]
    assert call["gen_ai.output.messages"] == text("assistant", "three", finish_reason="stop")
