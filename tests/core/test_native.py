"""A framework's own telemetry or ours records, and which one is logged once."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, get_current_span, use_span

from otel_agents.instrumentors import Telemetry
from otel_agents.instrumentors._core.patching.native import NativeTelemetry, SilentTracer, no_span
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

OURS = (
    "otel-agents: toy is instrumented by otel-agents, so toy.opentelemetry, which the application "
    "enables too, records nothing; set OTEL_AGENTS_PREFER=theirs to prefer it"
)
THEIRS = (
    "otel-agents: toy is instrumented by toy.opentelemetry, which the application enables, so "
    "otel-agents records nothing of it; unset OTEL_AGENTS_PREFER to prefer otel-agents"
)


@pytest.mark.parametrize(
    ("prefer", "theirs", "message"),
    [({}, False, OURS), ({"OTEL_AGENTS_PREFER": "theirs"}, True, THEIRS)],
    ids=["ours", "theirs"],
)
def test_the_setting_decides_who_records_and_is_logged_once(
    prefer: dict[str, str],
    theirs: bool,
    message: str,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = Telemetry("toy", settings=Settings.read(prefer), **emission.providers)
    native = NativeTelemetry("toy", "toy.opentelemetry")
    with caplog.at_level(logging.INFO, "otel_agents"):
        assert [native.is_preferred(telemetry) for _ in range(3)] == [theirs] * 3
    assert [(it.levelno, it.getMessage()) for it in caplog.records] == [(logging.INFO, message)]


def test_each_is_logged_separately(emission: Emission, caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry("toy", settings=Settings.read({}), **emission.providers)
    with caplog.at_level(logging.INFO, "otel_agents"):
        for name in ("one", "other"):
            NativeTelemetry("toy", name).is_preferred(telemetry)
    logged = [record.getMessage() for record in caplog.records]
    assert logged == [OURS.replace("toy.opentelemetry", name) for name in ("one", "other")]


def test_a_silent_tracer_starts_nothing_and_leaves_current_what_is(emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("application")
    with tracer.start_as_current_span("around") as around:
        with SilentTracer().start_as_current_span("theirs", attributes={"a": 1}) as theirs:
            assert get_current_span() is around
            tracer.start_span("inside").end()
        assert theirs is INVALID_SPAN
        assert get_current_span() is around
        theirs.end()
        assert not SilentTracer().start_span("theirs").is_recording()
    assert emission.tree() == ["around", "  inside"]


def test_no_span_is_a_context_manager_that_starts_nothing(emission: Emission) -> None:
    around = NonRecordingSpan(INVALID_SPAN.get_span_context())
    with use_span(around):
        with no_span("telemetry", "call") as theirs:
            theirs.set_attribute("a", 1)
            assert get_current_span() is around
        assert theirs is INVALID_SPAN
    assert emission.names == []
