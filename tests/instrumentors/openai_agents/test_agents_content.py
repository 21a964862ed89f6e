"""Content is recorded only if enabled, and not where the application excludes it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import openai
import pytest
from openai_agents_runs import agents, assistant, finished, started, weather

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

Runs = pytest.mark.parametrize("start", [finished, started])
SECRET = "planted-secret"
ENABLED = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
}


def text(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


def triage() -> Any:
    guide = assistant(tools=[weather], instructions="Guide.", output_guardrails=[guardrail()])
    return assistant("triage", handoffs=[guide], instructions=f"Triage {SECRET}.")


def guardrail() -> Any:
    async def polite(context: Any, agent: Any, given: Any) -> Any:
        return agents.GuardrailFunctionOutput(output_info=SECRET, tripwire_triggered=False)

    return agents.output_guardrail(polite)


def script(model: ScriptedModel) -> None:
    calls = [
        ToolCall("transfer_to_guide", {}, id="call_1"),
        ToolCall("weather", {"city": SECRET}, id="call_2"),
    ]
    model.script(*(Response(tool_calls=[call]) for call in calls), f"It is {SECRET}.")


def content_of(emission: Emission, name: str) -> dict[str, Any]:
    """Return the content of the span of this name, parsed."""
    (span,) = [span for span in emission.spans if span.name == name]
    endings = ("messages", "arguments", "result", "instructions")
    return {
        key: json.loads(str(value))
        for key, value in (span.attributes or {}).items()
        if key.endswith(endings)
    }


@Runs
@pytest.mark.usefixtures("instrumented")
def test_no_content_is_recorded_by_default(
    run: Any, start: Any, model: ScriptedModel, emission: Emission
) -> None:
    script(model)
    run(start(triage(), f"Tell {SECRET}"))
    assert SECRET not in emission.texts()


@Runs
@pytest.mark.usefixtures("with_content")
def test_what_each_agent_gets_and_returns(
    run: Any, start: Any, model: ScriptedModel, emission: Emission
) -> None:
    script(model)
    run(start(triage(), f"Tell {SECRET}"))
    request, last = text("user", f"Tell {SECRET}"), text("assistant", f"It is {SECRET}.")
    called: dict[str, Any] = {
        "type": "tool_call",
        "id": "call_1",
        "name": "transfer_to_guide",
        "arguments": {},
    }
    assert content_of(emission, "invoke_workflow triage") == {
        "gen_ai.input.messages": [request],
        "gen_ai.output.messages": [{**last, "finish_reason": "stop"}],
    }
    assert content_of(emission, "invoke_agent triage") == {
        "gen_ai.system_instructions": [{"type": "text", "content": f"Triage {SECRET}."}],
        "gen_ai.input.messages": [request],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [called], "finish_reason": "tool_calls"}
        ],
    }
    guide = content_of(emission, "invoke_agent guide")
    assert guide["gen_ai.system_instructions"] == [{"type": "text", "content": "Guide."}]
    assert guide["gen_ai.input.messages"][0] == request
    assert guide["gen_ai.output.messages"] == [{**last, "finish_reason": "stop"}]
    assert content_of(emission, "execute_tool transfer_to_guide") == {
        "gen_ai.tool.call.arguments": {},
        "gen_ai.tool.call.result": {"assistant": "guide"},
    }
    assert content_of(emission, "execute_tool weather") == {
        "gen_ai.tool.call.arguments": {"city": SECRET},
        "gen_ai.tool.call.result": {"result": f"Sunny in {SECRET}."},
    }


@Runs
def test_an_application_that_excludes_sensitive_data(
    run: Any, start: Any, model: ScriptedModel, emission: Emission, instrument: Any
) -> None:
    instrument(**ENABLED)
    config = agents.RunConfig(trace_include_sensitive_data=False)
    script(model)
    run(start(triage(), f"Tell {SECRET}", run_config=config))
    assert SECRET not in emission.texts()
    assert emission.tree()[0] == "invoke_workflow triage"


@pytest.mark.parametrize("included", [True, False])
def test_an_error_is_content(
    run: Any, model: ScriptedModel, emission: Emission, instrument: Any, included: bool
) -> None:
    instrument(**ENABLED)
    model.script(Failure(401, message=SECRET))
    config = agents.RunConfig(trace_include_sensitive_data=included)
    with pytest.raises(openai.AuthenticationError):
        run(finished(assistant(), "go", run_config=config))
    assert (SECRET in emission.texts()) is included


@agents.function_tool
def broken(city: str) -> str:
    """Fail, and tell the model."""
    raise LookupError


@agents.function_tool(failure_error_function=None)
def fatal(city: str) -> str:
    """Fail, and the run with it."""
    raise LookupError


@Runs
@pytest.mark.parametrize("disabled", [False, True])
@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.usefixtures("with_content")
def test_a_tool_that_fails(
    run: Any, start: Any, handled: bool, disabled: bool, model: ScriptedModel, emission: Emission
) -> None:
    tool = broken if handled else fatal
    model.script(Response(tool_calls=[ToolCall(tool.name, {"city": SECRET}, id="call_1")]), "Oh.")
    config = agents.RunConfig(tracing_disabled=disabled)
    with nullcontext() if handled else pytest.raises(agents.UserError):
        run(start(assistant(tools=[tool]), run_config=config))
    recorded = content_of(emission, f"execute_tool {tool.name}")
    assert recorded["gen_ai.tool.call.arguments"] == {"city": SECRET}
    assert ("error occurred" in str(recorded.get("gen_ai.tool.call.result"))) == handled
