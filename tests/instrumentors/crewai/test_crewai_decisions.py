"""What was decided: by routers, conditions and guardrails; and what kind of step each is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from importlib import import_module
from typing import Any

import pytest
from crews import agent, crew, run_of, task
from decided_steps import decisions

from otel_agents.testing.emission import Emission

SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")
flows: Any = import_module("crewai.flow.flow")
conditional: Any = import_module("crewai.tasks.conditional_task")


class Verdict(str, Enum):
    """What a router may return, too."""

    GOOD = "good"


class Checked(flows.Flow):
    """A flow that goes round once, and then on."""

    @flows.start()
    def draft(self) -> str:
        return SECRET

    @flows.router(draft)
    def check(self) -> str:
        return "again"

    @flows.listen("again")
    def redraft(self) -> str:
        return SECRET

    @flows.router(redraft)
    def recheck(self) -> str:
        return "good"

    @flows.listen("good")
    def publish(self) -> str:
        return SECRET


def test_a_router_tells_its_label(emission: Emission) -> None:
    Checked().kickoff()
    methods = ("draft", "check", "redraft", "recheck", "publish")
    tree = ["invoke_workflow Checked", *(f"  method {name}" for name in methods)]
    assert emission.tree() == tree
    assert decisions(emission) == ["method check again", "method recheck good"]
    assert SECRET not in emission.texts()


def test_a_method_says_that_it_is_one(emission: Emission) -> None:
    Checked().kickoff()
    methods = [span for span in emission.spans if span.name.startswith("method ")]
    types: list[Any] = [(span.attributes or {}).get("otel_agents.step.type") for span in methods]
    assert types == ["method"] * 5


def test_what_a_router_returns_is_told_only_where_the_flow_knows_it(emission: Emission) -> None:
    class Free(flows.Flow):
        @flows.start()
        def draft(self) -> str:
            return "good"  # a label, of a method that is no router

        @flows.router(draft)
        def check(self) -> str:
            return f"{SECRET} {self.__class__.__name__}"

        @flows.listen("good")
        def publish(self) -> None: ...

    Free().kickoff()
    assert emission.tree() == ["invoke_workflow Free", "  method draft", "  method check"]
    assert decisions(emission) == []
    assert SECRET not in emission.texts()


def test_a_label_may_be_a_member(emission: Emission) -> None:
    class Judged(flows.Flow):
        @flows.start()
        def draft(self) -> None: ...

        @flows.router(draft)
        def check(self) -> Verdict:
            return Verdict.GOOD

        @flows.listen("good")
        def publish(self) -> None: ...

    Judged().kickoff()
    assert decisions(emission) == ["method check good"]
    assert emission.tree()[-1] == "  method publish"


def sometimes(name: str, holds: bool, after: Any, **more: Any) -> Any:
    """A task that runs only where ``holds``."""
    condition: Callable[[Any], bool] = lambda output: holds
    return conditional.ConditionalTask(
        name=name,
        description="do it",
        expected_output="it",
        condition=condition,
        agent=after.agent,
        **more,
    )


def test_a_task_that_was_skipped_is_told(llm: Any, emission: Emission) -> None:
    for name, holds in (("edit", False), ("check", True)):
        first = task(agent(llm, "Writer"), name="write")
        crew(first, sometimes(name, holds, first)).kickoff()
    written = ["invoke_workflow", *run_of("Writer", name="write")]
    checked = run_of("Writer", name="check")
    assert emission.tree() == [*written, "  task edit", *written, *checked]
    assert decisions(emission) == ["task edit skipped"]
    (skipped,) = [span for span in emission.spans if span.name == "task edit"]
    assert dict(skipped.attributes or {}) == {
        "otel_agents.step.type": "task",
        "otel_agents.step.outcome": "skipped",
    }


def test_what_was_not_run_again_is_told(llm: Any, emission: Emission) -> None:
    first, last = (
        task(agent(llm, role), name=role, description=role) for role in ("Writer", "Editor")
    )
    one = crew(first, last)
    one.kickoff()
    assert decisions(emission) == []
    one.replay(str(last.id))
    assert decisions(emission) == ["task Writer stored"]
    stored, run = ["  task Writer"], run_of("Editor", name="Editor")
    assert emission.tree()[-5:] == ["invoke_workflow", *stored, *run]


def test_runs_for_each_input_are_numbered(llm: Any, emission: Emission) -> None:
    one = crew(task(agent(llm, "Writer")), name="chapter")
    inputs = [{"a": "1"}] * 3  # the same object: only the copies of the crew differ
    one.kickoff_for_each(inputs=inputs)
    numbered = [f"invoke_workflow chapter {n}/3" for n in (1, 2, 3)]
    assert decisions(emission) == numbered
    asyncio.run(one.kickoff_for_each_async(inputs=inputs))
    assert sorted(decisions(emission)[3:]) == numbered


def test_crews_side_by_side_in_a_method_are_numbered(llm: Any, emission: Emission) -> None:
    class Book(flows.Flow):
        @flows.start()
        async def chapters(self) -> None:
            crews = [crew(task(agent(llm, "Writer")), name="chapter") for _ in range(3)]
            # Each begins before the first one can end: `gather` starts them all at once.
            await asyncio.gather(*(one.kickoff_async(inputs={"a": SECRET}) for one in crews))

        @flows.listen(chapters)
        async def cover(self) -> None:
            await crew(task(agent(llm, "Painter")), name="cover").kickoff_async()
            await crew(task(agent(llm, "Painter")), name="cover").kickoff_async()

    asyncio.run(Book().kickoff_async())
    assert sorted(decisions(emission)) == [f"invoke_workflow chapter {n}" for n in (1, 2, 3)]
    assert emission.traces() == 1
    assert SECRET not in emission.texts()
