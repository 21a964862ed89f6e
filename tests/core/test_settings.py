"""The settings: each variable, its values, and the effect of an invalid value."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from otel_agents.instrumentors import settings
from otel_agents.instrumentors.settings import (
    SETTINGS,
    Capture,
    Metrics,
    Prefer,
    Settings,
    framework_variable,
)

DEFAULTS = Settings(
    capture=Capture.NO_CONTENT,
    emit_event=False,
    completion_hook=None,
    upload_base_path=None,
    upload_format="json",
    upload_max_queue_size=20,
    metrics=Metrics.PREVIOUS,
    metric_attributes=(),
    cost=False,
    chunk_metric=False,
    content_max_bytes=60_000,
    span_max_bytes=180_000,
    queue_max_bytes=67_108_864,
    exit_timeout=5.0,
    signal_timeout=1.5,
    signals=True,
    stream_usage=False,
    propagate_headers=(),
    propagate_identity=(),
    identity_from_baggage=(),
    prefer=Prefer.OURS,
    redaction_hook=None,
    foreign_content=(),
)
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EMIT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"


def changed(caplog: pytest.LogCaptureFixture, **environ: str) -> dict[str, Any]:
    """Return the fields that differ from the defaults; nothing may be logged."""
    read = vars(Settings.read(environ))
    assert caplog.messages == []
    return {name: value for name, value in read.items() if value != vars(DEFAULTS)[name]}


def test_an_empty_environment_has_the_documented_defaults() -> None:
    assert Settings.read({}) == DEFAULTS
    assert Settings.read({setting.name: " " for setting in SETTINGS}) == DEFAULTS


def test_the_documented_default_is_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unset = ("none", "with content on events")
    shown = {one.name: one.default for one in SETTINGS if one.default not in unset}
    assert changed(caplog, **shown) == {}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (CAPTURE, "SPAN_ONLY", {"capture": Capture.SPAN_ONLY}),
        (CAPTURE, " span_only ", {"capture": Capture.SPAN_ONLY}),
        (CAPTURE, "EVENT_ONLY", {"capture": Capture.EVENT_ONLY, "emit_event": True}),
        (CAPTURE, "SPAN_AND_EVENT", {"capture": Capture.SPAN_AND_EVENT, "emit_event": True}),
        (EMIT, "true", {"emit_event": True}),
        ("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "upload", {"completion_hook": "upload"}),
        ("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH", "/a", {"upload_base_path": "/a"}),
        ("OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT", "JSONL", {"upload_format": "jsonl"}),
        ("OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE", "3", {"upload_max_queue_size": 3}),
        ("OTEL_AGENTS_METRICS", "Both", {"metrics": Metrics.BOTH}),
        ("OTEL_AGENTS_CHUNK_METRIC", "TRUE", {"chunk_metric": True}),
        ("OTEL_AGENTS_CONTENT_MAX_BYTES", "1MiB", {"content_max_bytes": 1_048_576}),
        ("OTEL_AGENTS_SPAN_MAX_BYTES", "64 KiB", {"span_max_bytes": 65_536}),
        ("OTEL_AGENTS_QUEUE_MAX_BYTES", "1gib", {"queue_max_bytes": 1_073_741_824}),
        ("OTEL_AGENTS_EXIT_TIMEOUT", "0.5", {"exit_timeout": 0.5}),
        ("OTEL_AGENTS_SIGNAL_TIMEOUT", "0.5", {"signal_timeout": 0.5}),
        ("OTEL_AGENTS_STREAM_USAGE", "true", {"stream_usage": True}),
        (
            "OTEL_AGENTS_PROPAGATE_HEADERS",
            "*.example.com, ,localhost",
            {"propagate_headers": ("*.example.com", "localhost")},
        ),
        ("OTEL_AGENTS_PREFER", "theirs", {"prefer": Prefer.THEIRS}),
        ("OTEL_AGENTS_REDACTION_HOOK", "acme:redact", {"redaction_hook": "acme:redact"}),
    ],
)
def test_each_variable_sets_its_field(
    name: str, text: str, expected: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert changed(caplog, **{name: text}) == expected


def test_every_variable_is_in_the_table() -> None:
    source = Path(settings.__file__).read_text()
    read = re.findall(r'"(OTEL_(?:AGENTS|INSTRUMENTATION_GENAI)_[A-Z_]+)"', source)
    assert sorted(read) == sorted(setting.name for setting in SETTINGS)
    assert len(read) == len(vars(DEFAULTS))


@pytest.mark.parametrize(
    ("name", "texts", "line"),
    [
        (
            CAPTURE,
            "true false True 1 SPAN",
            f"NO_CONTENT is used instead. Accepted: {', '.join(one.value for one in Capture)}",
        ),
        (EMIT, "yes", "false is used instead. Accepted: true, false"),
        ("OTEL_AGENTS_CHUNK_METRIC", "1 on", "false is used instead. Accepted: true, false"),
        (
            "OTEL_AGENTS_METRICS",
            "old",
            "previous is used instead. Accepted: previous, latest, both",
        ),
        ("OTEL_AGENTS_PREFER", "mine", "ours is used instead. Accepted: ours, theirs"),
        (
            "OTEL_AGENTS_CONTENT_MAX_BYTES",
            "0 -1 1.5 64KB much KiB",
            "60000 is used instead. Accepted: a number of at least 1, such as 60000, 64KiB or 8MiB",
        ),
        (
            "OTEL_AGENTS_EXIT_TIMEOUT",
            "-1 inf nan 5s",
            "5.0 is used instead. Accepted: a number of seconds, such as 5 or 0.5",
        ),
        (
            "OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT",
            "csv",
            "json is used instead. Accepted: json, jsonl",
        ),
    ],
)
def test_an_invalid_value_is_logged_and_the_default_used(
    name: str, texts: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    for text in texts.split():
        assert Settings.read({name: text}) == DEFAULTS
        assert caplog.record_tuples == [
            (
                "otel_agents",
                logging.WARNING,
                f"otel-agents: {name}={text} is invalid; {line}",
            )
        ]
        caplog.clear()


def test_an_invalid_value_of_the_process_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_AGENTS_PREFER", "neither-of-the-two")
    assert [Settings.read().prefer for _ in range(3)] == [Prefer.OURS] * 3
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "500"}, 500),
        ({"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "400"}, 400),
        (
            {
                "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "500",
                "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "400",
            },
            400,
        ),
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "90000"}, 60_000),
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "many"}, 60_000),
    ],
)
def test_the_lower_of_our_limit_and_the_sdks_applies(
    environ: dict[str, str], expected: int
) -> None:
    assert Settings.read(environ).content_max_bytes == expected


def test_the_users_value_of_a_frameworks_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAMEWORK_TRACING", raising=False)
    assert framework_variable("FRAMEWORK_TRACING") is None
    monkeypatch.setenv("FRAMEWORK_TRACING", "")
    assert framework_variable("FRAMEWORK_TRACING") is None
    monkeypatch.setenv("FRAMEWORK_TRACING", "false")
    assert framework_variable("FRAMEWORK_TRACING") == "false"
