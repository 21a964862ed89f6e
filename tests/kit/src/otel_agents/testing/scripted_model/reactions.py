"""Scripted reactions: a response, a failure or a dropped connection, with delays and faults."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threading import Event

DEFAULT_TEXT = "Hello from the scripted model."


@dataclass(frozen=True)
class Usage:
    """Tokens of one response; the other fields are parts of `input_tokens` and `output_tokens`.

    Example:
        usage = Usage(input_tokens=50, output_tokens=20, cached_tokens=30)
        model.script(Response("Sunny.", usage=usage))
        assert usage.total_tokens == 70
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    @property
    def input_text_tokens(self) -> int:
        """Input that is neither audio nor image."""
        return self.input_tokens - self.input_audio_tokens - self.input_image_tokens

    @property
    def output_text_tokens(self) -> int:
        """Output that is neither audio nor image."""
        return self.output_tokens - self.output_audio_tokens - self.output_image_tokens


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool; `arguments` is an object, or the exact text to send, such as broken JSON.

    Example:
        call = ToolCall("weather", {"city": "Bern"}, id="call_1")
        model.script(Response(tool_calls=[call]))
        assert call.arguments_text == '{"city": "Bern"}'
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    id: str | None = None

    @property
    def arguments_text(self) -> str:
        """The arguments as text, as most APIs send them."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)

    @property
    def arguments_value(self) -> Any:
        """The arguments as an object; text that is not JSON stays text."""
        if not isinstance(self.arguments, str):
            return dict(self.arguments)
        try:
            return json.loads(self.arguments)
        except ValueError:
            return self.arguments


@dataclass(frozen=True)
class Abort:
    """The connection closes after `after` events; that of a plain body closes half-way.

    Example:
        model.script(Response("one two three", fault=Abort(after=2)))
    """

    after: int = 0


@dataclass(frozen=True)
class ErrorEvent:
    """The provider sends an error event after `after` events, and ends the stream.

    Example:
        model.script(Response("one two three", fault=ErrorEvent(after=2, message="Overloaded.")))
    """

    after: int = 0
    code: str = "server_error"
    message: str = "The server had an error while processing your request."


@dataclass(frozen=True)
class MalformedEvent:
    """An event that is not JSON ends the stream after `after` events.

    Example:
        model.script(Response("one two three", fault=MalformedEvent(after=2)))
    """

    after: int = 0


@dataclass(frozen=True)
class Hold:
    """The stream pauses after `after` events until the test sets `gate`.

    Example:
        gate = Event()
        model.script(Response("one two three", hold=Hold(after=2, gate=gate)))
        ...  # read two chunks, and look at what is open
        gate.set()
    """

    after: int
    gate: Event


@dataclass(frozen=True, kw_only=True)
class Paced:
    """When a reaction starts: after `delay` seconds, and not before `gate` is set.

    A gate that is never set simulates a hanging provider. Closing the model releases it.
    """

    delay: float = 0.0
    gate: Event | None = None


@dataclass(frozen=True)
class Response(Paced):
    """One response of the model. Ids and token counts that are not set are unique.

        model.script(Response("Sunny.", usage=Usage(input_tokens=12, output_tokens=3)))
        model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})], delay=0.2))

    Without text, tool calls, refusal and items the text is `DEFAULT_TEXT`. `finish_reason` is
    spelled as in chat completions; the Responses API derives its status from it ("length" and
    "content_filter": incomplete, "error": failed). `choices` overrides the request's `n`.
    `include_usage=False` omits usage, as some hosts do. `items` are further output items of a
    Responses API response, the tools that Groq ran and its citations, or parts and other fields of
    Gemini's candidates; `extra` are further fields of the top-level object, `headers` those of the
    HTTP response. `fetches` is how often a background response is fetched before it is complete.
    """

    text: str | None = None
    tool_calls: Sequence[ToolCall] = ()
    refusal: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    include_usage: bool = True
    choices: int | None = None
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = "fp_scripted"
    service_tier: str | None = None
    images: Sequence[bytes] = ()
    audio: bytes | None = None
    items: Sequence[Mapping[str, Any]] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fetches: int = 0
    fault: Abort | ErrorEvent | MalformedEvent | None = None
    hold: Hold | None = None
    chunk_delay: float = 0.0

    @property
    def content(self) -> str | None:
        """The text to send; None if the response consists of something else."""
        if self.text is None and not (self.tool_calls or self.refusal or self.items):
            return DEFAULT_TEXT
        return self.text

    @property
    def reason(self) -> str:
        """The finish reason, as chat completions spell it."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")


@dataclass(frozen=True)
class Failure(Paced):
    """An HTTP error; `headers` may hold `Retry-After`. `kind` is OpenAI's `error.type`.

        model.script(Failure(429, "rate_limit_exceeded", headers={"retry-after-ms": "1"}))

    Clients retry some errors: `retry-after-ms` keeps their delay short.
    """

    status: int = 500
    code: str | None = None
    message: str = "The server had an error while processing your request."
    kind: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Disconnect(Paced):
    """The connection closes before the first byte of a response.

    Example:
        model.script(Disconnect(), "Sunny.")  # a client that retries gets the second one
    """


Reaction = Response | Failure | Disconnect
