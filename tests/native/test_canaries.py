"""Law 5 with the real libraries: by default nothing that a user or a model wrote leaves.

Each environment runs the program of its library; `examples/native` has them.
"""

from __future__ import annotations

import pytest
from native_programs import CANARY, INSTALLED, SPANS, operations, ours, run
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

PROMPTS = (CANARY, "Answer in one sentence.", "Knows the weather.")


@pytest.fixture(params=INSTALLED)
def library(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def scripted(model: ScriptedModel) -> None:
    call = ToolCall("get_weather", {"city": CANARY})
    model.script(Response(tool_calls=[call]), Response(f"It is sunny in {CANARY}"))


@pytest.mark.usefixtures("scripted")
def test_by_default_no_prompt_leaves(library: str, model: ScriptedModel) -> None:
    with Receiver() as receiver:
        done = run(library, model, receiver)
    assert (done.status, CANARY in done.out, ours(done.err)) == (0, True, []), done.err
    found = [operation for operation, _ in operations(receiver)]
    assert {name: found.count(name) for name in SPANS[library]} == SPANS[library]
    sent = str(receiver.requests)
    assert [prompt for prompt in PROMPTS if prompt in sent] == []


@pytest.mark.usefixtures("scripted")
def test_where_content_is_enabled_it_leaves(library: str, model: ScriptedModel) -> None:
    capture = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}
    if library == "agent_framework":  # it has a switch of its own, which is the user's
        capture["ENABLE_SENSITIVE_DATA"] = "true"
    with Receiver() as receiver:
        done = run(library, model, receiver, **capture)
    assert done.status == 0, done.err
    assert CANARY in str([span for _, span in operations(receiver)])


def test_the_texts_of_errors_do_not_leave(library: str, model: ScriptedModel) -> None:
    model.script(*[Failure(400, message=f"no {CANARY}")] * 4)
    with Receiver() as receiver:
        done = run(library, model, receiver)
    assert CANARY in done.err + done.out
    assert ours(done.err.partition("Traceback")[0]) == []
    assert list(operations(receiver))
    assert CANARY not in str(receiver.requests)


@pytest.mark.usefixtures("scripted")
def test_it_leaves_by_none_of_the_other_instrumentations(
    library: str, model: ScriptedModel
) -> None:
    """Those of OpenInference and the official ones run where ours are disabled by name."""
    with Receiver() as receiver:
        done = run(library, model, receiver, OTEL_AGENTS_PREFER="theirs")
    assert done.status == 0, done.err
    assert receiver.spans
    sent = str(receiver.requests)
    assert [prompt for prompt in PROMPTS if prompt in sent] == []
