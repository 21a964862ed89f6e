"""A provider's API: a table of endpoints that turn a response into bytes."""

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
    """A function that the request offers, with the JSON schema of its arguments.

    Example:
        def script(request):
            names = [tool.name for tool in request.tools]
            return Response(tool_calls=[ToolCall(name) for name in names])

        model.script_by(script)
    """

    name: str
    parameters: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class ParsedRequest:
    """What a response may depend on, independent of the API.

    `prompt` is all text of the input, one part per line. `has_tool_result`: a tool's result follows
    the user's last message. `forced_tool` is the tool that must be called, "" if none may be.
    """

    prompt: str = ""
    tools: Sequence[Tool] = ()
    has_tool_result: bool = False
    forced_tool: str | None = None
    schema: Json | None = None
    choices: int = 1


@dataclass(frozen=True, kw_only=True)
class ModelRequest(ParsedRequest):
    """One request as it arrived: `ParsedRequest` and its HTTP parts (header names in lower case).

        def script(request):
            return Response(f"{request.model} received {request.prompt}")

        model.script_by(script)

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
    """One event of a stream, ready for the wire.

    `has_usage`: it reports the usage of the reply; `usage`: it reports this usage, so far.
    """

    data: bytes
    has_usage: bool = False
    usage: Usage | None = None


@dataclass(frozen=True)
class Reply:
    """The bytes of a response: a body, or the frames of a stream. `usage` is what they report."""

    body: bytes = b""
    frames: tuple[Frame, ...] | None = None
    usage: Usage | None = None
    response_id: str | None = None
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Exchange:
    """Everything that an endpoint needs to write its reply.

    `usage` is unique to the exchange. `memory` outlives it: responses that later requests refer
    to by id.
    """

    request: ModelRequest
    response: Response
    usage: Usage
    created: int
    numbers: Numbers
    memory: Memory


class Refused(Exception):
    """An endpoint refuses a request as the provider would."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def error_status(failure: Failure) -> bytes:
    """Return OpenAI's body of an HTTP error, which most hosts have copied."""
    default = "server_error" if failure.status >= 500 else "invalid_request_error"
    error = {
        "message": failure.message,
        "type": failure.kind or default,
        "param": failure.param,
        "code": failure.code,
    }
    return json.dumps({"error": error}).encode()


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a chat stream; `position` is the number of events before it."""
    error = {"message": event.message, "type": "server_error", "param": None, "code": event.code}
    return sse({"error": error})


@dataclass(frozen=True)
class Endpoint:
    """One row of a dialect's table.

    `path` is searched for in the request's path; a named group `model` overrides the body's.
    `scripted`: the script has the response; other endpoints respond from memory. `streamed`: the
    path requests a stream, not the body.
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
    """Return a response in one body."""
    return Reply(encode(payload), None, usage, response_id, headers=exchange.response.headers)


def stream_reply(
    exchange: Exchange, frames: Iterable[Frame], usage: Usage | None, response_id: str
) -> Reply:
    """Return a response as server-sent events."""
    headers = exchange.response.headers
    return Reply(b"", tuple(frames), usage, response_id, EVENT_STREAM, headers=headers)


def sse(
    payload: Json,
    *,
    name: str | None = None,
    has_usage: bool = False,
    usage: Usage | None = None,
) -> Frame:
    """Return a server-sent event that carries JSON."""
    event = f"event: {name}\n" if name else ""
    return Frame(f"{event}data: {json.dumps(payload)}\n\n".encode(), has_usage, usage)


def encode(payload: Json) -> bytes:
    """Return JSON as the body of a reply."""
    return json.dumps(payload).encode()
