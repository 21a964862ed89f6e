"""Errors: on the run, on the agent and where they arose, with the exception's class."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai_agents_runs import CHAT, VERSION, agents, assistant, finished, started, weather
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")
Runs = pytest.mark.parametrize("start", [finished, started])
SECRET = "planted-secret"
INPUT_TRIPPED = "agents.exceptions.InputGuardrailTripwireTriggered"
OUTPUT_TRIPPED = "agents.exceptions.OutputGuardrailTripwireTriggered"


def errors(emission: Emission) -> list[tuple[str, Any]]:
    """Return name and error of each span, in the order of their start."""
    ordered = sorted(emission.spans, key=lambda span: span.start_time or 0)
    return [(span.name, (span.attributes or {}).get("error.type")) for span in ordered]


def raised(emission: Emission) -> list[Any]:
    """Return the classes of the exception events."""
    return [attributes.get("exception.type") for _, attributes in emission.events]


@agents.function_tool
def broken(city: str) -> str:
    """Fail."""
    raise LookupError(SECRET)


@agents.function_tool(failure_error_function=None)
def fatal(city: str) -> str:
    """Fail, and the run with it."""
    raise LookupError(SECRET)


def guardrail(kind: str, *, trips: bool) -> Any:
    output = agents.GuardrailFunctionOutput(output_info=SECRET, tripwire_triggered=trips)

    async def polite(context: Any, agent: Any, given: Any) -> Any:
        return output

    return getattr(agents, f"{kind}_guardrail")(polite)


@Runs
def test_the_provider(run: Any, start: Any, emission: Emission, model: ScriptedModel) -> None:
    model.script(Failure(500, message=SECRET))
    with pytest.raises(openai.InternalServerError):
        run(start(assistant("triage", handoffs=[assistant()])))
    error = "openai.InternalServerError"
    names = ["invoke_workflow triage", "invoke_agent triage", CHAT]
    assert errors(emission) == [(name, error) for name in names]
    assert raised(emission) == [error]
    assert SECRET not in emission.texts()


@Runs
def test_too_many_turns(run: Any, start: Any, emission: Emission, model: ScriptedModel) -> None:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]))
    with pytest.raises(agents.MaxTurnsExceeded):
        run(start(assistant(tools=[weather]), max_turns=1))
    error = "agents.exceptions.MaxTurnsExceeded"
    assert errors(emission) == [
        ("invoke_agent guide", error),
        (CHAT, None),
        ("execute_tool weather", None),
    ]


@Runs
def test_a_tool_whose_error_the_model_gets(run: Any, start: Any, emission: Emission) -> None:
    run(start(assistant(tools=[broken])))
    assert errors(emission) == [
        ("invoke_agent guide", None),
        (CHAT, None),
        ("execute_tool broken", "LookupError"),
        (CHAT, None),
    ]
    assert raised(emission) == ["LookupError"]
    assert SECRET not in emission.texts()


@Runs
def test_a_tool_whose_error_ends_the_run(run: Any, start: Any, emission: Emission) -> None:
    with pytest.raises(agents.UserError):
        run(start(assistant(tools=[fatal])))
    error = "agents.exceptions.UserError"
    assert errors(emission) == [
        ("invoke_agent guide", error),
        (CHAT, None),
        ("execute_tool fatal", "LookupError"),
    ]
    assert raised(emission) == ["LookupError", error]
    assert SECRET not in emission.texts()


@Runs
@pytest.mark.parametrize("trips", [False, True])
def test_an_input_guardrail(run: Any, start: Any, emission: Emission, trips: bool) -> None:
    agent = assistant(input_guardrails=[guardrail("input", trips=trips)])
    if trips:
        with pytest.raises(agents.InputGuardrailTripwireTriggered):
            run(start(agent))
    else:
        run(start(agent))
    found = dict(errors(emission))
    assert found["invoke_agent guide"] == (INPUT_TRIPPED if trips else None)
    assert found["guardrail polite"] is None
    assert outcome(emission) == ("failed" if trips else "passed")
    assert emission.traces() == 1
    assert SECRET not in emission.texts()


@Runs
def test_an_input_guardrail_that_raises(run: Any, start: Any, emission: Emission) -> None:
    @agents.input_guardrail
    async def polite(context: Any, agent: Any, given: Any) -> Any:
        raise LookupError(SECRET)

    with pytest.raises(LookupError):
        run(start(assistant(input_guardrails=[polite])))
    found = dict(errors(emission))
    assert (found["invoke_agent guide"], found["guardrail polite"]) == ("LookupError",) * 2
    assert raised(emission).count("LookupError") == 1
    assert SECRET not in emission.texts()


@Runs
@pytest.mark.parametrize("trips", [False, True])
def test_an_output_guardrail(run: Any, start: Any, emission: Emission, trips: bool) -> None:
    agent = assistant(output_guardrails=[guardrail("output", trips=trips)])
    if trips:
        with pytest.raises(agents.OutputGuardrailTripwireTriggered):
            run(start(agent))
    else:
        run(start(agent))
    assert errors(emission) == [
        ("invoke_agent guide", OUTPUT_TRIPPED if trips else None),
        (CHAT, None),
        ("guardrail polite", None),
    ]
    assert outcome(emission) == ("failed" if trips else "passed")
    assert SECRET not in emission.texts()


def outcome(emission: Emission) -> Any:
    (found,) = (
        span.attributes["otel_agents.step.outcome"]
        for span in emission.spans
        if span.attributes and span.name == "guardrail polite"
    )
    return found


def test_cancellation(run: Any, emission: Emission, model: ScriptedModel) -> None:
    async def cancelled() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(finished(assistant()), 0.2)

    model.script(Response("late", delay=5))
    run(cancelled())
    error = "asyncio.exceptions.CancelledError"
    assert errors(emission) == [("invoke_agent guide", error), (CHAT, error)]


def test_a_run_that_is_refused(run: Any, emission: Emission) -> None:
    with pytest.raises((agents.UserError, AttributeError)) as refused:
        run(finished(assistant(tools=[object()])))
    ((name, error),) = errors(emission)
    assert name == "invoke_agent guide"
    assert error.endswith(type(refused.value).__qualname__)


@pytest.mark.skipif(Version("0.8") > VERSION, reason="a guardrail always ran beside its agent")
@Runs
@pytest.mark.parametrize("several", [False, True])
def test_a_guardrail_that_precedes_the_agent(
    run: Any, start: Any, emission: Emission, several: bool
) -> None:
    polite = guardrail("input", trips=True)
    polite.run_in_parallel = False
    more: dict[str, Any] = {"handoffs": [assistant("expert")]} if several else {}
    with pytest.raises(agents.InputGuardrailTripwireTriggered):
        run(start(assistant(input_guardrails=[polite], **more)))
    workflow = [("invoke_workflow guide", INPUT_TRIPPED)] if several else []
    assert errors(emission) == [
        *workflow,
        ("invoke_agent guide", INPUT_TRIPPED),
        ("guardrail polite", None),
    ]
    assert emission.traces() == 1


@pytest.mark.skipif(Version("0.9") > VERSION, reason="handlers of errors came later")
@Runs
def test_an_error_that_the_application_handles(
    run: Any, start: Any, emission: Emission, model: ScriptedModel
) -> None:
    def handle(data: Any) -> Any:
        return {"final_output": "Enough."}

    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]))
    agent = assistant(tools=[weather])
    result = run(start(agent, max_turns=1, error_handlers={"max_turns": handle}))
    assert result.final_output == "Enough."
    assert {error for _, error in errors(emission)} == {None}


@Runs
@pytest.mark.skipif(Version("0.9") > VERSION, reason="tools have no timeouts")
def test_a_tool_that_takes_too_long(run: Any, start: Any, emission: Emission) -> None:
    @agents.function_tool(timeout=0.01)
    async def slow(city: str) -> str:
        """Wait."""
        await asyncio.sleep(60)
        return city

    run(start(assistant(tools=[slow])))
    assert errors(emission) == [
        ("invoke_agent guide", None),
        (CHAT, None),
        ("execute_tool slow", "agents.exceptions.ToolTimeoutError"),
        (CHAT, None),
    ]


def test_what_is_no_agent(run: Any, emission: Emission) -> None:
    with pytest.raises(AttributeError):
        run(finished(None))
    assert errors(emission) == [("invoke_agent", "AttributeError")]
