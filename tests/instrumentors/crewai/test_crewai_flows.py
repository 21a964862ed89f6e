"""Flows: crews and streams in one trace, human input and feedback, resumption."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crew_fixtures import conversations
from crews import CHAT, agent, crew, run_of, task
from decided_steps import decisions

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")
flows: Any = import_module("crewai.flow.flow")
kept: Any = import_module("crewai.flow.persistence")


def report(llm: Any, *, stream: bool = False) -> Any:
    """Return a flow whose first method runs a crew, which may stream."""

    class Report(flows.Flow):
        @flows.start()
        def collect(self) -> str:
            run = crew(task(agent(llm, "Writer")), stream=stream).kickoff()
            return "".join(chunk.content for chunk in run) if stream else str(run.raw)

        @flows.listen(collect)
        async def publish(self, text: str) -> str:
            run = await crew(task(agent(llm, "Editor")), stream=stream).akickoff()
            if not stream:
                return str(run.raw)
            return "".join([chunk.content async for chunk in run])

    return Report


TREE = [
    "invoke_workflow Report",
    "  method collect",
    "    invoke_workflow",
    *run_of("Writer", depth=3),
    "  method publish",
    "    invoke_workflow",
    *run_of("Editor", depth=3),
]


@pytest.mark.parametrize("stream", [False, True])
def test_crews_in_a_flow(stream: bool, llm: Any, model: ScriptedModel, emission: Emission) -> None:
    report(llm, stream=stream)().kickoff()
    assert emission.tree() == TREE
    assert model.ledger.requests == 2
    assert conversations(emission) == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_streaming_flow(stream: bool, llm: Any, model: ScriptedModel, emission: Emission) -> None:
    one = report(llm, stream=stream)()
    one.stream = True
    session = one.kickoff()
    assert emission.spans == ()
    assert list(session)
    assert emission.tree() == TREE
    assert model.ledger.requests == 2


def test_an_asynchronous_streaming_flow(llm: Any, emission: Emission) -> None:
    async def main() -> None:
        one = report(llm)()
        one.stream = True
        session = await one.kickoff_async()
        assert [frame async for frame in session]

    asyncio.run(main())
    assert emission.tree() == TREE


def test_the_turns_of_a_conversational_flow_are_one_conversation(emission: Emission) -> None:
    class Chat(flows.Flow):
        conversational = True

        @flows.listen("converse")
        def unused(self) -> None: ...

    chat = Chat()
    for message in ("hello", "again"):
        chat.handle_turn(message, session_id="session-1")
    ids = {value for name, value in conversations(emission) if name.startswith("invoke_workflow")}
    assert ids == {"session-1"}
    assert emission.traces() == 2


@pytest.mark.parametrize(("reply", "outcome"), [(SECRET, "answered"), (None, "unanswered")])
def test_human_input_of_a_flow(reply: str | None, outcome: str, emission: Emission) -> None:
    class Patient:
        def request_input(self, message: str, flow: Any, metadata: Any = None) -> str | None:
            return reply

    class Interview(flows.Flow):
        @flows.start()
        def collect(self) -> str | None:
            return self.ask(SECRET)

    assert Interview(input_provider=Patient()).kickoff() == reply
    assert emission.tree() == ["invoke_workflow Interview", "  method collect", "    human_input"]
    assert decisions(emission) == [f"human_input {outcome}"]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("typed_text", [SECRET, ""])
def test_feedback_is_read_as_an_outcome(
    typed_text: str,
    llm: Any,
    model: ScriptedModel,
    emission: Emission,
    typed: Callable[[str], None],
) -> None:
    human: Any = import_module("crewai.flow.human_feedback")
    model.script(Response('{"outcome": "rejected"}'))

    class Review(flows.Flow):
        @flows.start()
        @human.human_feedback(message="Good?", emit=["approved", "rejected"], llm=llm)
        def draft(self) -> str:
            return SECRET

        @flows.listen("rejected")
        def redraft(self) -> None: ...

        @flows.listen("approved")
        def publish(self) -> None: ...

    typed(f"{typed_text}\n")
    Review().kickoff()
    if typed_text:
        after, read = "redraft", ["    feedback", f"      {CHAT}"]
        decided = ["method draft rejected", "human_input feedback", "feedback rejected"]
    else:  # the first outcome, without a model call
        after, read = "publish", []
        decided = ["method draft approved", "human_input skipped"]
    draft = ["  method draft", "    human_input", *read]
    assert emission.tree() == ["invoke_workflow Review", *draft, f"  method {after}"]
    assert decisions(emission) == decided
    assert SECRET not in emission.texts()


def test_a_flow_waits_for_feedback_and_is_resumed(emission: Emission, tmp_path: Path) -> None:
    waiting: Any = import_module("crewai.flow.async_feedback.types")

    class Later:
        def request_feedback(self, context: Any, flow: Any) -> str:
            raise waiting.HumanFeedbackPending(context=context)

    human: Any = import_module("crewai.flow.human_feedback")

    class Review(flows.Flow):
        @flows.start()
        @human.human_feedback(message="Is it good?", provider=Later())
        def draft(self) -> str:
            return "draft"

        @flows.listen(draft)
        def publish(self) -> str:
            return "published"

    persistence = kept.SQLiteFlowPersistence(str(tmp_path / "flows.db"))
    one = Review(persistence=persistence)
    one.kickoff()
    again = Review.from_pending(one.flow_id, persistence)
    assert again.resume(SECRET) == "published"
    assert emission.tree() == [
        "invoke_workflow Review",
        "  method draft",
        "invoke_workflow Review",
        "  method publish",
    ]
    ids = {value for _, value in conversations(emission)}
    assert (ids, len(conversations(emission))) == ({one.flow_id}, 4)
    assert {span.status.status_code.name for span in emission.spans} == {"UNSET"}
    assert SECRET not in emission.texts()
