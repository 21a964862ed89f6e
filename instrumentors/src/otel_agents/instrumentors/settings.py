"""Every setting: its variable, its default, what it does, and the one place that reads them.

The standard ``OTEL_*`` variables of the SDK are the SDK's. Here are those of the official GenAI
instrumentations, with their values and their rule that a bad one captures nothing, and ours.
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
    """Where content goes."""

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
        """Whether the names that the official packages emit today are emitted."""
        return self is not Metrics.LATEST

    @property
    def latest(self) -> bool:
        """Whether the names of the newest conventions are emitted."""
        return self is not Metrics.PREVIOUS


class Prefer(Enum):
    """Whose instrumentation of a library runs where there are two."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True)
class Setting:
    """One variable, as the README's table shows it."""

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
_CHUNK_METRIC: Final = "OTEL_AGENTS_CHUNK_METRIC"
_CONTENT_MAX: Final = "OTEL_AGENTS_CONTENT_MAX_BYTES"
_SPAN_MAX: Final = "OTEL_AGENTS_SPAN_MAX_BYTES"
_QUEUE_MAX: Final = "OTEL_AGENTS_QUEUE_MAX_BYTES"
_EXIT_TIMEOUT: Final = "OTEL_AGENTS_EXIT_TIMEOUT"
_SIGNALS: Final = "OTEL_AGENTS_SIGNALS"
_SIGNAL_TIMEOUT: Final = "OTEL_AGENTS_SIGNAL_TIMEOUT"
_STREAM_USAGE: Final = "OTEL_AGENTS_STREAM_USAGE"
_PROPAGATE: Final = "OTEL_AGENTS_PROPAGATE_HEADERS"
_PREFER: Final = "OTEL_AGENTS_PREFER"
_REDACTION: Final = "OTEL_AGENTS_REDACTION_HOOK"
_SDK_LIMITS: Final = (
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)

SETTINGS: Final = (
    Setting(
        _CAPTURE,
        "NO_CONTENT",
        "where prompts, answers, tool arguments and results go: `NO_CONTENT`, `SPAN_ONLY`, "
        "`EVENT_ONLY`, `SPAN_AND_EVENT`",
    ),
    Setting(
        _EMIT_EVENT,
        "with content on events",
        "`true` or `false`: emit one event with all details for each inference",
    ),
    Setting(
        _HOOK, "none", "entry point that is given the content of each call, whatever is captured"
    ),
    Setting(_UPLOAD_PATH, "none", "where the upload hook writes: a path or a URL of fsspec"),
    Setting(_UPLOAD_FORMAT, "json", "`json` or `jsonl`"),
    Setting(_UPLOAD_QUEUE, "20", "uploads that may wait; more are dropped and counted"),
    Setting(
        _METRICS,
        "previous",
        "names of the metrics: `previous`, which the official packages emit and dashboards query, "
        "`latest` of the newest conventions, or `both`",
    ),
    Setting(_CHUNK_METRIC, "false", "record the time between the chunks of a stream"),
    Setting(_CONTENT_MAX, "60000", "bytes of content on one attribute; the rest is cut"),
    Setting(_SPAN_MAX, "180000", "bytes of content on one span, all attributes together"),
    Setting(_QUEUE_MAX, "64MiB", "bytes of spans that wait for the Collector"),
    Setting(_EXIT_TIMEOUT, "5", "seconds that the process may take at exit to deliver the rest"),
    Setting(
        _SIGNALS,
        "true",
        "where SIGTERM or SIGINT would end the process at once, deliver first; `false` leaves "
        "signals alone",
    ),
    Setting(
        _SIGNAL_TIMEOUT,
        "1.5",
        "seconds that this delivery may take, no more than at exit; the process has ended by the "
        "signal within half a second more",
    ),
    Setting(
        _STREAM_USAGE,
        "false",
        "ask for the token usage of streams that did not, and hide the extra chunk; not asked of "
        "responses that are read raw, nor of a host that refuses it: its first such request is "
        "made a second time",
    ),
    Setting(
        _PROPAGATE, "none", "hosts (patterns, by comma) whose model calls get the trace's headers"
    ),
    Setting(
        _PREFER, "ours", "`ours` or `theirs` where another instrumentation of a library is active"
    ),
    Setting(
        _REDACTION, "none", "entry point `redact(kind, value)` that content passes before it is set"
    ),
)
"""Every variable that is read here, in the order of the README's table."""


@dataclass(frozen=True)
class Settings:
    """The settings as they are; `read` takes them from the environment."""

    capture: Capture
    emit_event: bool
    completion_hook: str | None
    upload_base_path: str | None
    upload_format: str
    upload_max_queue_size: int
    metrics: Metrics
    chunk_metric: bool
    content_max_bytes: int
    span_max_bytes: int
    queue_max_bytes: int
    exit_timeout: float
    signals: bool
    signal_timeout: float
    stream_usage: bool
    propagate_headers: tuple[str, ...]
    prefer: Prefer
    redaction_hook: str | None

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of ``environ``, by default the process's.

        A value that is not understood is told in one line, and the default taken; for the
        process's environment once, however many instrumentors read it.
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
            prefer=read.one_of(_PREFER, Prefer, Prefer.OURS),
            redaction_hook=read.text(_REDACTION),
        )


def _emits_event(read: Variables, capture: Capture) -> bool:
    """Whether the event with all details is emitted: where that is set, else where it has content.

    Nobody else knows the variable, which the package ``opentelemetry-util-genai`` is about to give
    up (pull request 836 of open-telemetry/opentelemetry-python-genai): the event is then emitted,
    at the severity DEBUG that it has here already, wherever its logger is enabled. To follow, this
    returns True, and `Telemetry.emit` asks the logger.
    """
    return read.flag(_EMIT_EVENT, capture.on_event)


_logged: Final[LoggedValues] = Bounded(256, inherited=True)
"""Variables of the process, and values of theirs, that a line was logged about."""


def disabled_instrumentations() -> tuple[str, ...]:
    """The names in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``, which OpenTelemetry's loader obeys."""
    return Variables(os.environ).list("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")


def framework_variable(name: str) -> str | None:
    """What the user has set a variable to that a framework reads by itself; None if nothing."""
    return Variables(os.environ).text(name)
