"""Judgements are events in the context of what is judged, now or later, here or elsewhere."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from new_processes import in_a_new_process
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from otel_agents import api
from otel_agents.distro.tree import TreeExporter
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("configured")

EVENT = "gen_ai.evaluation.result"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def spans_of_events(emission: Emission) -> list[int]:
    return [log.log_record.span_id for log in emission.logs]


def ids(emission: Emission, name: str) -> tuple[int, int]:
    (span,) = [span for span in emission.spans if span.name == name]
    assert span.context
    return span.context.trace_id, span.context.span_id


def test_the_current_span_is_judged(emission: Emission) -> None:
    with api.agent("a"):
        api.evaluation(
            "relevance",
            score=1,
            label="relevant",
            explanation="planted-secret",
            evaluator="judge-7",
            evaluator_version="2",
            evaluator_type="model",
        )
    recorded = {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "relevant",
        "otel_agents.evaluation.evaluator.id": "judge-7",
        "otel_agents.evaluation.evaluator.version": "2",
        "otel_agents.evaluation.evaluator.type": "model",
    }
    assert emission.events == [(EVENT, recorded)]
    assert spans_of_events(emission) == [ids(emission, "invoke_agent a")[1]]
    assert emission.tree() == ["invoke_agent a", "  score relevance"]
    step = dict(emission.spans[0].attributes or {})
    assert step == {"otel_agents.step.type": "score", **recorded}
    assert "planted-secret" not in emission.texts()


@pytest.mark.parametrize("capture", ["SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT", "NO_CONTENT"])
def test_an_explanation_is_content(
    capture: str, emission: Emission, configured: Callable[..., None]
) -> None:
    configured(**{CAPTURE: capture})
    api.evaluation("relevance", label="no", explanation="Off topic.")
    ((_, event),) = emission.events
    named = "gen_ai.evaluation.explanation"
    assert event.get(named) == ("Off topic." if "EVENT" in capture else None)
    step = emission.span.attributes or {}
    assert step.get(named) == ("Off topic." if "SPAN" in capture else None)
    with api.content(False):
        api.evaluation("other", label="no", explanation="planted-secret")
    assert "planted-secret" not in emission.texts()


def test_a_model_call_is_judged_with_the_id_of_its_response(emission: Emission) -> None:
    with api.agent("a"), api.inference(model="m", provider="house") as call:
        call.response(id="r-1")
    api.feedback(True, of=call, comment="Thanks!", user="ada")
    assert emission.events == [
        (
            EVENT,
            {
                "gen_ai.evaluation.name": "user_feedback",
                "gen_ai.evaluation.score.value": 1.0,
                "gen_ai.evaluation.score.label": "positive",
                "gen_ai.response.id": "r-1",
                "otel_agents.evaluation.evaluator.id": "ada",
                "otel_agents.evaluation.evaluator.type": "human",
            },
        )
    ]
    trace_id, span_id = ids(emission, "chat m")
    assert re.fullmatch(f"00-{trace_id:032x}-{span_id:016x}-0[13];r-1", call.reference())
    assert spans_of_events(emission) == [span_id]
    assert emission.tree() == ["invoke_agent a", "  chat m", "    score user_feedback"]


def test_what_is_judged_within_its_trace_is_drawn_in_it(emission: Emission) -> None:
    drawn = io.StringIO()
    emission.tracer_provider.add_span_processor(SimpleSpanProcessor(TreeExporter(drawn)))
    with api.agent("a"), api.step("s"):
        with api.inference(model="m", provider="house") as call:
            call.usage(2, 1)
        api.feedback(True, of=call)
    lines = [line.lstrip("`|+- ") for line in drawn.getvalue().splitlines() if line]
    assert [re.sub(r" {2,}.*", "", line) for line in lines[1:]] == [
        *("invoke_agent a", "step s", "chat m", "score user_feedback -> 1"),
    ]


ELSEWHERE = """if True:
    import sys
    from otel_agents import api
    from otel_agents.testing.emission import Emission
    emission = Emission()
    api.configure(**emission.providers)
    api.feedback(0.5, of={reference!r})
    (log,), span = emission.logs, emission.span
    record = log.log_record
    assert record.trace_id == span.context.trace_id
    print(record.trace_id, record.span_id, span.parent.span_id, span.parent.is_remote)
"""


def test_a_reference_works_in_another_process(emission: Emission) -> None:
    with api.workflow("w"):
        reference = api.reference()
    trace_id, span_id = ids(emission, "invoke_workflow w")
    found = in_a_new_process(ELSEWHERE.format(reference=reference))
    assert found == f"{trace_id} {span_id} {span_id} True\n"


def test_the_identity_is_of_who_judges(emission: Emission) -> None:
    with api.identity(user="ada"), api.agent("a") as run:
        pass
    with api.identity(user="bob"):
        api.feedback(False, of=run.reference())
    users = {span.name: (span.attributes or {}).get("user.id") for span in emission.spans}
    assert users == {"invoke_agent a": "ada", "score user_feedback": "bob"}


@pytest.mark.parametrize(
    "invalid",
    [
        "",
        "nonsense",
        "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
        "00-" + "1" * 32 + "-" + "1" * 16 + "-01;a b",
        "00-" + "1" * 32 + "-" + "1" * 16 + "-01;" + "x" * 257,
        "ff-" + "1" * 32 + "-" + "1" * 16 + "-01",
        7,
    ],
)
def test_what_is_no_reference_is_logged_in_one_line(
    invalid: Any, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "otel_agents")
    for _ in range(3):
        api.feedback(True, of=invalid)
    (line,) = caplog.messages
    assert line == (
        "otel-agents: the evaluation user_feedback is dropped, since its subject is no reference; "
        "pass on what reference() returned; further ones are not logged"
    )
    assert (emission.events, emission.names) == ([], [])


@pytest.mark.parametrize("score", ["planted-secret", "4", [1], float("nan"), 10**400])
def test_what_is_no_score_is_left_out_with_one_line(
    score: Any, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be what a web client sent: the application does not fail by it."""
    caplog.set_level(logging.WARNING, "otel_agents")
    api.feedback(score)
    (line,) = caplog.messages
    assert "user_feedback has no score" in line
    assert "planted-secret" not in line
    ((_, event),) = emission.events
    assert "gen_ai.evaluation.score.value" not in event


def test_what_a_client_sends_has_a_limit(emission: Emission) -> None:
    api.feedback(1, label="l" * 1000, user="u" * 1000, name="n" * 1000)
    ((_, event),) = emission.events
    assert {len(value) for value in event.values() if isinstance(value, str)} == {
        256,
        len("human"),
    }


def test_without_a_span_there_is_no_reference(emission: Emission) -> None:
    assert api.reference() == ""
    assert api.agent("a").reference() == ""
    api.evaluation("relevance", score=1.0, response_id="r-1")
    ((_, event),) = emission.events
    assert event["gen_ai.response.id"] == "r-1"


def test_what_is_not_sampled_has_an_event_and_no_step(conforming: Any) -> None:
    unsampled = Emission(ParentBased(ALWAYS_OFF))
    api.configure(**unsampled.providers)
    with api.agent("a") as run:
        pass
    assert int(run.reference()[-2:]) & 1 == 0
    api.feedback(True, of=run)
    assert unsampled.names == []
    assert [name for name, _ in unsampled.events] == [EVENT]
    conforming(unsampled)
    unsampled.close()


def test_untraced_judgements_are_left_out(emission: Emission) -> None:
    with api.untraced():
        api.evaluation("relevance", score=1.0)
    assert (emission.events, emission.names) == ([], [])
