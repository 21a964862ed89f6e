"""A handoff by rule is an event of the span in which it happens, and a step without duration."""

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
    spans = {span.name: span for span in emission.spans}
    team = spans["invoke_workflow team"].context
    assert team is not None
    assert {log.log_record.span_id for log in emission.logs} == {team.span_id}
    steps = [spans["handoff second"], spans["handoff third"]]
    assert [
        (span.parent and span.parent.span_id, dict(span.attributes or {})) for span in steps
    ] == [
        (
            team.span_id,
            {
                "otel_agents.step.type": "handoff",
                "otel_agents.handoff.from": "first",
                "otel_agents.handoff.to": "second",
            },
        ),
        (
            team.span_id,
            {"otel_agents.step.type": "handoff", "otel_agents.handoff.to": "third"},
        ),
    ]
