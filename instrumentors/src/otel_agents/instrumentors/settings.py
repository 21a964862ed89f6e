"""All settings: variables, defaults, descriptions, and the one function that reads them.

The SDK reads the standard ``OTEL_*`` variables itself. Here are our own variables and those of the
official GenAI instrumentations, with their values and their rule that an invalid value records no
content.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ._core.tables import Bounded
from .variables import LoggedValues, Variables

__all__ = [
    "SETTINGS",
    "Capture",
    "Metrics",
    "Prefer",
    "Setting",
    "Settings",
    "disabled_instrumentations",
    "framework_variable",
]


class Capture(Enum):
    """Where content is recorded."""

    NO_CONTENT = "NO_CONTENT"
    SPAN_ONLY = "SPAN_ONLY"
    EVENT_ONLY = "EVENT_ONLY"
    SPAN_AND_EVENT = "SPAN_AND_EVENT"

    @property
    def on_span(self) -> bool:
        """Whether spans carry content."""
        return self in (Capture.SPAN_ONLY, Capture.SPAN_AND_EVENT)

    @property
    def on_event(self) -> bool:
        """Whether events carry content."""
        return self in (Capture.EVENT_ONLY, Capture.SPAN_AND_EVENT)


class Metrics(Enum):
    """Which generation of metrics is emitted."""

    PREVIOUS = "previous"
    LATEST = "latest"
    BOTH = "both"

    @property
    def previous(self) -> bool:
        """Whether the metrics that the official packages emit today are emitted."""
        return self is not Metrics.LATEST

    @property
    def latest(self) -> bool:
        """Whether the metrics of the newest conventions are emitted."""
        return self is not Metrics.PREVIOUS


class Prefer(Enum):
    """Which instrumentation of a library is active in case of a conflict."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True)
class Setting:
    """One variable, as shown in the README's table."""

    name: str
    default: str
    description: str


_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_EMIT_EVENT: Final = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
_HOOK: Final = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
_UPLOAD_PATH: Final = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH"
_UPLOAD_FORMAT: Final = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT"
_UPLOAD_QUEUE: Final = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE"
_METRICS: Final = "OTEL_AGENTS_METRICS"
_METRIC_ATTRIBUTES: Final = "OTEL_AGENTS_METRIC_ATTRIBUTES"
_COST: Final = "OTEL_AGENTS_COST"
_CHUNK_METRIC: Final = "OTEL_AGENTS_CHUNK_METRIC"
_CONTENT_MAX: Final = "OTEL_AGENTS_CONTENT_MAX_BYTES"
_SPAN_MAX: Final = "OTEL_AGENTS_SPAN_MAX_BYTES"
_QUEUE_MAX: Final = "OTEL_AGENTS_QUEUE_MAX_BYTES"
_EXIT_TIMEOUT: Final = "OTEL_AGENTS_EXIT_TIMEOUT"
_SIGNALS: Final = "OTEL_AGENTS_SIGNALS"
_SIGNAL_TIMEOUT: Final = "OTEL_AGENTS_SIGNAL_TIMEOUT"
_STREAM_USAGE: Final = "OTEL_AGENTS_STREAM_USAGE"
_PROPAGATE: Final = "OTEL_AGENTS_PROPAGATE_HEADERS"
_PROPAGATE_IDENTITY: Final = "OTEL_AGENTS_PROPAGATE_IDENTITY"
_FROM_BAGGAGE: Final = "OTEL_AGENTS_IDENTITY_FROM_BAGGAGE"
_PREFER: Final = "OTEL_AGENTS_PREFER"
_REDACTION: Final = "OTEL_AGENTS_REDACTION_HOOK"
_FOREIGN: Final = "OTEL_AGENTS_FOREIGN_CONTENT"
_SDK_LIMITS: Final = (
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)

SETTINGS: Final = (
    Setting(
        _CAPTURE,
        "NO_CONTENT",
        "where prompts, responses, tool arguments and results are recorded: `NO_CONTENT`, "
        "`SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`",
    ),
    Setting(
        _EMIT_EVENT,
        "with content on events",
        "`true` or `false`: emit one event with all details for each inference",
    ),
    Setting(
        _HOOK,
        "none",
        "entry point of a completion hook, called with the content of each call even if none is "
        "recorded",
    ),
    Setting(_UPLOAD_PATH, "none", "destination of the upload hook: a path or an fsspec URL"),
    Setting(_UPLOAD_FORMAT, "json", "file format of the upload hook: `json` or `jsonl`"),
    Setting(_UPLOAD_QUEUE, "20", "maximum queued uploads; further ones are dropped and counted"),
    Setting(
        _METRICS,
        "previous",
        "generation of metric names: `previous` (emitted by the official packages, queried by "
        "dashboards), `latest` (the newest conventions) or `both`",
    ),
    Setting(
        _METRIC_ATTRIBUTES,
        "none",
        "attributes (comma-separated, such as `gen_ai.agent.name`, `user.id` or the key of a tag) to "
        "set on token, cost and duration metrics too; at most 200 values each, the rest is `_OTHER`",
    ),
    Setting(
        _COST,
        "false",
        "record the cost of model calls by the prices of `genai-prices`: "
        '`pip install "otel-agents[cost]"`; importing it takes 0.4 s at the start',
    ),
    Setting(_CHUNK_METRIC, "false", "record the time between the chunks of a stream"),
    Setting(_CONTENT_MAX, "60000", "maximum bytes of one content attribute; more is truncated"),
    Setting(_SPAN_MAX, "180000", "maximum bytes of all content attributes of one span"),
    Setting(_QUEUE_MAX, "64MiB", "maximum bytes of spans queued for export"),
    Setting(_EXIT_TIMEOUT, "5", "seconds to export the queue at exit"),
    Setting(
        _SIGNALS,
        "true",
        "export the queue first where SIGTERM or SIGINT would end the process; `false` installs no "
        "signal handlers",
    ),
    Setting(
        _SIGNAL_TIMEOUT,
        "1.5",
        "seconds for this export, at most the exit timeout; the signal ends the process at most "
        "half a second later",
    ),
    Setting(
        _STREAM_USAGE,
        "false",
        "request the token usage of streams that do not, and hide the extra chunk; not for raw "
        "responses, nor for a host that rejects it (its first such request is sent a second time)",
    ),
    Setting(
        _PROPAGATE,
        "none",
        "hosts (comma-separated patterns) that get trace headers on model calls",
    ),
    Setting(
        _PROPAGATE_IDENTITY,
        "none",
        "those of these hosts (comma-separated patterns) that get the identity too, as W3C baggage: "
        "conversation, session, user and tags",
    ),
    Setting(
        _FROM_BAGGAGE,
        "none",
        "names (comma-separated, such as `user.id`, `session.id`, `gen_ai.conversation.id` or that of "
        "a tag) that are taken from incoming W3C baggage; whoever can send a header writes them",
    ),
    Setting(
        _PREFER,
        "ours",
        "`ours` or `theirs`: which instrumentation to use if a library has another one",
    ),
    Setting(
        _REDACTION,
        "none",
        "entry point `redact(kind, value)` that redacts content before it is set",
    ),
    Setting(
        _FOREIGN,
        "none",
        "scopes (comma-separated names, or `*`) whose spans and events keep their content, if "
        "otel-agents does not know the library",
    ),
)
"""Every variable that is read here, in the order of the README's table."""


@dataclass(frozen=True)
class Settings:
    """The current settings; `read` takes them from the environment.

    Example:
        >>> Settings.read({}).exit_timeout
        5.0
    """

    capture: Capture
    emit_event: bool
    completion_hook: str | None
    upload_base_path: str | None
    upload_format: str
    upload_max_queue_size: int
    metrics: Metrics
    metric_attributes: tuple[str, ...]
    cost: bool
    chunk_metric: bool
    content_max_bytes: int
    span_max_bytes: int
    queue_max_bytes: int
    exit_timeout: float
    signals: bool
    signal_timeout: float
    stream_usage: bool
    propagate_headers: tuple[str, ...]
    propagate_identity: tuple[str, ...]
    identity_from_baggage: tuple[str, ...]
    prefer: Prefer
    redaction_hook: str | None
    foreign_content: tuple[str, ...]

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of ``environ``, by default the process's.

        An invalid value is logged once, and the default is used; for the process's environment
        once, however many instrumentors read it.
        """
        read = Variables(os.environ, _logged) if environ is None else Variables(environ)
        capture = read.one_of(_CAPTURE, Capture, Capture.NO_CONTENT)
        return cls(
            capture=capture,
            emit_event=_emits_event(read, capture),
            completion_hook=read.text(_HOOK),
            upload_base_path=read.text(_UPLOAD_PATH),
            upload_format=read.choice(_UPLOAD_FORMAT, ("json", "jsonl"), "json"),
            upload_max_queue_size=read.size(_UPLOAD_QUEUE, 20),
            metrics=read.one_of(_METRICS, Metrics, Metrics.PREVIOUS),
            metric_attributes=read.list(_METRIC_ATTRIBUTES),
            cost=read.flag(_COST, False),
            chunk_metric=read.flag(_CHUNK_METRIC, False),
            content_max_bytes=min(
                read.size(_CONTENT_MAX, 60_000), *(read.limit(name) for name in _SDK_LIMITS)
            ),
            span_max_bytes=read.size(_SPAN_MAX, 180_000),
            queue_max_bytes=read.size(_QUEUE_MAX, 64 * 1024 * 1024),
            exit_timeout=read.seconds(_EXIT_TIMEOUT, 5.0),
            signals=read.flag(_SIGNALS, True),
            signal_timeout=read.seconds(_SIGNAL_TIMEOUT, 1.5),
            stream_usage=read.flag(_STREAM_USAGE, False),
            propagate_headers=read.list(_PROPAGATE),
            propagate_identity=read.list(_PROPAGATE_IDENTITY),
            identity_from_baggage=read.list(_FROM_BAGGAGE),
            prefer=read.one_of(_PREFER, Prefer, Prefer.OURS),
            redaction_hook=read.text(_REDACTION),
            foreign_content=read.list(_FOREIGN),
        )


def _emits_event(read: Variables, capture: Capture) -> bool:
    """Return whether the event with all details is emitted: as set, else if it has content."""
    # opentelemetry-util-genai, the only other reader of this variable, is about to drop it (pull
    # request 836 of open-telemetry/opentelemetry-python-genai) and to emit the event, at severity
    # DEBUG as here, wherever its logger is enabled. To follow, return True here and check
    # Logger.enabled in Telemetry.emit.
    return read.flag(_EMIT_EVENT, capture.on_event)


_logged: Final[LoggedValues] = Bounded(256, inherited=True)
"""Variables of the process, with their invalid values, that were logged."""


def disabled_instrumentations() -> tuple[str, ...]:
    """Return the names in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``."""
    return Variables(os.environ).list("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")


def framework_variable(name: str) -> str | None:
    """Return the user's value of a variable that a framework reads itself; None if unset."""
    return Variables(os.environ).text(name)
