"""Knowledge bases: `POST /knowledgebases/ID/retrieve`, `/retrieveAndGenerate` and others."""

from __future__ import annotations

from collections.abc import Iterator

from otel_agents.testing.scripted_model.bedrock.converse import REQUEST_ID
from otel_agents.testing.scripted_model.bedrock.event_stream import CONTENT_TYPE, event
from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    encode,
)
from otel_agents.testing.scripted_model.values import Json, texts

_SESSION = "x-amzn-bedrock-knowledge-base-session-id"


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    query = body.get("retrievalQuery") or body.get("input") or body.get("messages")
    return ParsedRequest(prompt="\n".join(texts(query)))


def write_retrieved(exchange: Exchange) -> Reply:
    """Return a document with the scripted text."""
    scripted = exchange.response
    found = {**_reference(scripted.content or ""), "score": 0.5}
    payload = {"retrievalResults": [found], **scripted.extra}
    return Reply(encode(payload), headers=_headers(exchange))


def write_generated(exchange: Exchange) -> Reply:
    """Return a text that cites a document; the service does not report its tokens."""
    content = exchange.response.content or ""
    session = str(exchange.request.body.get("sessionId") or exchange.numbers.id("session-"))
    citation = _citation(content)
    headers = {_SESSION: session, **_headers(exchange)}
    if exchange.request.stream:
        frames = tuple(_events(content, citation))
        return Reply(b"", frames, content_type=CONTENT_TYPE, headers=headers)
    payload = {"sessionId": session, "output": {"text": content}, "citations": [citation]}
    return Reply(encode(payload), headers=headers)


def write_found_by_agent(exchange: Exchange) -> Reply:
    """Return the events of an agentic retrieval: what it found, in the last one."""
    found = {
        "content": {"text": exchange.response.content or ""},
        "sourceRetriever": {"identifier": "KB12345678"},
    }
    frames = (event("traceEvent", {"id": "1"}), event("result", {"results": [found]}))
    return Reply(b"", frames, content_type=CONTENT_TYPE, headers=_headers(exchange))


def _events(content: str, citation: Json) -> Iterator[Frame]:
    for part in chunks(content):
        yield event("output", {"text": part})
    yield event("citation", {"citation": citation})


def _citation(content: str) -> Json:
    part = {"text": content, "span": {"start": 0, "end": len(content)}}
    return {
        "generatedResponsePart": {"textResponsePart": part},
        "retrievedReferences": [_reference("Look outside.")],
    }


def _reference(content: str) -> Json:
    location = {"type": "S3", "s3Location": {"uri": "s3://weather/today.txt"}}
    return {"content": {"text": content}, "location": location, "metadata": {"page": 1}}


def _headers(exchange: Exchange) -> dict[str, str]:
    return {REQUEST_ID: exchange.numbers.id(""), **exchange.response.headers}
