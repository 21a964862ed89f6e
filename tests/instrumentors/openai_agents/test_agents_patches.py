"""Observe, never change: results, types, processors and functions are as without us."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from openai_agents_models import Scripted, reply
from openai_agents_runs import CHAT, agents, assistant, finished, started, weather

from otel_agents.instrumentors import openai_agents
from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
from otel_agents.testing.emission import Emission

Runs = pytest.mark.parametrize("start", [finished, started])
spans: Any = import_module("agents.tracing.spans")
runners: Any = import_module("agents.run")
RUNNER = getattr(runners, "AgentRunner", runners.Runner)


def functions() -> list[Any]:
    names = ("start", "finish", "set_error", "__exit__")
    kinds = (spans.SpanImpl, spans.NoOpSpan)
    return [RUNNER.__dict__["run"], *(kind.__dict__[name] for kind in kinds for name in names)]


def test_everything_is_restored(instrument: Callable[..., None]) -> None:
    before = functions()
    instrument()
    assert all(now is not then for now, then in zip(functions(), before, strict=True))
    OpenAIAgentsInstrumentor().uninstrument()
    assert functions() == before
    instrument()  # for the fixture, which uninstruments


@pytest.mark.usefixtures("instrumented")
def test_functions_look_and_copy_as_before() -> None:
    run = agents.Runner.run
    assert inspect.iscoroutinefunction(run)
    assert "starting_agent" in inspect.signature(run).parameters
    assert copy.deepcopy(RUNNER.run) is not None
    assert pickle.loads(pickle.dumps(spans.SpanImpl.start)) is spans.SpanImpl.start


@Runs
@pytest.mark.usefixtures("instrumented")
def test_results_have_the_sdks_types(run: Any, start: Any) -> None:
    result = run(start(assistant(own=Scripted([reply("Sunny.")]))))
    assert type(result) is (agents.RunResult if start is finished else agents.RunResultStreaming)
    assert result.final_output == "Sunny."


@Runs
def test_an_error_of_ours_does_not_reach_the_application(
    run: Any, start: Any, instrument: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    instrument()
    logged: list[str] = []
    errors: Any = import_module("otel_agents.instrumentors._core.errors")
    monkeypatch.setattr(errors, "internal_error", logged.append)
    for module, name in (("_runs", "InvokeAgent"), ("_tools", "ExecuteTool")):
        broken = import_module(f"{openai_agents.__name__}.{module}")
        monkeypatch.setattr(broken, name, None)
    assert run(start(assistant(tools=[weather]))).final_output
    assert set(logged) == {"starting an operation"}


@pytest.mark.usefixtures("instrumented")
def test_runs_at_once(run: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    async def both() -> None:
        await asyncio.gather(
            *(start(assistant(tools=[weather])) for start in (finished, started, finished))
        )

    run(both())
    one = ["invoke_agent guide", f"  {CHAT}", "  execute_tool weather", f"  {CHAT}"]
    assert emission.tree() == one * 3
    assert emission.traces() == 3
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_a_task_that_outlives_its_run(run: Any, emission: Emission) -> None:
    later: list[asyncio.Task[Any]] = []

    @agents.function_tool
    async def background() -> str:
        """Start something that goes on."""
        later.append(asyncio.create_task(finished(assistant("late"))))
        return "started"

    async def outlived() -> None:
        await finished(assistant(tools=[background]))
        await later[0]

    run(outlived())
    assert sorted(span.name for span in emission.spans if "chat" not in span.name) == [
        "execute_tool background",
        "invoke_agent guide",
        "invoke_agent late",
    ]
