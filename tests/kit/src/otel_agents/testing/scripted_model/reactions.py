"""What a script may answer: an answer, a failure or a dropped connection, with its pace and faults."""

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
    """Tokens of one answer; the later fields are parts of `input_tokens` and `output_tokens`."""

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
    """One call of a tool; `arguments` is an object, or the exact text to send (broken JSON, say)."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    id: str | None = None

    @property
    def arguments_text(self) -> str:
        """The arguments as they go over the wire."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)

    @property
    def arguments_value(self) -> Any:
        """The arguments where the wire has an object for them; a text that is none stays one."""
        if not isinstance(self.arguments, str):
            return dict(self.arguments)
        try:
            return json.loads(self.arguments)
        except ValueError:
            return self.arguments


@dataclass(frozen=True)
class Abort:
    """The connection ends without a word after so many events (of a plain body: half-way)."""

    after: int = 0


@dataclass(frozen=True)
class ErrorEvent:
    """The provider reports an error inside the stream after so many events, and ends it."""

    after: int = 0
    code: str = "server_error"
    message: str = "The server had an error while processing your request."


@dataclass(frozen=True)
class MalformedEvent:
    """An event that is not JSON follows so many events, and ends the stream."""

    after: int = 0


@dataclass(frozen=True)
class Hold:
    """The stream stops after so many events until the test sets the gate."""

    after: int
    gate: Event


@dataclass(frozen=True, kw_only=True)
class Paced:
    """When a reaction starts: after `delay` seconds, and not before `gate` is set.

    A gate that is never set is a provider that hangs; closing the model releases it.
    """

    delay: float = 0.0
    gate: Event | None = None


@dataclass(frozen=True)
class Response(Paced):
    """One answer of the model. What is not given is made up, with numbers and ids of its own.

    Without text, tool calls, refusal and items the text is `DEFAULT_TEXT`. `finish_reason` is
    spelled as chat completions do; the Responses API derives its status from it ("length" and
    "content_filter": incomplete, "error": failed). `choices` wins over the request's `n`.
    `include_usage=False` leaves usage out, as some hosts do. `items` are further output items of a
    response, `extra` further fields of the top-level object, `headers` of the HTTP response.
    `fetches` is how often a background response is fetched before it is complete.
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
        """The text to send, or None where the answer consists of something else."""
        if self.text is None and not (self.tool_calls or self.refusal or self.items):
            return DEFAULT_TEXT
        return self.text

    @property
    def reason(self) -> str:
        """Why the answer ends, as chat completions spell it."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")


@dataclass(frozen=True)
class Failure(Paced):
    """An HTTP error; `headers` holds `Retry-After` and the like. `kind` is OpenAI's `error.type`.

    Clients retry some of them: `{"retry-after-ms": "1"}` keeps their wait short.
    """

    status: int = 500
    code: str | None = None
    message: str = "The server had an error while processing your request."
    kind: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Disconnect(Paced):
    """The connection is closed before a single byte of an answer."""


Reaction = Response | Failure | Disconnect
