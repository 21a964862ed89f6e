"""Tool calls that are announced and not executed, because of a hook or a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import pytest
from crews import CHAT, agent, crew, crewai, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

HOOKS = find_spec("crewai.hooks") is not None
NATIVE = hasattr(import_module("crewai.utilities.agent_utils"), "convert_tools_to_openai_schema")
WIPE = "execute_tool wipe_disk"
ACTION = 'Thought: I must.\nAction: wipe_disk\nAction Input: {"path": "PATH"}\n'

pytestmark = pytest.mark.usefixtures("instrumented")


class Disk:
    """A tool that keeps what it did."""

    def __init__(self, **more: Any) -> None:
        self.wiped: list[str] = []

        def wipe_disk(path: str) -> str:
            """Wipe a disk."""
            self.wiped.append(path)
            return "wiped"

        tools: Any = import_module("crewai.tools")
        self.tool = tools.tool("wipe_disk", **more)(wipe_disk)


def unable(llm: Any) -> bool:
    """Make the model's class support no native tool calls."""
    return False


@pytest.fixture(params=["native", "text"])
def script_calls(
    request: pytest.FixtureRequest,
    llm: Any,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., None]:
    """Return a function that scripts calls of the tool, in either protocol."""
    if request.param == "text":
        kind = cast("type[Any]", type(llm))
        monkeypatch.setattr(kind, "supports_function_calling", unable)
    elif not NATIVE:
        pytest.skip("this version knows the other protocol alone")

    def script_paths(*paths: str) -> None:
        if request.param == "native":
            responses = [
                Response(tool_calls=[ToolCall("wipe_disk", {"path": path})]) for path in paths
            ]
        else:
            responses = [Response(ACTION.replace("PATH", path)) for path in paths]
        last = Response("Thought: done.\nFinal Answer: done")
        model.script(*responses, last)

    return script_paths


@pytest.fixture
def forbidding() -> Iterator[None]:
    """Register a hook that forbids one path."""
    hooks: Any = import_module("crewai.hooks")

    def policy(context: Any) -> bool | None:
        return False if context.tool_input.get("path") == "/" else None

    hooks.register_before_tool_call_hook(policy)
    yield
    hooks.unregister_before_tool_call_hook(policy)


def executed(emission: Emission) -> int:
    """Return the executions; check that none is an error."""
    spans = [span for span in emission.spans if span.name == WIPE]
    assert not [span.name for span in spans if not span.status.is_unset]
    return len(spans)


@pytest.mark.skipif(not HOOKS, reason="this version has no hooks")
@pytest.mark.usefixtures("forbidding")
def test_what_a_hook_forbids_is_not_executed(
    llm: Any, script_calls: Callable[..., None], emission: Emission
) -> None:
    disk = Disk()
    script_calls("/", "/tmp")
    crew(task(agent(llm, "Operator", tools=[disk.tool]))).kickoff()
    assert disk.wiped == ["/tmp"]
    calls = (CHAT, CHAT, WIPE, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Operator", *calls)]
    assert executed(emission) == 1


def test_what_a_limit_refuses_is_not_executed(
    llm: Any, script_calls: Callable[..., None], emission: Emission
) -> None:
    disk = Disk(max_usage_count=1)
    script_calls("/a", "/b")
    crew(task(agent(llm, "Operator", tools=[disk.tool]))).kickoff()
    assert disk.wiped == ["/a"]
    calls = (CHAT, WIPE, CHAT, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Operator", *calls)]
    assert executed(emission) == 1


@pytest.mark.skipif(not HOOKS or not NATIVE, reason="this version has only one of the two")
def test_the_tool_within_which_one_is_forbidden_is_executed(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    """An agent calls another one by a tool that has the name of the other's tool."""
    hooks: Any = import_module("crewai.hooks")
    disk = Disk()

    def wipe_disk(path: str) -> str:
        """Have another agent wipe a disk."""
        model.script(Response(ACTION.replace("PATH", "/")), Response("Final Answer: refused"))
        text = crewai.LLM(model="gpt-4o-mini", base_url=model.openai_url, api_key="none")
        object.__setattr__(text, "supports_function_calling", lambda: False)
        return str(agent(text, "Other", tools=[disk.tool]).kickoff("wipe").raw)

    def policy(context: Any) -> bool | None:
        return False if context.tool_input.get("path") == "/" else None

    hooks.register_before_tool_call_hook(policy)
    outer = import_module("crewai.tools").tool("wipe_disk")(wipe_disk)
    model.script(Response(tool_calls=[ToolCall("wipe_disk", {"path": "/tmp"})]))
    try:
        crew(task(agent(llm, "Operator", tools=[outer]))).kickoff()
    finally:
        hooks.unregister_before_tool_call_hook(policy)
    assert disk.wiped == []
    assert executed(emission) == 1
