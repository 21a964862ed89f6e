"""Law 5 with the real libraries: by default nothing that a user or a model wrote leaves.

Each environment runs the program of its library; `examples/native` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from instrumented import Finished, instrumented
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

CANARY = "canary-7c1f"
PROMPTS = (CANARY, "Answer in one sentence.", "Knows the weather.")
EXAMPLES = Path(__file__).parents[2] / "examples/native"
LIBRARIES = {
    "agent_framework": "agent_framework",
    "google_adk": "google.adk",
    "pydantic_ai": "pydantic_ai",
    "strands": "strands",
}
SPANS = {
    "agent_framework": {"chat": 2, "execute_tool": 1, "invoke_agent": 1},
    "google_adk": {"generate_content": 2, "execute_tool": 1, "invoke_agent": 1},
    "pydantic_ai": {"chat": 2, "execute_tool": 1, "invoke_agent": 1},
    "strands": {"chat": 2, "execute_tool": 1, "invoke_agent": 1},
}


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


INSTALLED = [library for library, module in LIBRARIES.items() if _has(module)]


def run(library: str, model: ScriptedModel, receiver: Receiver, **variables: str) -> Finished:
    return instrumented(
        EXAMPLES / f"{library}_weather.py",
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "ENABLE_INSTRUMENTATION": "true",  # Agent Framework's, off by default at first
            **variables,
        },
        installed=True,
        arguments=["How", "is", CANARY],
    )


def operations(receiver: Receiver) -> Iterator[tuple[str, Any]]:
    for span in receiver.spans:
        for pair in span.attributes:
            if pair.key == "gen_ai.operation.name":
                yield pair.value.string_value, span


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
    assert (done.status, CANARY in done.out) == (0, True), done.err
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
