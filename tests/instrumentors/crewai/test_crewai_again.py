"""A crew that is run again: from a later task on, to test it, to train it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task
from decided_steps import decisions

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")


def test_a_replay_is_a_run(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    first, last = (
        task(agent(llm, role), name=role, description=role) for role in ("Writer", "Editor")
    )
    one = crew(first, last)
    one.kickoff()
    one.replay(str(last.id))
    whole = [*run_of("Writer", name="Writer"), *run_of("Editor", name="Editor")]
    rest = run_of("Editor", name="Editor")
    again = ["invoke_workflow", "  task Writer", *rest]  # whose output is that of the first run
    assert emission.tree() == ["invoke_workflow", *whole, *again]
    assert (emission.traces(), model.ledger.requests) == (2, 3)


def test_a_test_is_one_trace(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    crew(task(agent(llm, "Writer"))).test(2, llm)
    evaluation = run_of("Task Execution Evaluator", depth=3)
    assert emission.tree() == [
        "test",
        *["  invoke_workflow", *run_of("Writer", depth=2), *evaluation] * 2,
    ]
    assert decisions(emission) == ["invoke_workflow 1/2", "invoke_workflow 2/2"]
    assert (emission.traces(), model.ledger.requests) == (1, 4)


def test_a_training_is_one_trace(
    llm: Any,
    model: ScriptedModel,
    emission: Emission,
    typed: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    typed("shorter\n")
    crew(task(agent(llm, "Writer"))).train(1, str(tmp_path / "trained.pkl"))
    learned = run_of("Writer", CHAT, "human_input", CHAT, depth=2)
    assert emission.tree() == ["train", "  invoke_workflow", *learned, f"  {CHAT}"]
    assert decisions(emission) == ["invoke_workflow 1/1", "human_input feedback"]
    assert emission.traces() == 1
