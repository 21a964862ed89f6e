"""Content: a planted secret is recorded only if content is enabled, and only where it belongs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import ag2_agents
import pytest
from ag2_agents import CHAT, agent, calling, run, span_named
from ag2_networks import CLOSED, WORKFLOW, network, opened

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SECRET = "planted-secret"
DATA = b"\x89PNG" * 20


def look(city: str) -> str:
    """Look at a city."""
    return f"seen {city}"


def content(span: Any) -> dict[str, Any]:
    """Return the content attributes of a span."""
    names = ("messages", "instructions", "arguments", "result")
    attributes: dict[str, Any] = dict(span.attributes)
    return {name: json.loads(value) for name, value in attributes.items() if name.endswith(names)}


def text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


async def run_turn(config: Any) -> None:
    tools = [ag2_agents.tool(look)]
    guide = agent("Guide", config, tools=tools, hitl_hook=lambda: SECRET)
    await guide.ask(f"Go, {SECRET}")


def react(request: Any) -> Any:
    call: Any = calling(ToolCall("look", {"city": SECRET}))(request)
    return call if call.tool_calls else Response(f"told {SECRET}")


@pytest.mark.parametrize("sdk", [True, False])
def test_content_is_not_recorded_by_default(
    instrument: Callable[..., None],
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    sdk: bool,
) -> None:
    instrument(sdk=sdk, OTEL_AGENTS_METRICS="both", OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT="true")
    model.script_by(react)
    run(lambda: run_turn(config))
    assert len(emission.spans) == 4
    assert SECRET not in emission.texts()
    assert "Be brief" not in emission.texts()


@pytest.mark.parametrize("sdk", [True, False])
def test_each_span_has_its_own_content(
    instrument: Callable[..., None],
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    sdk: bool,
) -> None:
    instrument(sdk=sdk, **{CAPTURE: "SPAN_ONLY"})
    model.script_by(react)
    run(lambda: run_turn(config))
    request = text_message("user", f"Go, {SECRET}")
    response = {**text_message("assistant", f"told {SECRET}"), "finish_reason": "stop"}
    assert content(span_named(emission, "invoke_agent Guide")) == {
        "gen_ai.input.messages": [request],
        "gen_ai.output.messages": [response],
    }
    tool = span_named(emission, "execute_tool look")
    call_id = tool.attributes["gen_ai.tool.call.id"]
    assert content(tool) == {
        "gen_ai.tool.call.arguments": {"city": SECRET},
        "gen_ai.tool.call.result": {"result": f"seen {SECRET}"},
    }
    chats: list[Any] = [content(span) for span in emission.spans if span.name == CHAT]
    call = {"type": "tool_call", "id": call_id, "name": "look", "arguments": {"city": SECRET}}
    seen = {"type": "tool_call_response", "id": call_id, "response": f"seen {SECRET}"}
    assert chats[0]["gen_ai.output.messages"][0]["parts"] == [call]
    assert chats[1]["gen_ai.input.messages"][-1] == {"role": "tool", "parts": [seen]}
    assert chats[1]["gen_ai.output.messages"] == [response]
    if not sdk:
        assert chats[0]["gen_ai.system_instructions"] == [{"type": "text", "content": "Be brief."}]
        assert chats[0]["gen_ai.input.messages"] == [request]
        assert [message["role"] for message in chats[1]["gen_ai.input.messages"]] == [
            "user",
            "assistant",
            "tool",
        ]


def test_media_are_recorded_by_size_and_hash(
    instrument: Callable[..., None], emission: Emission
) -> None:
    events: Any = import_module("ag2.events")
    testing: Any = import_module("ag2.testing")
    instrument(sdk=False, **{CAPTURE: "SPAN_ONLY"})
    image = events.ImageInput(data=DATA, media_type="image/png")
    linked = events.ImageInput("https://toy.example/a.png")
    guide = agent("Guide", testing.TestConfig("done"))
    run(lambda: guide.ask("Look", image, linked, {"a": 1}))
    (message,) = content(span_named(emission, "invoke_agent Guide"))["gen_ai.input.messages"]
    digest = hashlib.sha256(DATA).hexdigest()
    blob = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""}
    assert message["parts"] == [
        {"type": "text", "content": "Look"},
        {**blob, "otel_agents.bytes": len(DATA), "otel_agents.sha256": digest},
        {"type": "uri", "modality": "image", "uri": "https://toy.example/a.png"},
        {"type": "text", "content": '{"a": 1}'},
    ]


@pytest.mark.parametrize("capture", ["NO_CONTENT", "SPAN_ONLY"])
def test_a_workflow_has_the_request_and_the_last_response(
    instrument: Callable[..., None],
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    capture: str,
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=capture)

    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"))
            await (await opened(net, "workflow", "a", "b", knobs=steps)).send("planted-secret")
            await net.received(CLOSED)

    model.script("first planted-secret", "last planted-secret")
    run(main)
    workflow = span_named(emission, WORKFLOW)
    recorded = {
        name: json.loads(value)
        for name, value in workflow.attributes.items()
        if name.endswith("messages")
    }
    request = {"role": "user", "parts": [{"type": "text", "content": "planted-secret"}]}
    last = {**text_message("assistant", "last planted-secret"), "finish_reason": "stop"}
    if capture == "NO_CONTENT":
        assert recorded == {}
        assert "planted-secret" not in emission.texts()
    else:
        assert recorded == {"gen_ai.input.messages": [request], "gen_ai.output.messages": [last]}
