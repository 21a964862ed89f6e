"""One run, one trace: every mode of a crew, with each child below its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from crews import CHAT, agent, crew, crewai, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")


@pytest.fixture
def ledger(model: ScriptedModel, emission: Emission) -> Callable[[], None]:
    """Return a check that the model's spans are what was served, and agents have their sums."""

    def check() -> None:
        spans = [s for s in emission.spans if s.name.startswith("chat")]
        recorded: list[Any] = [(s.attributes or {})["gen_ai.usage.input_tokens"] for s in spans]
        assert sorted(recorded) == sorted(entry.input_tokens for entry in model.ledger.entries)
        agents = [s for s in emission.spans if s.name.startswith("invoke_agent")]
        sums: list[Any] = [(s.attributes or {})["gen_ai.usage.input_tokens"] for s in agents]
        assert sum(sums) == model.ledger.input_tokens

    return check


def pair(llm: Any, **more: Any) -> Any:
    first = task(agent(llm, "Researcher"), name="research")
    return crew(first, task(agent(llm, "Writer"), context=[first]), **more)


PAIR = ["invoke_workflow", *run_of("Researcher", name="research"), *run_of("Writer")]


def test_a_crew(llm: Any, emission: Emission, ledger: Callable[[], None]) -> None:
    pair(llm).kickoff()
    assert emission.tree() == PAIR
    ledger()


def test_a_task_has_its_step_type(llm: Any, emission: Emission) -> None:
    pair(llm).kickoff()
    steps = {s.name: dict(s.attributes or {}) for s in emission.spans if s.name.startswith("task")}
    expected = {"otel_agents.step.type": "task"}
    assert steps == {"task research": expected, "task": expected}


def test_a_crew_has_the_name_that_it_was_given(llm: Any, emission: Emission) -> None:
    crew(task(agent(llm, "Writer")), name="press").kickoff()
    assert emission.tree() == ["invoke_workflow press", *run_of("Writer")]


def test_a_role_is_recorded_without_inputs(llm: Any, emission: Emission) -> None:
    about = crew(task(agent(llm, "Expert of {topic}"), description="on {topic}"))
    about.kickoff(inputs={"topic": "planted-secret"})
    assert emission.tree() == ["invoke_workflow", *run_of("Expert of {topic}")]
    assert "planted-secret" not in emission.texts()


def test_kickoff_async(llm: Any, emission: Emission, ledger: Callable[[], None]) -> None:
    asyncio.run(pair(llm).kickoff_async())
    assert emission.tree() == PAIR
    ledger()


def test_kickoff_for_each(llm: Any, emission: Emission, ledger: Callable[[], None]) -> None:
    one = crew(task(agent(llm, "Writer")))
    one.kickoff_for_each(inputs=[{"a": "1"}, {"a": "2"}])
    inner = ["  " + line for line in ["invoke_workflow", *run_of("Writer")]]
    assert emission.tree() == ["kickoff_for_each", *inner, *inner]
    ledger()


def test_kickoff_for_each_async(llm: Any, emission: Emission, ledger: Callable[[], None]) -> None:
    one = crew(task(agent(llm, "Writer")))
    asyncio.run(one.kickoff_for_each_async(inputs=[{"a": "1"}, {"a": "2"}]))
    inner = ["  " + line for line in ["invoke_workflow", *run_of("Writer")]]
    assert emission.tree() == ["kickoff_for_each", *inner, *inner]
    ledger()


def test_tasks_in_parallel(llm: Any, emission: Emission, ledger: Callable[[], None]) -> None:
    tasks = [task(agent(llm, f"R{n}"), async_execution=n < 2) for n in range(3)]
    crew(*tasks).kickoff()
    lines = emission.tree()
    assert lines[0] == "invoke_workflow"
    runs = sorted(tuple(lines[n : n + 3]) for n in range(1, 10, 3))
    assert runs == [tuple(run_of(f"R{n}")) for n in range(3)]
    assert emission.traces() == 1
    ledger()


def test_two_crews_in_the_threads_of_an_application(
    llm: Any, emission: Emission, ledger: Callable[[], None]
) -> None:
    crews = [pair(llm), pair(llm)]
    with ThreadPoolExecutor(2) as pool:
        for running in [pool.submit(one.kickoff) for one in crews]:
            running.result()
    assert emission.traces() == 2
    assert emission.tree() == PAIR * 2
    ledger()


def test_a_refused_request_fails_the_run_and_is_recorded_once(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(lambda request: Failure(401, message="planted-secret"))
    with pytest.raises(Exception, match="planted-secret"):
        crew(task(agent(llm, "Writer"))).kickoff()
    errors = {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}
    assert all(errors.values())
    assert len([s for s in emission.spans if s.name == CHAT]) == model.ledger.requests
    assert "planted-secret" not in emission.texts()


def limited() -> Failure:
    return Failure(429, message="planted-secret", headers={"retry-after-ms": "1"})


def errors(emission: Emission, name: str) -> list[Any]:
    return [(s.attributes or {}).get("error.type") for s in emission.spans if s.name == name]


def test_a_rate_limit_that_passes_is_no_error_of_the_run(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(limited())
    crew(task(agent(llm, "Writer"))).kickoff()
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]
    assert errors(emission, CHAT) == [None]
    assert "planted-secret" not in emission.texts()
    (span,) = [span for span in emission.spans if span.name == CHAT]
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


def test_a_permanent_rate_limit(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script_by(lambda request: limited())
    with pytest.raises(Exception, match="planted-secret"):
        crew(task(agent(llm, "Writer", max_retry_limit=0))).kickoff()
    calls = errors(emission, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *[CHAT] * len(calls))]
    assert set(calls) == {"openai.RateLimitError"}
    assert model.ledger.requests == 3 * len(calls)  # the SDK sends two retries for each call
    assert all(all(errors(emission, span.name)) for span in emission.spans)
    assert "planted-secret" not in emission.texts()


def test_a_manager_delegates(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    worker = agent(llm, "Worker")
    managed = crewai.Crew(
        agents=[worker],
        tasks=[task(worker)],
        process=crewai.Process.hierarchical,
        manager_llm=llm,
    )
    managed.kickoff()
    lines = emission.tree()
    assert lines[:2] == ["invoke_workflow", "  task"]
    assert lines[2].startswith("    invoke_agent ")
    assert emission.traces() == 1
    assert len([line for line in lines if line.strip() == CHAT]) == model.ledger.requests
