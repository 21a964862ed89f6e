"""Guardrails of a group: the verdict of each, and the handoff that follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from conversations import CHAT, agent, config, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ModelRequest, Response, ScriptedModel

autogen: Any = import_module("autogen")
group: Any = import_module("autogen.agentchat.group")
chats: Any = import_module("autogen.agentchat.group.multi_agent_chat")
guardrails: Any = import_module("autogen.agentchat.group.guardrails")
patterns: Any = import_module("autogen.agentchat.group.patterns")
SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")


def start(*agents: Any) -> Any:
    pattern = patterns.DefaultPattern(initial_agent=agents[0], agents=list(agents))
    return chats.initiate_group_chat(pattern=pattern, messages=SECRET, max_rounds=4)


def regex(name: str, found: str, target: Any) -> Any:
    return guardrails.RegexGuardrail(name=name, condition=found, target=group.AgentTarget(target))


def llm_guardrail(name: str, target: Any, model: ScriptedModel) -> Any:
    (entry,) = config(model)["config_list"]
    configured = autogen.LLMConfig(entry, cache_seed=None)
    return guardrails.LLMGuardrail(
        name=name, condition=SECRET, target=group.AgentTarget(target), llm_config=configured
    )


def with_verdict(activated: bool) -> Callable[[ModelRequest], Response]:
    """Return a reaction that gives this verdict to guardrails, and replies to other requests."""

    def react(request: ModelRequest) -> Response:
        if "guardrail" not in str(request.body["messages"][0]):
            return Response("said")
        return Response(json.dumps({"activated": activated, "justification": SECRET}))

    return react


def attributes(emission: Emission, name: str) -> dict[str, Any]:
    (span,) = [span for span in emission.spans if span.name == name]
    return dict(span.attributes or {})


def verdict(outcome: str) -> dict[str, Any]:
    return {"otel_agents.step.type": "guardrail", "otel_agents.step.outcome": outcome}


def handoffs(emission: Emission) -> list[tuple[Any, Any]]:
    return [
        (recorded["otel_agents.handoff.from"], recorded["otel_agents.handoff.to"])
        for name, recorded in emission.events
        if name == "otel_agents.handoff"
    ]


def test_an_output_guardrail(model: ScriptedModel, emission: Emission) -> None:
    writer, safe = agent("writer", model), agent("safe", model)
    writer.register_output_guardrail(regex("quiet", "never", safe))
    writer.register_output_guardrail(regex("polite", "said", safe))
    model.script_by(lambda request: Response("said"))
    start(writer, safe)
    assert emission.tree() == [
        *["invoke_workflow", *turn_of("writer", CHAT)],
        *["  guardrail quiet", "  guardrail polite", "  handoff safe"],
        *turn_of("safe", CHAT),
    ]
    assert attributes(emission, "guardrail quiet") == verdict("passed")
    assert attributes(emission, "guardrail polite") == verdict("failed")
    assert handoffs(emission) == [("writer", "safe")]
    assert SECRET not in emission.texts()


def test_an_input_guardrail(model: ScriptedModel, emission: Emission) -> None:
    """A guardrail that fails on the input prevents the turn."""
    writer, safe = agent("writer", model), agent("safe", model)
    writer.register_input_guardrail(regex("discreet", SECRET, safe))
    start(writer, safe)
    assert emission.tree() == [
        *["invoke_workflow", "  guardrail discreet", "  handoff safe"],
        *turn_of("safe", CHAT),
    ]
    assert attributes(emission, "guardrail discreet") == verdict("failed")
    assert handoffs(emission) == [("writer", "safe")]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("activated", [False, True])
def test_an_llm_guardrail(activated: bool, model: ScriptedModel, emission: Emission) -> None:
    writer, safe = agent("writer", model), agent("safe", model)
    writer.register_output_guardrail(llm_guardrail("harmless", safe, model))
    model.script_by(with_verdict(activated))
    start(writer, safe)
    assert emission.tree() == [
        *["invoke_workflow", *turn_of("writer", CHAT), "  guardrail harmless", f"    {CHAT}"],
        *(["  handoff safe", *turn_of("safe", CHAT)] if activated else []),
    ]
    outcome = "failed" if activated else "passed"
    assert attributes(emission, "guardrail harmless") == verdict(outcome)
    assert handoffs(emission) == ([("writer", "safe")] if activated else [])
    assert SECRET not in emission.texts()


def test_a_guardrail_that_ends_the_chat(model: ScriptedModel, emission: Emission) -> None:
    writer = agent("writer", model)
    stop = guardrails.RegexGuardrail(name="stop", condition="said", target=group.TerminateTarget())
    writer.register_output_guardrail(stop)
    model.script_by(lambda request: Response("said"))
    start(writer)
    assert emission.tree() == ["invoke_workflow", *turn_of("writer", CHAT), "  guardrail stop"]
    assert handoffs(emission) == []


def test_an_llm_guardrail_whose_model_fails(model: ScriptedModel, emission: Emission) -> None:
    writer, safe = agent("writer", model), agent("safe", model)
    writer.register_output_guardrail(llm_guardrail("harmless", safe, model))
    model.script("said", Failure(400, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        start(writer, safe)
    recorded = attributes(emission, "guardrail harmless")
    assert recorded.pop("error.type")
    assert recorded == {"otel_agents.step.type": "guardrail"}
    assert SECRET not in emission.texts()
