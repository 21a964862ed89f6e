"""One run, one trace: every kind of chat, with every child in the turn that made it."""

from __future__ import annotations

import asyncio

import pytest
from conversations import CHAT, calculator, turn_of
from emission import Emission

from otel_agents.distro.scripted_model import Answer, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

CALCULATION = [
    "invoke_workflow",
    *turn_of("assistant", CHAT),
    *turn_of("user", "execute_tool calculate"),
    *turn_of("assistant", CHAT),
]


def plus(a: int, b: int) -> int:
    return a + b


@pytest.fixture(autouse=True)
def script(model: ScriptedModel) -> None:
    model.script(Answer(tool_calls=[ToolCall("calculate", {"a": 1, "b": 2})]), Answer("3"))


def test_a_chat_with_a_tool(model: ScriptedModel, emission: Emission) -> None:
    assistant, user = calculator(model, plus)
    user.initiate_chat(assistant, message="1 + 2?", max_turns=2, silent=True)
    assert emission.tree() == CALCULATION
    assert emission.traces() == 1


def test_a_chat_with_a_tool_asynchronously(model: ScriptedModel, emission: Emission) -> None:
    async def aplus(a: int, b: int) -> int:
        return a + b

    assistant, user = calculator(model, aplus)
    asyncio.run(user.a_initiate_chat(assistant, message="1 + 2?", max_turns=2, silent=True))
    assert emission.tree() == CALCULATION
    assert emission.traces() == 1
