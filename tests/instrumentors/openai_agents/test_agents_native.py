"""Shell, patch and custom tools, which the SDK executes by the application's functions."""

from __future__ import annotations

from typing import Any

import pytest
from openai_agents_models import Scripted, reply
from openai_agents_runs import agents, assistant, finished

from otel_agents.testing.emission import Emission

SECRET = "planted-secret"


def shell_call(call_id: str = "call-1") -> Any:
    from openai.types.responses import ResponseFunctionShellToolCall

    return ResponseFunctionShellToolCall.model_validate(
        {
            "id": "sh-1",
            "call_id": call_id,
            "type": "shell_call",
            "status": "completed",
            "action": {"commands": [f"echo {SECRET}"]},
        }
    )


def shell(*, fails: bool = False, **more: Any) -> Any:
    def execute(request: Any) -> str:
        if fails:
            raise LookupError(SECRET)
        return SECRET

    return agents.ShellTool(executor=execute, **more)


def tools(emission: Emission) -> list[tuple[str, Any, Any]]:
    return [
        (span.name, found.get("gen_ai.tool.call.id"), found.get("error.type"))
        for span in emission.spans
        for found in [span.attributes or {}]
        if span.name.startswith("execute_tool")
    ]


@pytest.mark.parametrize("disabled", [False, True])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_a_shell(run: Any, emission: Emission, disabled: bool, fails: bool) -> None:
    model = Scripted([shell_call()], [reply("done")])
    config = agents.RunConfig(tracing_disabled=disabled)
    run(finished(assistant(tools=[shell(fails=fails)], own=model), run_config=config))
    error = ("_OTHER" if disabled else "LookupError") if fails else None
    assert tools(emission) == [("execute_tool shell", "call-1", error)]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.usefixtures("instrumented")
def test_a_shell_that_needs_approval(run: Any, emission: Emission, decision: str) -> None:
    model = Scripted([shell_call()], [reply("done")])
    agent = assistant(tools=[shell(needs_approval=True)], own=model)

    async def resumed() -> None:
        result = await finished(agent)
        assert tools(emission) == []
        state = result.to_state()
        getattr(state, decision)(result.interruptions[0])
        await finished(agent, state)

    run(resumed())
    executed = [("execute_tool shell", "call-1", None)]
    assert tools(emission) == (executed if decision == "approve" else [])
