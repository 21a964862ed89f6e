"""The scripted model as Google's Gemini API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
from typing import Any

from scripted_wire import events, send

from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Kind,
    Response,
    ScriptedModel,
    ToolCall,
)
from otel_agents.testing.scripted_model import Usage as Tokens

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
REQUEST: Any = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call-1")],
    id="resp-1",
    usage=Tokens(50, 20, cached_tokens=30, reasoning_tokens=5),
)
CALL = {"functionCall": {"id": "call-1", "name": "weather", "args": {"city": "Bern"}}}
BILL = {
    "promptTokenCount": 50,
    "candidatesTokenCount": 15,
    "totalTokenCount": 70,
    "cachedContentTokenCount": 30,
    "thoughtsTokenCount": 5,
}


def test_content(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    parts = [{"text": "Look outside.", "thought": True}, {"text": "Sunny today."}, CALL]
    content = {"role": "model", "parts": parts}
    assert send(connection, PATH, REQUEST) == (
        200,
        {
            "candidates": [{"content": content, "index": 0, "finishReason": "STOP"}],
            "modelVersion": "gemini-2.5-flash",
            "responseId": "resp-1",
            "usageMetadata": BILL,
        },
    )
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model, entry.streamed) == (
        "generate_content",
        "gemini-2.5-flash",
        False,
    )
    assert (entry.response_id, entry.input_tokens, entry.output_tokens) == ("resp-1", 50, 20)


def test_streamed_content(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    chunks = [data for _, data in events(connection, STREAM, REQUEST)]
    parts = [chunk["candidates"][0]["content"]["parts"][0] for chunk in chunks]
    texts = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    assert (texts, parts[-1]) == ("Sunny today.", CALL)
    so_far = {"promptTokenCount": 50, "candidatesTokenCount": 1}
    assert [chunk["usageMetadata"] for chunk in chunks] == [so_far] * (len(chunks) - 1) + [BILL]
    reasons = [chunk["candidates"][0].get("finishReason") for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["STOP"]
    (entry,) = model.ledger.entries
    assert (entry.streamed, entry.input_tokens, entry.output_tokens) == (True, 50, 20)


def test_by_default_a_tool_is_called_once_and_a_schema_kept(
    connection: http.client.HTTPConnection,
) -> None:
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    tools = [{"functionDeclarations": [{"name": "weather", "parameters": schema}]}]
    _, first = send(connection, PATH, {**REQUEST, "tools": tools})
    (part,) = first["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["args"] == {"city": "example"}
    result = {"functionResponse": {"name": "weather", "response": {"result": "Sunny."}}}
    contents = [*REQUEST["contents"], {"role": "user", "parts": [result]}]
    _, last = send(connection, PATH, {"contents": contents, "tools": tools})
    assert "text" in last["candidates"][0]["content"]["parts"][0]
    barred = {"functionCallingConfig": {"mode": "NONE"}}
    _, none = send(connection, PATH, {**REQUEST, "tools": tools, "toolConfig": barred})
    assert "text" in none["candidates"][0]["content"]["parts"][0]
    config = {"generationConfig": {"responseSchema": schema}}
    _, made = send(connection, PATH, {**REQUEST, **config})
    assert made["candidates"][0]["content"]["parts"] == [{"text": '{"city": "example"}'}]


def test_failures_are_spelled_as_the_provider_does(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Failure(429, message="busy"))
    error = {"error": {"code": 429, "message": "busy", "status": "RESOURCE_EXHAUSTED"}}
    assert send(connection, PATH, REQUEST) == (429, error)
    model.script(Response(fault=ErrorEvent(1, "UNAVAILABLE", "busy")))
    received = events(connection, STREAM, REQUEST)
    error = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    assert received[1:] == [("", error)]
    assert (model.ledger.requests, model.ledger.input_tokens) == (2, 0)


def test_a_blocked_prompt(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response(refusal="No."), Response(refusal="No."))
    _, blocked = send(connection, PATH, REQUEST)
    reason = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "No."}
    assert (blocked["candidates"], blocked["promptFeedback"]) == ([], reason)
    ((_, streamed),) = events(connection, STREAM, REQUEST)
    assert (streamed["candidates"], streamed["promptFeedback"]) == ([], reason)


def test_candidates_media_and_fields_of_a_candidate(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    grounding = {"webSearchQueries": ["weather"]}
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    items = [code, {"groundingMetadata": grounding}]
    scripted = Response("one two", items=items, images=[b"PNG"], audio=b"RIFF")
    model.script(scripted, scripted)
    request = {**REQUEST, "generationConfig": {"candidateCount": 2}}
    _, whole = send(connection, PATH, request)
    media = [
        {"inlineData": {"mimeType": "image/png", "data": "UE5H"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
    ]
    for index, candidate in enumerate(whole["candidates"]):
        assert candidate["content"]["parts"] == [code, {"text": "one two"}, *media]
        assert (candidate["index"], candidate["groundingMetadata"]) == (index, grounding)
    assert len(whole["candidates"]) == 2
    streamed = [data["candidates"][0] for _, data in events(connection, STREAM, request)]
    assert [one["index"] for one in streamed] == [0] * 5 + [1] * 5
    assert [n for n, one in enumerate(streamed) if "finishReason" in one] == [4, 9]


def test_counts_by_modality(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    usage = Tokens(100, 20, reasoning_tokens=5, input_audio_tokens=7, output_image_tokens=4)
    model.script(Response("Hi", usage=usage))
    _, response = send(connection, PATH, REQUEST)
    assert response["usageMetadata"] == {
        "promptTokenCount": 100,
        "candidatesTokenCount": 15,
        "totalTokenCount": 120,
        "thoughtsTokenCount": 5,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 93},
            {"modality": "AUDIO", "tokenCount": 7},
        ],
        "candidatesTokensDetails": [
            {"modality": "TEXT", "tokenCount": 11},
            {"modality": "IMAGE", "tokenCount": 4},
        ],
    }


def content_of(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


def test_embeddings(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(*[Response(usage=Tokens(13))] * 3)
    prefix = "/v1beta/models/text-embedding-004:"
    batch = [{"content": content_of(text), "outputDimensionality": 4} for text in "ab"]
    _, batched = send(connection, f"{prefix}batchEmbedContents", {"requests": batch})
    assert [len(one["values"]) for one in batched["embeddings"]] == [4, 4]
    _, single = send(connection, f"{prefix}embedContent", {"content": content_of("a")})
    assert len(single["embedding"]["values"]) == 64
    counts = {"promptTokenCount": 13, "totalTokenCount": 13}
    assert batched["usageMetadata"] == single["usageMetadata"] == counts
    vertex = "/v1beta1/projects/p/locations/l/publishers/google/models/text-embedding-004:predict"
    body = {"instances": [{"content": "a"}, {"content": "b"}]}
    _, predicted = send(connection, vertex, {**body, "parameters": {"outputDimensionality": 4}})
    embeddings = [one["embeddings"] for one in predicted["predictions"]]
    assert [len(one["values"]) for one in embeddings] == [4, 4]
    assert [one["statistics"]["token_count"] for one in embeddings] == [7, 6]
    entries = model.ledger.entries
    assert [(entry.kind, entry.input_tokens) for entry in entries] == [(Kind.EMBEDDINGS, 13)] * 3


def test_pictures_and_videos(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response(images=[b"PNG"]))
    body = {"instances": [{"prompt": "A house"}], "parameters": {"sampleCount": 2}}
    path = "/v1beta/models/imagen-4:predict"
    picture = {"bytesBase64Encoded": "UE5H", "mimeType": "image/png"}
    assert send(connection, path, body) == (200, {"predictions": [picture]})
    assert len(send(connection, path, body)[1]["predictions"]) == 2
    _, operation = send(connection, "/v1beta/models/veo-3:predictLongRunning", body)
    assert operation["name"].startswith("models/veo-3/operations/op-")
    kinds = [entry.kind for entry in model.ledger.entries]
    assert kinds == [Kind.IMAGE, Kind.IMAGE, Kind.OTHER]
    assert model.ledger.input_tokens == 0
