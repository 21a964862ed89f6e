"""Tools and code: what was executed, by which agent, for which call, and with which result."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conversations import CHAT, agent, autogen, calculator, executor, talk, turn_of
from opentelemetry.sdk.trace import ReadableSpan

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

coding: Any = import_module("autogen.coding")
SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")


def calls_to(*names: str) -> Response:
    return Response(tool_calls=[ToolCall(name, {"a": SECRET}) for name in names])


def echo(a: str) -> str:
    return a


def broken(a: str) -> str:
    raise LookupError(a)


async def abroken(a: str) -> str:
    raise LookupError(a)


def tools(emission: Emission) -> list[ReadableSpan]:
    return [span for span in emission.spans if span.name.startswith("execute_tool")]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_tool_that_one_agent_executes_for_another(
    asynchronous: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script(calls_to("calculate", "calculate"))
    assistant, user = calculator(model, echo)
    result = talk(user, assistant, max_turns=2, asynchronous=asynchronous)
    (calls,) = [m["tool_calls"] for m in result.chat_history if m.get("tool_calls")]
    assert [attributes(span) for span in tools(emission)] == [
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "calculate",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": "Calculates.",
            "gen_ai.tool.call.id": call["id"],
            "gen_ai.agent.name": "user",
            "otel_agents.tool.caller": "assistant",
        }
        for call in calls
    ]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("tool", [broken, abroken])
def test_a_failing_tool_fails_its_own_span_only(
    tool: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(calls_to("calculate"))
    assistant, user = calculator(model, tool)
    result = talk(user, assistant, max_turns=2)
    assert SECRET in result.chat_history[2]["content"]
    failed = [span for span in emission.spans if span.status.status_code.name == "ERROR"]
    assert [(span.name, attributes(span)["error.type"]) for span in failed] == [
        ("execute_tool calculate", "LookupError")
    ]
    assert SECRET not in emission.texts()


def test_a_failing_plain_function_has_no_error_class(emission: Emission) -> None:
    user = executor()
    user.register_function({"calculate": broken})
    assert user.function_map == {"calculate": broken}
    user.execute_function({"name": "calculate", "arguments": '{"a": "1"}'})
    assert attributes(emission.span)["error.type"] == "_OTHER"


def test_a_registered_function_keeps_its_signature(model: ScriptedModel) -> None:
    for tool, kind in ((echo, False), (abroken, True)):
        user = calculator(model, tool)[1]
        registered = user.function_map["calculate"]
        assert inspect.iscoroutinefunction(registered) is kind
        assert inspect.unwrap(registered) is inspect.unwrap(getattr(tool, "func", tool))
        assert inspect.signature(registered) == inspect.signature(registered.__wrapped__)


def test_an_unknown_tool_is_not_executed(model: ScriptedModel, emission: Emission) -> None:
    model.script(calls_to(SECRET))
    assistant, user = calculator(model, echo)
    talk(user, assistant, max_turns=2)
    assert tools(emission) == []
    assert SECRET not in emission.texts()


class OverridingAgent(autogen.ConversableAgent):
    """An agent that overrides the execution of tools."""

    def execute_function(self, *args: Any, **kwargs: Any) -> Any:
        base: Any = super()
        return base.execute_function(*args, **kwargs)


def test_an_overridden_execution_is_one_span(emission: Emission) -> None:
    overriding = OverridingAgent("careful", llm_config=False, human_input_mode="NEVER")
    overriding.register_for_execution(name="calculate")(echo)
    overriding.execute_function({"name": "calculate", "arguments": '{"a": "1"}'})
    assert emission.tree() == ["execute_tool calculate"]
    assert attributes(emission.span)["gen_ai.agent.name"] == "careful"


@pytest.mark.parametrize("with_executor", [True, False])
@pytest.mark.parametrize("exits", ["", "raise SystemExit(3)"])
def test_code_execution(
    exits: str, with_executor: bool, model: ScriptedModel, emission: Emission, tmp_path: Path
) -> None:
    model.script(Response(f"```python\nprint('{SECRET}')\n{exits}\n```"))
    how: dict[str, Any] = (
        {"executor": coding.LocalCommandLineCodeExecutor(work_dir=tmp_path)}
        if with_executor
        else {"use_docker": False, "work_dir": str(tmp_path)}
    )
    user = executor(code_execution_config=how)
    result = talk(user, agent("coder", model), max_turns=2)
    assert f"exitcode: {3 if exits else 0}" in result.chat_history[2]["content"]
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("coder", CHAT),
        *turn_of("user", "execute_tool code_execution"),
        *turn_of("coder", CHAT),
    ]
    (code,) = tools(emission)
    assert attributes(code) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "code_execution",
        "gen_ai.tool.type": "extension",
        "gen_ai.agent.name": "user",
        **({"error.type": "_OTHER"} if exits else {}),
    }
    assert SECRET not in emission.texts()
