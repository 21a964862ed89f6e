"""Content is recorded only if enabled, and then once."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, assistant, round_robin

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

core: Any = import_module("autogen_core")
models: Any = import_module("autogen_core.models")


async def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def text(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


async def ran(client: Any, model: ScriptedModel) -> None:
    call = ToolCall("weather", {"city": SECRET}, id="call_1")
    model.script(Response(tool_calls=[call]), f"It is {SECRET}", f"Well, {SECRET}")
    first = assistant("first", client, tools=[weather], reflect_on_tool_use=True)
    await round_robin(first, assistant("second", client)).run(task=f"Tell {SECRET}")


def content_of(emission: Emission, name: str) -> dict[str, Any]:
    """Return the content of the span of this name, parsed."""
    (span,) = [span for span in emission.spans if span.name == name]
    endings = ("messages", "arguments", "result", "instructions")
    return {
        key: json.loads(str(value))
        for key, value in (span.attributes or {}).items()
        if key.endswith(endings)
    }


@pytest.mark.parametrize("sdk", [True, False])
def test_no_content_is_recorded_by_default(
    sdk: bool,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(sdk=sdk)
    run(ran(client, model))
    assert SECRET not in emission.texts()
    assert content_of(emission, "invoke_workflow") == {}


def test_a_run_records_its_input_and_output(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    run(ran(client, model))
    last = text("assistant", f"Well, {SECRET}", name="second", finish_reason="stop")
    output = text("assistant", f"It is {SECRET}", name="first", finish_reason="stop")
    assert content_of(emission, "invoke_workflow") == {
        "gen_ai.input.messages": [text("user", f"Tell {SECRET}")],
        "gen_ai.output.messages": [last],
    }
    assert content_of(emission, "invoke_agent first") == {
        "gen_ai.input.messages": [text("user", f"Tell {SECRET}")],
        "gen_ai.output.messages": [output],
    }
    assert content_of(emission, "invoke_agent second") == {
        "gen_ai.input.messages": [
            text("user", f"Tell {SECRET}"),
            text("user", f"It is {SECRET}", name="first"),
        ],
        "gen_ai.output.messages": [last],
    }
    assert content_of(emission, "execute_tool weather") == {
        "gen_ai.tool.call.arguments": {"city": SECRET},
        "gen_ai.tool.call.result": {"result": f"sunny in {SECRET}"},
    }


def test_a_model_call_records_all_kinds_of_messages(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    """No SDK below it is instrumented."""
    image_module: Any = import_module("PIL.Image")
    picture = core.Image(image_module.new("RGB", (1, 1)))
    instrument(sdk=False, **{CAPTURE: "SPAN_ONLY"})
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_2")]))
    call = core.FunctionCall(id="call_1", name="weather", arguments='{"city": "Bern"}')
    more = {} if "name" not in models.FunctionExecutionResult.model_fields else {"name": "weather"}
    done = models.FunctionExecutionResult(content="sunny", call_id="call_1", **more)
    input_messages = [
        models.SystemMessage(content="Be kind."),
        models.UserMessage(content=["What is this?", picture], source="user"),
        models.AssistantMessage(content=[call], source="first"),
        models.FunctionExecutionResultMessage(content=[done]),
    ]
    run(client.create(input_messages))
    content = content_of(emission, CHAT)
    (system, user, assistant_message, tool_message) = content["gen_ai.input.messages"]
    assert system == text("system", "Be kind.")
    assert user["parts"][0] == {"type": "text", "content": "What is this?"}
    blob = user["parts"][1]
    assert (blob["type"], blob["mime_type"], blob["modality"]) == ("blob", "image/png", "image")
    requested = {
        "type": "tool_call",
        "id": "call_1",
        "name": "weather",
        "arguments": {"city": "Bern"},
    }
    assert assistant_message == {"role": "assistant", "parts": [requested]}
    response = {"type": "tool_call_response", "id": "call_1", "response": "sunny"}
    assert tool_message == {"role": "tool", "parts": [response]}
    assert content["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [{**requested, "id": "call_2"}],
            "finish_reason": "tool_calls",
        }
    ]
