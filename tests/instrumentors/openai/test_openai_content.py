"""Law 5 for OpenAI: content only if it is enabled, in the conventions' shapes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar, cast

import openai
import pytest
from content_laws import SECRET, ContentLaws, attribute
from openai_calls import VERSION

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

PNG = b"\x89PNG-" + bytes(300)
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": SECRET,
        "parameters": {"type": "object", "properties": {SECRET: {"type": "string"}}},
    },
}
CONVERSATION: list[Any] = [
    {"role": "system", "content": f"Be brief. {SECRET}"},
    {
        "role": "user",
        "name": "ada",
        "content": [
            {"type": "text", "text": f"What is this? {SECRET}"},
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"},
            },
            {"type": "image_url", "image_url": {"url": f"https://example.com/{SECRET}.png"}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": json.dumps({"city": SECRET})},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": f"sunny {SECRET}"},
]


class TestContent(ContentLaws):
    """The laws for chat; what is sent to the other APIs is content too."""

    request: ClassVar[dict[str, Any]] = {
        "model": "gpt-4o",
        "messages": CONVERSATION,
        "tools": [TOOL],
    }

    def others(self, client: Any) -> list[Callable[[], object]]:
        return [
            lambda: client.completions.create(model="m", prompt=SECRET, suffix=SECRET),
            lambda: client.embeddings.create(model="m", input=SECRET),
        ]


@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "span"])
def test_an_invalid_value_captures_nothing_and_is_logged(
    value: str,
    client: openai.OpenAI,
    emission: Emission,
    instrument: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=value)
    client.chat.completions.create(model="gpt-4o", messages=CONVERSATION)
    assert SECRET not in emission.texts()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "otel_agents"]
    assert line == (
        f"otel-agents: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT={value} is "
        "invalid; NO_CONTENT is used instead. Accepted: NO_CONTENT, SPAN_ONLY, EVENT_ONLY, "
        "SPAN_AND_EVENT"
    )


@pytest.mark.usefixtures("with_content")
def test_messages_on_the_span(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Warm.", tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_2")]))
    client.chat.completions.create(model="gpt-4o", messages=CONVERSATION, tools=[TOOL])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  a plain dict
    assert attribute(emission, "gen_ai.input.messages") == [
        {"role": "system", "parts": [{"type": "text", "content": f"Be brief. {SECRET}"}]},
        {
            "role": "user",
            "name": "ada",
            "parts": [
                {"type": "text", "content": f"What is this? {SECRET}"},
                {
                    "type": "blob",
                    "modality": "image",
                    "mime_type": "image/png",
                    "content": "",
                    "otel_agents.bytes": len(PNG),
                    "otel_agents.sha256": hashlib.sha256(PNG).hexdigest(),
                },
                {
                    "type": "uri",
                    "modality": "image",
                    "uri": f"https://example.com/{SECRET}.png",
                },
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "tool_call",
                    "id": "call_1",
                    "name": "weather",
                    "arguments": {"city": SECRET},
                }
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "call_1", "response": f"sunny {SECRET}"}
            ],
        },
    ]
    assert attribute(emission, "gen_ai.output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "Warm."},
                {
                    "type": "tool_call",
                    "id": "call_2",
                    "name": "weather",
                    "arguments": {"city": "Bern"},
                },
            ],
            "finish_reason": "tool_calls",
        }
    ]
    assert attribute(emission, "gen_ai.tool.definitions") == [
        {"type": "function", "name": "weather"}
    ]
    assert emission.events == []


def test_the_messages_on_the_event(
    client: openai.OpenAI, emission: Emission, instrument: Callable[..., None], model: ScriptedModel
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY")
    model.script(Response("Hi"))
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
    ((_, attributes),) = emission.events
    assert plain(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Hello"}]}
    ]
    output = {"role": "assistant", "parts": [{"type": "text", "content": "Hi"}]}
    assert plain(attributes["gen_ai.output.messages"]) == [{**output, "finish_reason": "stop"}]


def plain(value: Any) -> Any:
    """Return lists and dicts for what the logs SDK has frozen."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[Any]", value)]
    return {k: plain(v) for k, v in value.items()} if hasattr(value, "items") else value


def test_a_large_conversation_is_truncated_to_valid_json(
    client: openai.OpenAI, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY",
        OTEL_AGENTS_CONTENT_MAX_BYTES="2000",
    )
    turns: list[Any] = [{"role": "system", "content": "Be brief."}]
    turns += [{"role": "user", "content": f"{n} " + "x" * 300} for n in range(100)]
    client.chat.completions.create(model="gpt-4o", messages=turns)
    attributes = dict(emission.span.attributes or {})
    text = str(attributes["gen_ai.input.messages"])
    assert len(text.encode()) <= 2000
    kept = json.loads(text)
    assert kept[0]["parts"][0]["content"] == "Be brief."
    assert kept[-1]["parts"][0]["content"].startswith("99 ")
    assert attributes["otel_agents.content.truncated"] == ("gen_ai.input.messages",)
    assert 30_000 < int(str(attributes["otel_agents.content.original_bytes"])) < 60_000
    assert emission.points()["otel_agents.content.truncations"] == [({}, 1)]


def test_a_completion_hook_gets_content_that_is_not_captured(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    from otel_agents.instrumentors.openai import OpenAIInstrumentor
    from otel_agents.instrumentors.settings import Settings

    seen: list[Any] = []

    class Hook:
        def on_completion(self, **given: Any) -> None:
            seen.append(given)
            given["span"].set_attribute("gen_ai.conversation.id", "from the hook")

    model.script(Response("Hi"))
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(
        **emission.providers, settings=Settings.read({}), completion_hook=Hook()
    )
    try:
        client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": SECRET}]
        )
    finally:
        instrumentor.uninstrument()
    (given,) = seen
    assert given["inputs"][0].parts[0].content == SECRET
    assert given["outputs"][0].parts[0].content == "Hi"
    assert (emission.span.attributes or {})["gen_ai.conversation.id"] == "from the hook"
    assert SECRET not in emission.texts()


def called(name: str, arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": "c1", "name": name, "arguments": arguments}


def executed(name: str, details: dict[str, Any], result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a call that OpenAI executed."""
    tool = {"type": details["type"]}
    return [
        {"type": "server_tool_call", "id": "i1", "name": name, "server_tool_call": details},
        {
            "type": "server_tool_call_response",
            "id": "i1",
            "server_tool_call_response": {**tool, **result},
        },
    ]


def responded(response: Any) -> list[dict[str, Any]]:
    return [{"type": "tool_call_response", "id": "c1", "response": response}]


OPERATION = {"type": "update_file", "path": "a.txt", "diff": "+b"}
CLICK = {"type": "click", "x": 1, "y": 2, "button": "left"}
LOGS = {"type": "logs", "logs": "4"}
FOUND = {"file_id": "f1", "text": "Bern", "score": 0.5}
SHELL = [{"stdout": "hi", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
COMMANDS = {"commands": ["echo hi"]}
CONTAINER = {"type": "container_reference", "container_id": "cntr_1"}
TOOL_ITEMS: list[tuple[dict[str, Any], list[Any]]] = [
    (
        {"type": "apply_patch_call", "id": "i1", "call_id": "c1", "operation": OPERATION},
        [called("apply_patch", OPERATION)],
    ),
    (
        {"type": "apply_patch_call_output", "call_id": "c1", "status": "failed"},
        responded("failed"),
    ),
    (
        {"type": "computer_call", "id": "i1", "call_id": "c1", "action": CLICK},
        [called("computer", CLICK)],
    ),
    (
        {
            "type": "computer_call_output",
            "call_id": "c1",
            "output": {"type": "computer_screenshot", "image_url": "https://example.org/a.png"},
        },
        responded([{"type": "uri", "modality": "image", "uri": "https://example.org/a.png"}]),
    ),
    (
        {"type": "shell_call", "id": "i1", "call_id": "c1", "action": COMMANDS},
        [called("shell", COMMANDS)],
    ),
    ({"type": "shell_call_output", "call_id": "c1", "output": SHELL}, responded(SHELL)),
    (
        {"type": "shell_call", "id": "i1", "action": COMMANDS, "environment": CONTAINER},
        executed("shell", {"type": "shell", "action": COMMANDS}, {})[:1],
    ),
    (
        {"type": "local_shell_call_output", "id": "c1", "output": "hi"},
        responded("hi"),
    ),
    (
        {"type": "code_interpreter_call", "id": "i1", "code": "2 + 2", "outputs": [LOGS]},
        executed(
            "code_interpreter", {"type": "code_interpreter", "code": "2 + 2"}, {"outputs": [LOGS]}
        ),
    ),
    (
        {
            "type": "code_interpreter_call",
            "id": "i1",
            "code": "plot()",
            "outputs": [{"type": "image", "url": "https://example.org/a.png"}],
        },
        executed(
            "code_interpreter",
            {"type": "code_interpreter", "code": "plot()"},
            {"outputs": [{"type": "uri", "modality": "image", "uri": "https://example.org/a.png"}]},
        ),
    ),
    (
        {"type": "file_search_call", "id": "i1", "queries": ["Bern"], "results": [FOUND]},
        executed("file_search", {"type": "file_search", "queries": ["Bern"]}, {"results": [FOUND]}),
    ),
    (
        {
            "type": "mcp_call",
            "id": "i1",
            "server_label": "weather",
            "name": "forecast",
            "arguments": '{"city": "Bern"}',
            "output": "sunny",
        },
        executed(
            "forecast",
            {"type": "mcp", "arguments": {"city": "Bern"}, "server_label": "weather"},
            {"output": "sunny"},
        ),
    ),
    (
        {"type": "mcp_call", "id": "i1", "server_label": "s", "name": "f", "error": "refused"},
        executed("f", {"type": "mcp", "server_label": "s"}, {"error": "refused"}),
    ),
]


if VERSION >= (1, 66):

    @pytest.mark.usefixtures("with_content")
    def test_the_items_of_a_response(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response("Warm.", reasoning="Let me think", tool_calls=[ToolCall("weather")]))
        items: list[Any] = [
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
        ]
        client.responses.create(model="gpt-4o", input=items, instructions="Be brief.")
        assert attribute(emission, "gen_ai.system_instructions") == [
            {"type": "text", "content": "Be brief."}
        ]
        assert attribute(emission, "gen_ai.input.messages") == [
            {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {}}],
            },
            {
                "role": "tool",
                "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}],
            },
        ]
        (output,) = attribute(emission, "gen_ai.output.messages")
        assert [part["type"] for part in output["parts"]] == ["reasoning", "text", "tool_call"]

    @pytest.mark.parametrize(("item", "parts"), TOOL_ITEMS)
    @pytest.mark.usefixtures("with_content")
    def test_the_tools_of_openai(
        client: openai.OpenAI, emission: Emission, item: dict[str, Any], parts: list[Any]
    ) -> None:
        client.responses.create(model="gpt-4o", input=cast("Any", [item]))
        role = "tool" if item["type"].endswith("_output") else "assistant"
        assert attribute(emission, "gen_ai.input.messages") == [{"role": role, "parts": parts}]

    @pytest.mark.usefixtures("with_content")
    def test_the_output_of_a_broken_response_stream_is_recorded(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        from otel_agents.testing.scripted_model import Abort

        model.script(Response("one two three four", fault=Abort(6)))
        with pytest.raises(Exception):  # noqa: B017, PT011  which one depends on the SDK
            list(client.responses.create(model="gpt-4o", input="Hi", stream=True))
        (output,) = attribute(emission, "gen_ai.output.messages")
        assert output["parts"][0]["content"].startswith("one")

    PROMPT: dict[str, Any] = {  # an argument of `create` since 1.88
        "prompt": {
            "id": "pmpt_1",
            "version": "2",
            "variables": {"city": SECRET, "map": {"type": "input_text", "text": SECRET}},
        }
    }

    @pytest.mark.usefixtures("with_content")
    def test_the_variables_of_a_prompt(client: openai.OpenAI, emission: Emission) -> None:
        client.responses.create(model="gpt-4o", input="Hi", extra_body=PROMPT)
        attributes = emission.span.attributes or {}
        recorded = {
            name: attributes[name] for name in attributes if name.startswith("gen_ai.prompt")
        }
        assert recorded == {
            "gen_ai.prompt.name": "pmpt_1",
            "gen_ai.prompt.version": "2",
            "gen_ai.prompt.variable.city": SECRET,
            "gen_ai.prompt.variable.map": f'{{"type":"input_text","text":"{SECRET}"}}',
        }

    @pytest.mark.usefixtures("instrumented")
    def test_the_variables_of_a_prompt_are_content(
        client: openai.OpenAI, emission: Emission
    ) -> None:
        client.responses.create(model="gpt-4o", input="Hi", extra_body=PROMPT)
        assert (emission.span.attributes or {})["gen_ai.prompt.name"] == "pmpt_1"
        assert SECRET not in emission.texts()
