"""Our error in any hook loses no span: for a chat with a tool, and for a refused request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversations import agent, calculator, executor, talk
from failing_hooks import check_failing_hooks

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

SDK_INSTRUMENTORS = {"sdk on": (OpenAIInstrumentor,), "sdk off": ()}


def echo(a: str) -> str:
    return a


def uses_a_tool(model: ScriptedModel) -> Any:
    model.script(Response(tool_calls=[ToolCall("calculate", {"a": "b"})]), Response("three"))
    assistant, user = calculator(model, echo)
    return talk(user, assistant, max_turns=2).summary


def is_refused(model: ScriptedModel) -> Any:
    model.script_by(lambda request: Failure(401))
    try:
        talk(executor(), agent("assistant", model), max_turns=1)
    except Exception as error:  # noqa: BLE001  the SDK's
        return type(error)


@pytest.mark.parametrize("run_scenario", [uses_a_tool, is_refused])
@pytest.mark.parametrize("sdk_instrumentors", SDK_INSTRUMENTORS.values(), ids=SDK_INSTRUMENTORS)
def test_our_error_loses_no_span(
    sdk_instrumentors: Any, run_scenario: Callable[..., Any], model: ScriptedModel
) -> None:
    broken_hooks = check_failing_hooks(
        AG2ClassicInstrumentor, lambda: run_scenario(model), *sdk_instrumentors
    )
    assert broken_hooks > 3
