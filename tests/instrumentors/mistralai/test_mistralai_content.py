"""Law 5: content only if it is enabled, in the conventions' shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from content_laws import SECRET, attribute
from message_parts import blob, text, tool_call
from mistral_calls import CALLS, MESSAGES, VERSION, Call

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

PNG = b"\x89PNG-" + bytes(300)
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": SECRET,
        "parameters": {"type": "object", "properties": {SECRET: {"type": "string"}}},
    },
}
IMAGES = [
    {
        "type": "image_url",
        "image_url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
    },
    {"type": "image_url", "image_url": {"url": f"https://example.com/{SECRET}.png"}},
]
CONVERSATION: list[Any] = [
    {"role": "system", "content": f"Be brief. {SECRET}"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": f"What is this? {SECRET}"},
            *(IMAGES if VERSION >= (1, 1) else []),
        ],
    },
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": json.dumps({"city": SECRET})},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "name": "weather", "content": f"sunny {SECRET}"},
]


@pytest.mark.parametrize("metrics", ["previous", "both"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_secret_is_nowhere_by_default(
    stream: bool,
    metrics: str,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_METRICS=metrics)
    calls = [ToolCall("weather", {"city": SECRET})] if VERSION >= (1, 1) else []
    model.script(Response(f"It is {SECRET}", tool_calls=calls), Failure(500, message=SECRET))
    request: dict[str, Any] = {"model": "m", "messages": CONVERSATION, "tools": [TOOL]}
    list(client.chat.stream(**request)) if stream else client.chat.complete(**request)
    with pytest.raises(Exception, match=SECRET):
        client.chat.complete(**request)
    client.fim.complete(model="m", prompt=SECRET, suffix=SECRET)
    client.embeddings.create(model="m", inputs=SECRET)
    assert len(emission.spans) == 4
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in CALLS])
@pytest.mark.usefixtures("instrumented")
def test_no_surface_emits_content_by_default(
    call: Call, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(SECRET))
    messages = [{"role": "user", "content": SECRET}]
    replaced: dict[str, Any] = {"messages": messages, "inputs": SECRET, "input": SECRET}
    replaced["prompt"] = SECRET
    arguments = {name: replaced.get(name, value) for name, value in call.arguments.items()}
    call.of(client, call.method)(**arguments)
    assert len(emission.spans) == 1
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("with_content")
def test_messages_on_the_span(client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("Warm.", tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_2")]))
    client.chat.complete(model="m", messages=CONVERSATION, tools=[TOOL])
    images = [
        blob(PNG),
        {"type": "uri", "modality": "image", "uri": f"https://example.com/{SECRET}.png"},
    ]
    call = tool_call("call_1", "weather", city=SECRET)
    result = {"type": "tool_call_response", "id": "call_1", "response": f"sunny {SECRET}"}
    assert attribute(emission, "gen_ai.input.messages") == [
        {"role": "system", "parts": [text(f"Be brief. {SECRET}")]},
        {
            "role": "user",
            "parts": [
                text(f"What is this? {SECRET}"),
                *(images if VERSION >= (1, 1) else []),
            ],
        },
        {"role": "assistant", "parts": [call]},
        {"role": "tool", "parts": [result]},
    ]
    assert attribute(emission, "gen_ai.output.messages") == [
        {
            "role": "assistant",
            "parts": [
                text("Warm."),
                tool_call("call_2", "weather", city="Bern"),
            ],
            "finish_reason": "tool_calls",
        }
    ]
    assert attribute(emission, "gen_ai.tool.definitions") == [
        {"type": "function", "name": "weather"}
    ]
    assert emission.events == []


@pytest.mark.usefixtures("with_content")
def test_a_stream_is_accumulated(client: Any, model: ScriptedModel, emission: Emission) -> None:
    newer = VERSION >= (1, 1)  # 1.0 cannot read tool calls in a stream, nor several choices
    calls = [ToolCall("weather", {"city": city}, id=city) for city in ("Bern", "Rome")]
    output = Response("one two", tool_calls=calls if newer else ())
    model.script(output, output)
    request: dict[str, Any] = {"model": "m", "messages": CONVERSATION, "tools": [TOOL]}
    client.chat.complete(**request)
    whole = attribute(emission, "gen_ai.output.messages")
    list(client.chat.stream(**request))
    assert attribute(emission, "gen_ai.output.messages") == whole
    assert len(whole[0]["parts"]) == (3 if newer else 1)


@pytest.mark.usefixtures("with_content")
def test_messages_that_are_objects(client: Any, model: ScriptedModel, emission: Emission) -> None:
    """What the SDK returned is sent again."""
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_2")]), "Warm.")
    user = {"role": "user", "content": "Hi"}
    called = client.chat.complete(model="m", messages=[user], tools=[TOOL]).choices[0].message
    client.chat.complete(model="m", messages=[user, called])
    call = tool_call("call_2", "weather", city="Bern")
    assert attribute(emission, "gen_ai.input.messages") == [
        {"role": "user", "parts": [text("Hi")]},
        {"role": "assistant", "parts": [call]},
    ]


if VERSION >= (3, 0):
    REFERENCE = {"type": "reference", "reference_ids": [1, 2]}
    CHUNKS: list[Any] = [
        REFERENCE,
        {"type": "image_url", "image_url": "https://example.com/b.png"},
        {"type": "document_url", "document_url": "https://example.com/c.pdf"},
        {"type": "file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": base64.b64encode(b"abc").decode()},
    ]
    PARTS = [
        {"type": "generic", "generic_type": "reference", "content": [1, 2]},
        {"type": "uri", "modality": "image", "uri": "https://example.com/b.png"},
        {"type": "uri", "modality": "document", "uri": "https://example.com/c.pdf"},
        {"type": "file", "modality": "document", "file_id": "file_1"},
        blob(b"abc", None, "audio"),
    ]

    @pytest.mark.usefixtures("with_content")
    def test_every_kind_of_chunk(client: Any, model: ScriptedModel, emission: Emission) -> None:
        output = Response("one two", reasoning="Think well.", items=[REFERENCE])
        model.script(output, output)
        message = {"role": "user", "content": [{"type": "text", "text": "Hi"}, *CHUNKS]}
        client.chat.complete(model="m", messages=[message])
        sent = text("Hi")
        assert attribute(emission, "gen_ai.input.messages") == [
            {"role": "user", "parts": [sent, *PARTS]}
        ]
        whole = [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Think well."},
                    text("one two"),
                    PARTS[0],
                ],
                "finish_reason": "stop",
            }
        ]
        assert attribute(emission, "gen_ai.output.messages") == whole
        list(client.chat.stream(model="m", messages=[message]))
        assert attribute(emission, "gen_ai.output.messages") == whole

    @pytest.mark.usefixtures("with_content")
    def test_a_verdict(client: Any, model: ScriptedModel, emission: Emission) -> None:
        model.script(*[Response("It helps.", extra={"answer": 0.5})] * 2)
        (saved, record) = (call for call in CALLS if "verdict" in call.name)
        for call in (saved, record):
            call.of(client, call.method)(**call.arguments)
            assert attribute(emission, "gen_ai.output.messages") == [
                {
                    "role": "assistant",
                    "parts": [text("It helps."), text("0.5")],
                    "finish_reason": "stop",
                }
            ]
        first, second = (dict(span.attributes or {}) for span in emission.spans)
        sent = {"role": "user", "parts": [text(MESSAGES[0]["content"])]}
        assert json.loads(str(first["gen_ai.input.messages"])) == [sent]
        assert json.loads(str(second["gen_ai.system_instructions"])) == [text("Be strict.")]

    @pytest.mark.usefixtures("with_content")
    def test_documents_and_audio(client: Any, model: ScriptedModel, emission: Emission) -> None:
        pdf = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
        client.ocr.process(model="m", document=pdf)
        assert attribute(emission, "gen_ai.input.messages") == [
            {
                "role": "user",
                "parts": [
                    {"type": "uri", "modality": "document", "uri": "https://example.com/a.pdf"}
                ],
            }
        ]
        transcriptions = client.audio.transcriptions
        transcriptions.complete(model="m", file={"file_name": "a.wav", "content": b"abc"})
        (message,) = attribute(emission, "gen_ai.input.messages")
        assert message == {"role": "user", "parts": [PARTS[-1]]}
        whole = attribute(emission, "gen_ai.output.messages")
        list(transcriptions.stream(model="m", file_id="file_1"))
        assert attribute(emission, "gen_ai.output.messages") == whole
        assert attribute(emission, "gen_ai.input.messages") == [
            {"role": "user", "parts": [{"type": "file", "modality": "audio", "file_id": "file_1"}]}
        ]
        model.script(Response(audio=b"abc"), Response(audio=b"abc"))
        client.audio.speech.complete(model="m", input="Hi")
        spoken = attribute(emission, "gen_ai.output.messages")
        assert spoken == [{"role": "assistant", "parts": [PARTS[-1]], "finish_reason": "stop"}]
        list(client.audio.speech.complete(model="m", input="Hi", stream=True))
        assert attribute(emission, "gen_ai.output.messages") == spoken
        assert attribute(emission, "gen_ai.input.messages") == [
            {"role": "user", "parts": [text("Hi")]}
        ]


if VERSION >= (3, 4):

    @pytest.mark.usefixtures("with_content")
    def test_responses(client: Any, model: ScriptedModel, emission: Emission) -> None:
        output = Response("one two", tool_calls=[ToolCall("weather", {"city": "Bern"}, id="c1")])
        model.script(output, output)
        client.responses.create(model="m", input="Hi", instructions="Be brief.")
        assert attribute(emission, "gen_ai.system_instructions") == [text("Be brief.")]
        whole = attribute(emission, "gen_ai.output.messages")
        assert [part["type"] for part in whole[0]["parts"]] == ["text", "tool_call"]
        list(client.responses.create(model="m", input="Hi", stream=True))
        assert attribute(emission, "gen_ai.output.messages") == whole
