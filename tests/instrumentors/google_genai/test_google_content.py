"""Law 5 for Google's SDK: content only if it is enabled, in the conventions' shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from content_laws import SECRET, attribute, check_no_secret
from google import genai
from google.genai import types
from google_calls import MODEL, VERSION
from message_parts import blob, text, tool_call

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

PNG = b"\x89PNG-" + bytes(300)
BLOB = blob(PNG)
TOOL: Any = {
    "function_declarations": [
        {
            "name": "weather",
            "description": SECRET,
            "parameters": {"type": "OBJECT", "properties": {SECRET: {"type": "STRING"}}},
        }
    ],
    "google_search": {},
}
CONFIG: Any = {"system_instruction": f"Be brief. {SECRET}", "tools": [TOOL]}
CONVERSATION: list[Any] = [
    types.Content(
        role="user",
        parts=[
            types.Part(text=f"What is this? {SECRET}"),
            types.Part(inline_data=types.Blob(data=PNG, mime_type="image/png")),
            types.Part(
                file_data=types.FileData(file_uri=f"gs://b/{SECRET}.mp4", mime_type="video/mp4")
            ),
        ],
    ),
    types.Content(
        role="model",
        parts=[
            types.Part(text="Look.", thought=True),
            types.Part(
                function_call=types.FunctionCall(id="1", name="weather", args={"city": SECRET})
            ),
        ],
    ),
    types.Content(
        role="user",
        parts=[
            types.Part(
                function_response=types.FunctionResponse(
                    id="1", name="weather", response={"result": SECRET}
                )
            )
        ],
    ),
]


@pytest.mark.parametrize("metrics", ["previous", "both"])
@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_a_secret_is_nowhere_by_default(
    method: str,
    metrics: str,
    client: genai.Client,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_METRICS=metrics)
    send = getattr(client.models, method)

    def request() -> None:
        response = send(model=MODEL, contents=CONVERSATION, config=CONFIG)
        if method.endswith("stream"):
            list(response)

    def embed() -> object:
        return client.models.embed_content(model="m", contents=SECRET)

    check_no_secret(request, genai.errors.ServerError, model, emission, embed)


@pytest.mark.usefixtures("with_content")
def test_messages_on_the_span(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    call = ToolCall("weather", {"city": "Bern"}, id="2")
    model.script(Response("Warm.", reasoning="It is July.", tool_calls=[call]))
    client.models.generate_content(model=MODEL, contents=CONVERSATION, config=CONFIG)
    assert attribute(emission, "gen_ai.system_instructions") == [text(f"Be brief. {SECRET}")]
    assert attribute(emission, "gen_ai.input.messages") == [
        {
            "role": "user",
            "parts": [
                text(f"What is this? {SECRET}"),
                BLOB,
                {
                    "type": "uri",
                    "modality": "video",
                    "uri": f"gs://b/{SECRET}.mp4",
                    "mime_type": "video/mp4",
                },
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Look."},
                tool_call("1", "weather", city=SECRET),
            ],
        },
        {
            "role": "tool",
            "parts": [
                {
                    "type": "tool_call_response",
                    "id": "1",
                    "name": "weather",
                    "response": {"result": SECRET},
                }
            ],
        },
    ]
    assert attribute(emission, "gen_ai.output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "It is July."},
                text("Warm."),
                tool_call("2", "weather", city="Bern"),
            ],
            "finish_reason": "stop",
        }
    ]
    assert attribute(emission, "gen_ai.tool.definitions") == [
        {"type": "function", "name": "weather"},
        {"type": "google_search", "name": "google_search"},
    ]
    assert emission.events == []


def plainly(contents: list[Any]) -> list[Any]:
    return [content.model_dump(exclude_none=True) for content in contents]


def in_json(contents: list[Any]) -> list[Any]:
    dumped = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in contents]
    return json.loads(json.dumps(dumped))


@pytest.mark.parametrize("spelled", [plainly, in_json])
@pytest.mark.usefixtures("with_content")
def test_dicts_in_both_spellings_are_the_same_messages(
    spelled: Callable[[list[Any]], list[Any]], client: genai.Client, emission: Emission
) -> None:
    for contents in (CONVERSATION, spelled(CONVERSATION)):
        client.models.generate_content(model=MODEL, contents=contents)
    first, second = (
        json.loads(str((span.attributes or {})["gen_ai.input.messages"])) for span in emission.spans
    )
    assert first == second


@pytest.mark.usefixtures("with_content")
def test_parts_without_contents_are_the_users(client: genai.Client, emission: Emission) -> None:
    image = types.Part(inline_data=types.Blob(data=PNG, mime_type="image/png"))
    contents: list[Any] = ["What is this?", image, CONVERSATION[1], "And this?"]
    client.models.generate_content(model=MODEL, contents=contents)
    assert [
        (message["role"], [part["type"] for part in message["parts"]])
        for message in attribute(emission, "gen_ai.input.messages")
    ] == [("user", ["text", "blob"]), ("assistant", ["reasoning", "tool_call"]), ("user", ["text"])]


@pytest.mark.usefixtures("with_content")
def test_a_stream_is_accumulated(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    call = ToolCall("weather", {"city": "Bern"}, id="2")
    output = Response("one two", reasoning="Think of three", tool_calls=[call], choices=2)
    model.script(output, output)
    client.models.generate_content(model=MODEL, contents="Hi")
    whole = attribute(emission, "gen_ai.output.messages")
    list(client.models.generate_content_stream(model=MODEL, contents="Hi"))
    assert attribute(emission, "gen_ai.output.messages") == whole
    assert len(whole) == 2


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
@pytest.mark.usefixtures("with_content")
def test_code_that_google_executes(
    method: str, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    items: list[Any] = [
        {"executableCode": {"language": "PYTHON", "code": "print(6 * 7)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42\n"}},
    ]
    model.script(Response("It is 42.", items=items))
    response = getattr(client.models, method)(model=MODEL, contents="How much is 6 * 7?")
    if method.endswith("stream"):
        list(response)
    (message,) = attribute(emission, "gen_ai.output.messages")
    assert message["parts"] == [
        {
            "type": "server_tool_call",
            "name": "code_execution",
            "server_tool_call": {
                "type": "code_execution",
                "language": "python",
                "code": "print(6 * 7)",
            },
        },
        {
            "type": "server_tool_call_response",
            "server_tool_call_response": {
                "type": "code_execution",
                "outcome": "outcome_ok",
                "output": "42\n",
            },
        },
        text("It is 42."),
    ]


GROUNDING: Any = {
    "webSearchQueries": ["Euro 2024 winner"],
    "groundingChunks": [
        {"web": {"uri": "https://uefa.com/1", "title": "uefa.com"}},
        {"web": {"uri": "https://example.com/2", "title": "example.com"}},
    ],
}
SEARCH = [
    {
        "type": "server_tool_call",
        "name": "google_search",
        "server_tool_call": {"type": "google_search", "queries": ["Euro 2024 winner"]},
    },
    {
        "type": "server_tool_call_response",
        "server_tool_call_response": {
            "type": "google_search",
            "sources": [
                {"uri": "https://uefa.com/1", "title": "uefa.com"},
                {"uri": "https://example.com/2", "title": "example.com"},
            ],
        },
    },
]


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
@pytest.mark.usefixtures("with_content")
def test_searches_that_ground_a_response(
    method: str, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Spain won.", items=[{"groundingMetadata": GROUNDING}]))
    response = getattr(client.models, method)(model=MODEL, contents="Who won the Euro 2024?")
    if method.endswith("stream"):
        list(response)
    (message,) = attribute(emission, "gen_ai.output.messages")
    assert message["parts"] == [*SEARCH, text("Spain won.")]


@pytest.mark.usefixtures("with_content")
def test_structured_output(client: genai.Client, model: ScriptedModel, emission: Emission) -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        city: str

    config: Any = {"response_mime_type": "application/json", "response_schema": City}
    response = client.models.generate_content(model=MODEL, contents="A city", config=config)
    assert response.parsed == City(city="example")
    assert (emission.span.attributes or {})["gen_ai.output.type"] == "json"
    (message,) = attribute(emission, "gen_ai.output.messages")
    assert message["parts"] == [{"type": "text", "content": '{"city": "example"}'}]


def test_content_on_the_event_only(
    client: genai.Client,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY")
    model.script(Response("Hi"))
    client.models.generate_content(model=MODEL, contents=f"Hello {SECRET}")
    assert SECRET not in emission.span.to_json()
    ((name, attributes),) = emission.events
    assert name == "gen_ai.client.inference.operation.details"
    messages = attributes.pop("gen_ai.input.messages")
    outputs = attributes.pop("gen_ai.output.messages")
    assert attributes == dict(emission.span.attributes or {})
    sent = text(f"Hello {SECRET}")
    assert plain(messages) == [{"role": "user", "parts": [sent]}]
    output = {"role": "assistant", "parts": [text("Hi")]}
    assert plain(outputs) == [{**output, "finish_reason": "stop"}]


def plain(value: Any) -> Any:
    """Return lists and dicts for what the logs SDK has frozen."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[Any]", value)]
    return {k: plain(v) for k, v in value.items()} if hasattr(value, "items") else value


@pytest.mark.skipif(VERSION < (1, 33), reason="returns no response as it is received")
@pytest.mark.usefixtures("with_content")
def test_a_response_that_is_returned_as_it_was_received(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    call = ToolCall("weather", {"city": "Bern"}, id="2")
    code: Any = [{"executableCode": {"language": "PYTHON", "code": "1"}}]
    cited: Any = {"citationMetadata": {"citationSources": CITATIONS}}
    grounded = [*code, {"groundingMetadata": GROUNDING}, cited]
    scripted = Response("Warm.", reasoning="July.", tool_calls=[call], items=grounded, images=[PNG])
    model.script(scripted, scripted)
    client.models.generate_content(model=MODEL, contents="Hi")
    parsed = attribute(emission, "gen_ai.output.messages")
    raw = types.GenerateContentConfig(should_return_http_response=True)
    client.models.generate_content(model=MODEL, contents="Hi", config=raw)
    assert attribute(emission, "gen_ai.output.messages") == parsed
    kinds = [part["type"] for part in parsed[0]["parts"]]
    server = ["server_tool_call", "server_tool_call_response", "server_tool_call"]
    assert sorted(kinds) == sorted(["reasoning", "text", "tool_call", "blob", *server])


@pytest.mark.skipif(VERSION < (2, 0), reason="has no such parts")
@pytest.mark.usefixtures("with_content")
def test_tools_that_google_runs_and_urls_that_it_reads(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    called = {"id": "1", "toolType": "GOOGLE_MAPS", "args": {"query": "Bern"}}
    found = {"id": "1", "toolType": "GOOGLE_MAPS", "response": {"places": 1}}
    read = {"retrievedUrl": "https://a.example", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_OK"}
    items: list[Any] = [
        {"toolCall": called},
        {"toolResponse": found},
        {"urlContextMetadata": {"urlMetadata": [read]}},
    ]
    model.script(Response("There.", items=items))
    client.models.generate_content(model=MODEL, contents="Where is it?")
    (message,) = attribute(emission, "gen_ai.output.messages")
    assert message["parts"] == [
        {
            "type": "server_tool_call_response",
            "server_tool_call_response": {
                "type": "url_context",
                "urls": [{"uri": "https://a.example", "status": "url_retrieval_status_ok"}],
            },
        },
        {
            "type": "server_tool_call",
            "id": "1",
            "name": "google_maps",
            "server_tool_call": {"type": "google_maps", "arguments": {"query": "Bern"}},
        },
        {
            "type": "server_tool_call_response",
            "id": "1",
            "server_tool_call_response": {"type": "google_maps", "response": {"places": 1}},
        },
        text("There."),
    ]


@pytest.mark.skipif(VERSION < (1, 60), reason="streams no arguments")
@pytest.mark.usefixtures("with_content")
def test_arguments_that_vertex_ai_streams(
    vertex: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    def argument(path: str, **value: Any) -> dict[str, Any]:
        more = {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}
        return {"functionCall": more}

    items: list[Any] = [
        {"functionCall": {"id": "1", "name": "weather", "willContinue": True}},
        argument("$.towns[0].city", stringValue="Be", willContinue=True),
        argument("$.towns[0].city", stringValue="rn"),
        argument("$.towns[0]['post code']", numberValue=3000),
        argument("$.towns[1].city", stringValue="Rome"),
        argument("$.towns[1].region", nullValue="NULL_VALUE"),
        argument('$["exact"]', boolValue=False),
        {"functionCall": {}},
    ]
    model.script(Response("", items=items))
    list(vertex.models.generate_content_stream(model=MODEL, contents="Hi"))
    (message,) = attribute(emission, "gen_ai.output.messages")
    towns = [{"city": "Bern", "post code": 3000}, {"city": "Rome", "region": None}]
    assert message["parts"] == [tool_call("1", "weather", towns=towns, exact=False)]


CITATIONS: list[dict[str, Any]] = [
    {"startIndex": 0, "endIndex": 4, "uri": "https://a.example", "license": "mit"},
    {"startIndex": 6, "endIndex": 9, "uri": "https://b.example"},
]
CITED = {
    **text("To be or not"),
    "citations": [
        {"start_index": 0, "end_index": 4, "uri": "https://a.example", "license": "mit"},
        {"start_index": 6, "end_index": 9, "uri": "https://b.example"},
    ],
}


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
@pytest.mark.usefixtures("with_content")
def test_citations(
    method: str, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    cited: Any = {"citationMetadata": {"citationSources": CITATIONS}}
    model.script(Response("To be or not", reasoning="Quote it.", items=[cited]))
    response = getattr(client.models, method)(model=MODEL, contents="Quote.")
    if method.endswith("stream"):
        list(response)
    (message,) = attribute(emission, "gen_ai.output.messages")
    assert message["parts"] == [{"type": "reasoning", "content": "Quote it."}, CITED]
