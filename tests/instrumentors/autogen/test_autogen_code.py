"""Code that a model has written: executing it is a tool call, with any executor."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, agents, assistant, round_robin, turn

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CODE = "execute_tool code_execution"
SECRET = "planted-secret"
WRITTEN = f"Do it:\n```python\nprint('{SECRET}')\n```"
executors: Any = import_module("autogen_core.code_executor")


class Pretending(executors.CodeExecutor):
    """Return the code itself as its output."""

    def __init__(self, status: int = 0) -> None:
        self.status = status

    async def execute_code_blocks(self, code_blocks: Any, cancellation_token: Any) -> Any:
        output = "".join(block.code for block in code_blocks)
        return executors.CodeResult(exit_code=self.status, output=output)

    async def start(self) -> None:
        return None

    stop = restart = start


class Careful(Pretending):
    """Execute by calling its base class."""

    async def execute_code_blocks(self, code_blocks: Any, cancellation_token: Any) -> Any:
        return await Pretending.execute_code_blocks(self, code_blocks, cancellation_token)


async def executed(client: Any, executor: Any) -> None:
    writer = assistant("writer", client)
    await round_robin(writer, agents.CodeExecutorAgent("runner", executor)).run(task="go")


def attributes_of(emission: Emission) -> dict[str, Any]:
    (span,) = [span for span in emission.spans if span.name == CODE]
    attributes = dict(span.attributes or {})
    del attributes["gen_ai.conversation.id"]
    return attributes


KNOWN = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "code_execution",
    "gen_ai.tool.type": "extension",
    "gen_ai.agent.name": "runner",
}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.filterwarnings("ignore:No approval function:UserWarning")
@pytest.mark.parametrize("kind", [Pretending, Careful])
def test_code_is_executed_in_the_turn_of_its_agent(
    kind: Any,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    model.script(WRITTEN)
    run(executed(client, kind()))
    assert emission.tree() == ["invoke_workflow", *turn("writer"), *turn("runner", CODE)]
    assert attributes_of(emission) == KNOWN
    assert SECRET not in emission.texts()
    balanced()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.filterwarnings("ignore:No approval function:UserWarning")
def test_code_that_fails(run: Any, client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(WRITTEN)
    run(executed(client, Pretending(1)))
    assert attributes_of(emission) == {**KNOWN, "error.type": "_OTHER"}
    assert SECRET not in emission.texts()


@pytest.mark.filterwarnings("ignore:No approval function:UserWarning")
def test_content(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    model.script(WRITTEN)
    run(executed(client, Pretending()))
    attributes = attributes_of(emission)
    code = f"print('{SECRET}')\n"
    arguments, result = (
        json.loads(attributes.pop(f"gen_ai.tool.call.{name}")) for name in ("arguments", "result")
    )
    assert attributes == KNOWN
    assert arguments == {"code_blocks": [{"language": "python", "code": code}]}
    assert result == {"result": code}


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_executes_code_is_one_tool(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    tools: Any = import_module("autogen_ext.tools.code_execution")
    model.script(Response(tool_calls=[ToolCall("CodeExecutor", {"code": "1"})]), "well")
    tool = tools.PythonCodeExecutionTool(Pretending())
    run(assistant("first", client, tools=[tool]).run(task="go"))
    assert emission.tree() == turn("first", CHAT, "execute_tool CodeExecutor", depth=0)
