"""Shell, patch and custom tools, which the SDK executes by the application's functions."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from message_parts import blob
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseComputerToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
)
from openai.types.responses.response_output_item import LocalShellCall
from openai_agents_models import Scripted, reply
from openai_agents_runs import VERSION, agents, assistant, finished, started
from packaging.version import Version

from otel_agents.testing.emission import Emission

SECRET = "planted-secret"
PICTURE = base64.b64encode(b"a picture of the screen").decode()


def shell_call(call_id: str = "call-1") -> Any:
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


def local_shell() -> Any:
    def execute(request: Any) -> str:
        return SECRET

    return agents.LocalShellTool(executor=execute)


def local_shell_call() -> Any:
    action: dict[str, Any] = {"type": "exec", "command": ["echo", SECRET], "env": {}}
    return LocalShellCall.model_validate(
        {
            "id": "ls-1",
            "call_id": "call-1",
            "type": "local_shell_call",
            "status": "completed",
            "action": action,
        }
    )


class Editor:
    def create_file(self, operation: Any) -> Any:
        return agents.ApplyPatchResult(status="completed", output=SECRET)

    update_file = delete_file = create_file


def patch() -> Any:
    return agents.ApplyPatchTool(editor=Editor())


def patch_call() -> Any:
    operation = {"type": "create_file", "path": "a.txt", "diff": f"+{SECRET}"}
    return ResponseApplyPatchToolCall.model_validate(
        {
            "id": "ap-1",
            "call_id": "call-1",
            "type": "apply_patch_call",
            "status": "completed",
            "operation": operation,
        }
    )


class Screen(agents.Computer):
    environment = "browser"
    dimensions = (1, 1)

    def screenshot(self) -> str:
        return PICTURE

    def _act(self, *args: Any, **more: Any) -> None: ...

    click = double_click = scroll = type = wait = move = keypress = drag = _act


def computer() -> Any:
    return agents.ComputerTool(computer=Screen())


def computer_call() -> Any:
    return ResponseComputerToolCall.model_validate(
        {
            "id": "cu-1",
            "call_id": "call-1",
            "type": "computer_call",
            "status": "completed",
            "pending_safety_checks": [],
            "action": {"type": "type", "text": SECRET},
        }
    )


def refuse(context: Any, item: Any) -> Any:
    return {"approve": False, "reason": SECRET}


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
    unknown = disabled or Version("0.9") > VERSION  # the SDK's own span catches the error
    error = ("_OTHER" if unknown else "LookupError") if fails else None
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


@pytest.mark.usefixtures("instrumented")
def test_a_shell_that_is_rejected_at_once(run: Any, emission: Emission) -> None:
    own = Scripted([shell_call()], [reply("done")])
    tool = shell(needs_approval=True, on_approval=refuse)
    assert run(finished(assistant(tools=[tool], own=own))).final_output == "done"
    assert tools(emission) == []
    assert SECRET not in emission.texts()


KINDS = [
    (local_shell, local_shell_call, "local_shell"),
    (patch, patch_call, "apply_patch"),
    (computer, computer_call, "computer_use_preview"),
]


@pytest.mark.parametrize("start", [finished, started])
@pytest.mark.parametrize(("tool", "requested", "name"), KINDS)
@pytest.mark.usefixtures("instrumented")
def test_other_tools(
    run: Any, start: Any, emission: Emission, tool: Any, requested: Any, name: str
) -> None:
    run(start(assistant(tools=[tool()], own=Scripted([requested()], [reply("done")]))))
    ((found, call_id, error),) = tools(emission)
    assert found in (f"execute_tool {name}", "execute_tool computer")
    assert (call_id, error) == ("call-1", None)
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("start", [finished, started])
@pytest.mark.parametrize("disabled", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_what_a_tool_raises_is_emitted_once(
    run: Any, start: Any, emission: Emission, disabled: bool
) -> None:
    def execute(request: Any) -> str:
        raise LookupError(SECRET)

    agent = assistant(
        tools=[agents.LocalShellTool(executor=execute)], own=Scripted([local_shell_call()])
    )
    with pytest.raises(LookupError):
        run(start(agent, run_config=agents.RunConfig(tracing_disabled=disabled)))
    failed = [
        span.name
        for span in emission.spans
        if (span.attributes or {}).get("error.type") == "LookupError"
    ]
    assert failed == ["execute_tool local_shell", "invoke_agent guide"]
    assert [found["exception.type"] for _, found in emission.events] == ["LookupError"]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("with_content")
def test_a_screenshot_is_described_and_not_recorded(run: Any, emission: Emission) -> None:
    own = Scripted([computer_call()], [reply("done")])
    run(finished(assistant(tools=[computer()], own=own)))
    (found,) = [
        {name: str(value) for name, value in (span.attributes or {}).items()}
        for span in emission.spans
        if "execute_tool" in span.name
    ]
    assert json.loads(found["gen_ai.tool.call.arguments"])["action"]["text"] == SECRET
    (part,) = json.loads(found["gen_ai.tool.call.result"])["result"]
    assert part == blob(base64.b64decode(PICTURE))
    assert PICTURE not in emission.texts()


def custom_call() -> Any:
    return ResponseCustomToolCall(
        type="custom_tool_call", call_id="call-1", name="translate", input=SECRET
    )


def translate(**more: Any) -> Any:
    async def invoke(context: Any, text: str) -> str:
        return text[::-1]

    return agents.CustomTool("translate", "Translates.", on_invoke_tool=invoke, **more)


@pytest.mark.skipif(Version("0.14") > VERSION, reason="there were no custom tools")
@pytest.mark.parametrize("start", [finished, started])
@pytest.mark.usefixtures("with_content")
def test_a_custom_tool(run: Any, start: Any, emission: Emission) -> None:
    own = Scripted([custom_call()], [reply("done")])
    run(start(assistant(tools=[translate()], own=own)))
    assert emission.tree() == [
        "invoke_agent guide",
        "  chat own-model",
        "  execute_tool translate",
        "  chat own-model",
    ]
    (found,) = [dict(span.attributes or {}) for span in emission.spans if "tool" in span.name]
    assert json.loads(str(found.pop("gen_ai.tool.call.arguments"))) == {"input": SECRET}
    assert json.loads(str(found.pop("gen_ai.tool.call.result"))) == {"result": SECRET[::-1]}
    assert found == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "translate",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call-1",
        "gen_ai.agent.name": "guide",
    }


@pytest.mark.skipif(Version("0.14") > VERSION, reason="there were no custom tools")
@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.usefixtures("instrumented")
def test_a_custom_tool_that_needs_approval(run: Any, emission: Emission, decision: str) -> None:
    model = Scripted([custom_call()], [reply("done")])
    agent = assistant(tools=[translate(needs_approval=True)], own=model)

    async def resumed() -> None:
        result = await finished(agent)
        assert tools(emission) == []
        state = result.to_state()
        getattr(state, decision)(result.interruptions[0])
        await finished(agent, state)

    run(resumed())
    executed = [("execute_tool translate", "call-1", None)]
    assert tools(emission) == (executed if decision == "approve" else [])
    assert SECRET not in emission.texts()
