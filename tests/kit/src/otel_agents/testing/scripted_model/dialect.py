"""What one provider's API is to the server: a table of endpoints that turn an answer into bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_agents.testing.scripted_model.ledger import Kind
from otel_agents.testing.scripted_model.memory import Memory
from otel_agents.testing.scripted_model.numbers import Numbers
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, Response, Usage
from otel_agents.testing.scripted_model.values import Json


@dataclass(frozen=True)
class Tool:
    """A function that the request offers, with the JSON schema of its arguments."""

    name: str
    parameters: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class ParsedRequest:
    """What a request asks, whatever the API: the part that an answer may depend on.

    `prompt` is all text of the input, one piece per line. `has_tool_result`: a tool's result follows
    the last word of the user. `forced_tool` is the tool that must be called, "" for none may be.
    """

    prompt: str = ""
    tools: Sequence[Tool] = ()
    has_tool_result: bool = False
    forced_tool: str | None = None
    schema: Json | None = None
    choices: int = 1


@dataclass(frozen=True, kw_only=True)
class ModelRequest(ParsedRequest):
    """One request as it arrived: `ParsedRequest`, and the HTTP facts (header names in lower case).

    `body` is the JSON object, or the fields of a multipart form (a file is a mapping with
    `filename`, `content_type` and `size` in bytes).
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    api: str
    kind: Kind
    model: str
    stream: bool
    parts: Mapping[str, str]


@dataclass(frozen=True)
class Frame:
    """One event of a stream, ready for the wire."""

    data: bytes
    has_usage: bool = False


@dataclass(frozen=True)
class Reply:
    """The bytes of an answer: a body, or the frames of a stream. `usage` is what they tell."""

    body: bytes = b""
    frames: tuple[Frame, ...] | None = None
    usage: Usage | None = None
    response_id: str | None = None
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Exchange:
    """All that an endpoint needs to write its reply.

    `usage` holds numbers that no other exchange has. `memory` outlives the exchange: responses
    that later requests refer to, by id.
    """

    request: ModelRequest
    response: Response
    usage: Usage
    created: int
    numbers: Numbers
    memory: Memory


class Refused(Exception):
    """Raised by an endpoint where the provider would refuse the request."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def error_status(failure: Failure) -> bytes:
    """OpenAI's body of an HTTP error, which most other hosts have copied."""
    default = "server_error" if failure.status >= 500 else "invalid_request_error"
    error = {
        "message": failure.message,
        "type": failure.kind or default,
        "param": failure.param,
        "code": failure.code,
    }
    return json.dumps({"error": error}).encode()


def error_event(event: ErrorEvent, position: int) -> Frame:
    """The error event of a chat stream; `position` is the number of events before it."""
    error = {"message": event.message, "type": "server_error", "param": None, "code": event.code}
    return sse({"error": error})


@dataclass(frozen=True)
class Endpoint:
    """One row of a dialect's table.

    `path` is searched for in the request's path; a named group `model` overrides the body's.
    `scripted`: the script is asked for the answer; others answer from memory. `streamed`: the path
    asks for a stream, not the body.
    """

    method: str
    path: re.Pattern[str]
    api: str
    kind: Kind
    write: Callable[[Exchange], Reply]
    read: Callable[[Json], ParsedRequest] = lambda body: ParsedRequest()
    scripted: bool = True
    streamed: bool = False
    error: Callable[[Failure], bytes] = error_status
    event_error: Callable[[ErrorEvent, int], Frame] = error_event


EVENT_STREAM = "text/event-stream"


def body_reply(exchange: Exchange, payload: Json, usage: Usage | None, response_id: str) -> Reply:
    """An answer in one body."""
    return Reply(encode(payload), None, usage, response_id, headers=exchange.response.headers)


def stream_reply(
    exchange: Exchange, frames: Iterable[Frame], usage: Usage | None, response_id: str
) -> Reply:
    """An answer as server-sent events."""
    headers = exchange.response.headers
    return Reply(b"", tuple(frames), usage, response_id, EVENT_STREAM, headers=headers)


def sse(payload: Json, *, name: str | None = None, has_usage: bool = False) -> Frame:
    """A server-sent event that carries JSON."""
    event = f"event: {name}\n" if name else ""
    return Frame(f"{event}data: {json.dumps(payload)}\n\n".encode(), has_usage)


def encode(payload: Json) -> bytes:
    """JSON as the body of a reply."""
    return json.dumps(payload).encode()
