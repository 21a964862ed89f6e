"""Guardrails: their verdicts and tries, on tasks and lone agents."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from crews import CHAT, agent, crew, task
from decided_steps import decisions

from otel_agents.testing.emission import Emission

SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")


def refusing(times: int, name: str = "is_short") -> Callable[[Any], tuple[bool, Any]]:
    """A guardrail that lets pass what comes after ``times`` refusals."""
    left = [times]

    def guardrail(output: Any) -> tuple[bool, Any]:
        left[0] -= 1
        return (False, SECRET) if left[0] >= 0 else (True, output.raw)

    guardrail.__name__ = name
    guardrail.__annotations__.clear()  # CrewAI compares them, and these are texts
    return guardrail


def test_a_guardrail_tells_its_verdict_and_its_try(llm: Any, emission: Emission) -> None:
    guarded = task(agent(llm, "Writer"), guardrail=refusing(2), guardrail_max_retries=3)
    crew(guarded).kickoff()
    assert decisions(emission) == [
        "guardrail is_short 1/4 failed",
        "guardrail is_short 2/4 failed",
        "guardrail is_short 3/4 passed",
    ]
    run = ["    invoke_agent Writer", f"      {CHAT}", "    guardrail is_short"]
    assert emission.tree() == ["invoke_workflow", "  task", *run * 3]
    spans = [span for span in emission.spans if span.name.startswith("guardrail")]
    types: list[Any] = [(span.attributes or {})["otel_agents.step.type"] for span in spans]
    assert types == ["guardrail"] * 3
    assert {span.status.status_code.name for span in spans} == {"UNSET"}
    assert SECRET not in emission.texts()


def test_each_run_of_a_task_counts_anew(llm: Any, emission: Emission) -> None:
    left = [1, 0, 1, 0]  # what CrewAI counts goes on from run to run
    guard: Callable[[Any], Any] = lambda output: (not left.pop(0), output.raw)
    one = crew(task(agent(llm, "Writer"), guardrail=guard))
    one.kickoff()
    one.kickoff()
    assert decisions(emission) == ["guardrail 1/4 failed", "guardrail 2/4 passed"] * 2


def test_a_guardrail_that_never_lets_pass(llm: Any, emission: Emission) -> None:
    guarded = task(agent(llm, "Writer"), guardrail=refusing(9), guardrail_max_retries=1)
    with pytest.raises(Exception, match="guardrail"):
        crew(guarded).kickoff()
    assert decisions(emission) == ["guardrail is_short 1/2 failed", "guardrail is_short 2/2 failed"]


def test_several_guardrails_are_counted_each(llm: Any, emission: Emission) -> None:
    rails = [refusing(1, "is_short"), refusing(1, "is_kind")]
    crew(task(agent(llm, "Writer"), guardrails=rails)).kickoff()
    assert decisions(emission) == [
        "guardrail is_short 1/4 failed",
        "guardrail is_short 2/4 passed",
        "guardrail is_kind 1/4 failed",
        "guardrail is_kind 2/4 passed",
    ]


def test_the_guardrail_of_a_lone_agent(llm: Any, emission: Emission) -> None:
    alone = agent(llm, "Writer", guardrail=refusing(1), guardrail_max_retries=2)
    alone.kickoff("hi")
    assert decisions(emission) == ["guardrail is_short 1/3 failed", "guardrail is_short 2/3 passed"]
    assert emission.tree()[0] == "invoke_agent Writer"


def test_a_guardrail_that_a_model_judges_has_no_name(llm: Any, emission: Emission) -> None:
    judges: Any = import_module("crewai.tasks.llm_guardrail")

    class Judge(judges.LLMGuardrail):
        def __call__(self, task_output: Any):
            return True, task_output.raw

    error_to_report = Judge(description=SECRET, llm=llm)
    crew(task(agent(llm, "Writer"), guardrail=error_to_report)).kickoff()
    assert decisions(emission) == ["guardrail 1/4 passed"]
    assert SECRET not in emission.texts()
