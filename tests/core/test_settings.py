"""Settings: defaults as documented, values as accepted, and one clear line for anything else."""

from __future__ import annotations

import dataclasses
import logging
import re
from pathlib import Path

import pytest

from otel_agents.instrumentors import settings
from otel_agents.instrumentors.settings import SETTINGS, Capture, Metrics, Prefer, Settings

DEFAULTS = Settings.read({})


def test_the_defaults() -> None:
    assert (
        Settings(
            capture=Capture.NO_CONTENT,
            emit_event=False,
            completion_hook=None,
            upload_base_path=None,
            upload_format="json",
            upload_max_queue_size=20,
            metrics=Metrics.PREVIOUS,
            chunk_metric=False,
            content_max_bytes=60_000,
            span_max_bytes=180_000,
            queue_max_bytes=64 * 1024 * 1024,
            exit_timeout=5.0,
            stream_usage=False,
            propagate_headers=(),
            prefer=Prefer.OURS,
            redaction_hook=None,
        )
        == DEFAULTS
    )


def test_values_as_they_are_accepted() -> None:
    read = Settings.read(
        {
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": " span_and_event ",
            "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "upload",
            "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH": "s3://bucket",
            "OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT": "JSONL",
            "OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE": "5",
            "OTEL_AGENTS_METRICS": "Both",
            "OTEL_AGENTS_CHUNK_METRIC": "TRUE",
            "OTEL_AGENTS_CONTENT_MAX_BYTES": "8KiB",
            "OTEL_AGENTS_SPAN_MAX_BYTES": "1 MiB",
            "OTEL_AGENTS_QUEUE_MAX_BYTES": "1gib",
            "OTEL_AGENTS_EXIT_TIMEOUT": "0.5",
            "OTEL_AGENTS_STREAM_USAGE": "true",
            "OTEL_AGENTS_PROPAGATE_HEADERS": "a.example, *.b.example,",
            "OTEL_AGENTS_PREFER": "theirs",
            "OTEL_AGENTS_REDACTION_HOOK": "mine",
        }
    )
    assert read == Settings(
        capture=Capture.SPAN_AND_EVENT,
        emit_event=True,
        completion_hook="upload",
        upload_base_path="s3://bucket",
        upload_format="jsonl",
        upload_max_queue_size=5,
        metrics=Metrics.BOTH,
        chunk_metric=True,
        content_max_bytes=8 * 1024,
        span_max_bytes=1024**2,
        queue_max_bytes=1024**3,
        exit_timeout=0.5,
        stream_usage=True,
        propagate_headers=("a.example", "*.b.example"),
        prefer=Prefer.THEIRS,
        redaction_hook="mine",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true"),
        ("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "1"),
        ("OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT", "xml"),
        ("OTEL_AGENTS_METRICS", "newest"),
        ("OTEL_AGENTS_CONTENT_MAX_BYTES", "0"),
        ("OTEL_AGENTS_SPAN_MAX_BYTES", "many"),
        ("OTEL_AGENTS_EXIT_TIMEOUT", "-1"),
        ("OTEL_AGENTS_EXIT_TIMEOUT", "inf"),
        ("OTEL_AGENTS_STREAM_USAGE", "yes"),
        ("OTEL_AGENTS_PREFER", "mine"),
    ],
)
def test_a_bad_value_is_told_once_and_the_default_taken(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "otel_agents"):
        assert Settings.read({name: value}) == DEFAULTS
    (record,) = caplog.records
    assert re.fullmatch(
        f"otel-agents: {name}={re.escape(value)} is not understood; .+ is used instead. "
        "Accepted: .+",
        record.getMessage(),
    )


def test_the_limits_of_the_sdk_hold_for_content_too() -> None:
    limits = {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "500"}
    assert Settings.read(limits).content_max_bytes == 500


def test_events_may_be_asked_for_without_content_on_them() -> None:
    assert Settings.read({"OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true"}) == dataclasses.replace(
        DEFAULTS, emit_event=True
    )


def test_every_variable_that_is_read_is_documented() -> None:
    source = Path(settings.__file__).read_text()
    read = set(re.findall(r'"(OTEL_(?:AGENTS|INSTRUMENTATION_GENAI)_[A-Z_]+)"', source))
    assert read == {setting.name for setting in SETTINGS}
