"""One run, one trace: the stretches of agents, their model calls, tools and handoffs."""

from __future__ import annotations

import doctest
import json
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import openai
import pytest
from renamed_targets import check_renamed

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors.swarm import SwarmInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
)

swarm: Any = import_module("swarm")

CHAT = "chat gpt-4o"
SECRET = "planted-secret"
GO = [{"role": "user", "content": f"Tell {SECRET}"}]
GUIDE = ["invoke_workflow guide", "  invoke_agent guide", f"    {CHAT}"]
HANDOFF = [
    "invoke_workflow triage",
    "  invoke_agent triage",
    f"    {CHAT}",
    "    execute_tool transfer_to_guide",
    "  invoke_agent guide",
    f"    {CHAT}",
    "    execute_tool weather",
    f"    {CHAT}",
]


def weather(city: str, context_variables: dict[str, Any]) -> str:
    """Return the weather."""
    return f"Sunny in {city} for {context_variables['user']}."


def broken() -> str:
    """Fail."""
    raise LookupError(SECRET)


def triage() -> Any:
    guide = swarm.Agent(name="guide", instructions=SECRET, functions=[weather])

    def transfer_to_guide() -> Any:
        """Hand over."""
        return guide

    return swarm.Agent(name="triage", instructions=SECRET, functions=[transfer_to_guide])


def script(model: ScriptedModel) -> None:
    calls = [
        ToolCall("transfer_to_guide", {}, id="call_1"),
        ToolCall("weather", {"city": "Bern"}, id="call_2"),
    ]
    model.script(*(Response(tool_calls=[call]) for call in calls), f"It is {SECRET}.")


def start(client: Any, agent: Any, stream: bool, **more: Any) -> Any:
    """Run ``agent`` and return the response."""
    result = client.run(agent, GO, stream=stream, **more)
    return list(result)[-1]["response"] if stream else result


def content_of(emission: Emission, name: str) -> dict[str, Any]:
    (span,) = [span for span in emission.spans if span.name == name]
    endings = ("messages", "arguments", "result")
    return {
        key: json.loads(str(value))
        for key, value in (span.attributes or {}).items()
        if key.endswith(endings)
    }


def text(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_a_handoff(client: Any, stream: bool, model: ScriptedModel, emission: Emission) -> None:
    script(model)
    response = start(client, triage(), stream, context_variables={"user": SECRET})
    assert response.agent.name == "guide"
    assert emission.tree() == HANDOFF
    assert emission.traces() == 1
    spans = {span.name: dict(span.attributes or {}) for span in emission.spans}
    spans.pop(CHAT)
    usage = {
        name: [entry.input_tokens for entry in entries]
        for name, entries in (
            ("triage", model.ledger.entries[:1]),
            ("guide", model.ledger.entries[1:]),
        )
    }
    assert spans["invoke_workflow triage"] == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "triage",
    }
    for turn, name in enumerate(("triage", "guide"), 1):
        found = spans[f"invoke_agent {name}"]
        if not stream:  # Swarm does not request the usage of streams
            assert found.pop("gen_ai.usage.input_tokens") == sum(usage[name])
            found.pop("gen_ai.usage.output_tokens")
        assert found == {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": name,
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ("tool_calls" if name == "triage" else "stop",),
            "otel_agents.turn": turn,
        }
    for number, (tool, agent) in enumerate(
        (("transfer_to_guide", "triage"), ("weather", "guide")), 1
    ):
        assert spans[f"execute_tool {tool}"] == {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": f"call_{number}",
            "gen_ai.agent.name": agent,
        }
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("with_content")
def test_content(client: Any, stream: bool, model: ScriptedModel, emission: Emission) -> None:
    script(model)
    start(client, triage(), stream, context_variables={"user": "Ada"})
    reply = {
        "gen_ai.output.messages": [text("assistant", f"It is {SECRET}.", finish_reason="stop")]
    }
    assert content_of(emission, "invoke_workflow triage") == {
        "gen_ai.input.messages": [text("user", f"Tell {SECRET}")],
        **reply,
    }
    handed = content_of(emission, "invoke_agent triage")["gen_ai.output.messages"]
    assert [part["type"] for part in handed[0]["parts"]] == ["tool_call"]
    guide = content_of(emission, "invoke_agent guide")
    assert [one["role"] for one in guide["gen_ai.input.messages"]] == ["user", "assistant", "tool"]
    assert guide["gen_ai.output.messages"] == reply["gen_ai.output.messages"]
    assert content_of(emission, "execute_tool transfer_to_guide") == {
        "gen_ai.tool.call.arguments": {},
        "gen_ai.tool.call.result": {"assistant": "guide"},
    }
    assert content_of(emission, "execute_tool weather") == {
        "gen_ai.tool.call.arguments": {"city": "Bern", "context_variables": {"user": "Ada"}},
        "gen_ai.tool.call.result": {"result": "Sunny in Bern for Ada."},
    }


def errors(emission: Emission) -> list[tuple[str, Any]]:
    ordered = sorted(emission.spans, key=lambda span: span.start_time or 0)
    return [(span.name, (span.attributes or {}).get("error.type")) for span in ordered]


def raised(emission: Emission) -> list[str]:
    """Return the class of each exception event, after the name of its span."""
    names = {span.context.span_id: span.name for span in emission.spans if span.context}
    records = [log.log_record for log in emission.logs]
    return [f"{names[one.span_id]}: {one.attributes['exception.type']}" for one in records]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_the_provider(
    client: Any, stream: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(401, message=SECRET))
    with pytest.raises(openai.AuthenticationError):
        start(client, triage(), stream)
    error = "openai.AuthenticationError"
    names = ["invoke_workflow triage", "invoke_agent triage", CHAT]
    assert errors(emission) == [(name, error) for name in names]
    assert raised(emission) == [f"{CHAT}: {error}"]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_a_tool(
    client: Any, stream: bool, model: ScriptedModel, emission: Emission
) -> None:
    with pytest.raises(LookupError):
        start(client, swarm.Agent(functions=[broken]), stream)
    assert errors(emission) == [
        ("invoke_workflow", "LookupError"),
        ("invoke_agent", "LookupError"),
        (CHAT, None),
        ("execute_tool broken", "LookupError"),
    ]
    assert raised(emission) == ["execute_tool broken: LookupError"]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_no_agent(client: Any, stream: bool, emission: Emission) -> None:
    with pytest.raises(AttributeError) if stream else nullcontext():
        start(client, None, stream)
    assert errors(emission) == [("invoke_workflow", "AttributeError" if stream else None)]
    assert raised(emission) == (["invoke_workflow: AttributeError"] if stream else [])


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_off(client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("one two three", fault=ErrorEvent(after=2)))
    with pytest.raises(openai.APIError):
        start(client, triage(), True)
    error = "openai.APIError"
    names = ["invoke_workflow triage", "invoke_agent triage", CHAT]
    assert errors(emission) == [(name, error) for name in names]
    assert raised(emission) == [f"{CHAT}: {error}"]


@pytest.mark.usefixtures("instrumented")
def test_an_error_of_a_run_within_a_tool(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    def consult() -> str:
        """Consult the expert."""
        return str(client.run(swarm.Agent(name="expert", functions=[broken]), GO))

    model.script(
        Response(tool_calls=[ToolCall("consult", {})]),
        Response(tool_calls=[ToolCall("broken", {})]),
    )
    with pytest.raises(LookupError):
        client.run(swarm.Agent(name="guide", functions=[consult]), GO)
    assert [error for _, error in errors(emission)].count("LookupError") == 6
    assert raised(emission) == ["execute_tool broken: LookupError"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_below_an_sdk_that_is_not_instrumented(
    client: Any, stream: bool, model: ScriptedModel, instrument: Any, emission: Emission
) -> None:
    instrument(sdk=False)
    model.script(Failure(401))
    with pytest.raises(openai.AuthenticationError):
        start(client, triage(), stream)
    assert raised(emission) == ["invoke_agent triage: openai.AuthenticationError"]


@pytest.mark.parametrize("arguments", ["{", "[]"])
@pytest.mark.usefixtures("instrumented")
def test_arguments_that_are_none(
    client: Any, arguments: str, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("broken", arguments)]))
    with pytest.raises((ValueError, TypeError)) as error:
        start(client, swarm.Agent(name="guide", functions=[broken]), False)
    (found,) = raised(emission)
    assert found.startswith("invoke_agent guide: ")
    assert found.endswith(error.typename)


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_left(client: Any, emission: Emission) -> None:
    stream = client.run(swarm.Agent(name="guide"), GO, stream=True)
    for _ in stream:
        break
    stream.close()
    hosting.drain_streams(5)
    assert emission.tree() == GUIDE
    mark = "otel_agents.stream.abandoned"
    left = {span.name for span in emission.spans if mark in (span.attributes or {})}
    assert left >= {"invoke_workflow guide", "invoke_agent guide"}


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_never_read(client: Any, emission: Emission) -> None:
    client.run(swarm.Agent(name="guide"), GO, stream=True).close()
    hosting.drain_streams(5)
    assert [name for name in emission.tree() if CHAT in name] == []


@pytest.mark.usefixtures("instrumented")
def test_a_run_within_a_tool(client: Any, model: ScriptedModel, emission: Emission) -> None:
    expert = swarm.Agent(name="expert")

    def consult() -> str:
        """Consult the expert."""
        return str(client.run(expert, GO).messages[-1]["content"])

    model.script(Response(tool_calls=[ToolCall("consult", {})]))
    client.run(swarm.Agent(name="guide", functions=[consult]), GO)
    assert emission.tree() == [
        *GUIDE,
        "    execute_tool consult",
        "      invoke_workflow expert",
        "        invoke_agent expert",
        f"          {CHAT}",
        f"    {CHAT}",
    ]


def test_a_renamed_target_is_reported() -> None:
    assert check_renamed(SwarmInstrumentor) == 4


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(SwarmInstrumentor, "SwarmInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
