"""Flows with persistence: a resumed flow continues its conversation."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crew_fixtures import conversations
from crews import CHAT

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")
flows: Any = import_module("crewai.flow.flow")
kept: Any = import_module("crewai.flow.persistence")


def counting(llm: Any) -> Any:
    """Return a class of flows that count their runs."""

    class Counting(flows.Flow):
        @flows.start()
        def count(self) -> int:
            self.state["n"] = self.state.get("n", 0) + 1
            llm.call("hi")
            return int(self.state["n"])

    return Counting


def test_runs_that_resume_a_persisted_flow_are_one_conversation(
    llm: Any, emission: Emission, tmp_path: Path
) -> None:
    kept_in = kept.SQLiteFlowPersistence(str(tmp_path / "flows.db"))
    persisted = kept.persist(kept_in)(counting(llm))
    first = persisted(persistence=kept_in)
    assert first.kickoff() == 1
    assert persisted(persistence=kept_in).kickoff(inputs={"id": first.flow_id}) == 2
    assert counting(llm)().kickoff() == 1
    run = ["invoke_workflow Counting", "  method count", f"    {CHAT}"]
    assert emission.tree() == run * 3
    expected = sorted((line.strip(), first.flow_id) for line in run * 2)
    assert conversations(emission) == expected
