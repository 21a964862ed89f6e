"""A handoff by rule is an event of the span in which it happens."""

from __future__ import annotations

from otel_agents.instrumentors._core.operations import InvokeWorkflow, hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission


def test_an_event_in_its_span(emission: Emission) -> None:
    telemetry = Telemetry("toy", settings=Settings.read({}), **emission.providers)
    run = InvokeWorkflow(telemetry, "team")
    hand_over(telemetry, "first", "second", run.context)
    hand_over(telemetry, None, "third", run.context)
    run.end()
    assert emission.events == [
        (
            "otel_agents.handoff",
            {"otel_agents.handoff.to": "second", "otel_agents.handoff.from": "first"},
        ),
        ("otel_agents.handoff", {"otel_agents.handoff.to": "third"}),
    ]
    span = emission.span.context
    assert span is not None
    assert {log.log_record.span_id for log in emission.logs} == {span.span_id}
