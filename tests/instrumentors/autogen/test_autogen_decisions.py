"""Selection of the next speaker, and the steps of an orchestrator, around their model calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_teams import CHAT, VERSION, assistant, teams, turn
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ModelRequest, Response, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Check = Callable[[], None]
RETRIES = pytest.mark.skipif(Version("0.4.6") > VERSION, reason="it does not retry")
CHOICE = ["  select_speaker", f"    {CHAT}"]


def steps(emission: Emission) -> list[dict[str, Any]]:
    """Return the steps' attributes in the order of their start, without the conversation's id."""
    ordered = sorted(emission.spans, key=lambda span: span.start_time or 0)
    found = [dict(span.attributes or {}) for span in ordered]
    return [
        {name: value for name, value in one.items() if name != "gen_ai.conversation.id"}
        for one in found
        if "otel_agents.step.type" in one
    ]


def step(type: str, outcome: str | None = None, **more: Any) -> dict[str, Any]:
    known = {"otel_agents.step.type": type, **more}
    return known if outcome is None else {**known, "otel_agents.step.outcome": outcome}


def choice(outcome: str, attempts: int) -> dict[str, Any]:
    return step("select_speaker", outcome, **{"otel_agents.step.count": attempts})


def selector(client: Any, **more: Any) -> Any:
    members = [assistant(name, client, description=name) for name in ("first", "second", "third")]
    return teams.SelectorGroupChat(members, client, **more)


def test_a_selector(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Check
) -> None:
    model.script("second", "here", "first", "there")
    run(selector(client, max_turns=2, allow_repeated_speaker=True).run(task="go"))
    assert emission.tree() == [
        *["invoke_workflow", *CHOICE, *turn("second")],
        *[*CHOICE, *turn("first")],
    ]
    assert steps(emission) == [choice("second", 1), choice("first", 1)]
    assert emission.traces() == 1
    balanced()


@RETRIES
def test_a_selector_that_retries(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Check
) -> None:
    model.script("nobody", "first and second", "second", "here")
    run(selector(client, max_turns=1).run(task="go"))
    assert emission.tree() == [
        *["invoke_workflow", "  select_speaker", *[f"    {CHAT}"] * 3],
        *turn("second"),
    ]
    assert steps(emission) == [choice("second", 3)]
    balanced()


@RETRIES
def test_a_selector_without_a_valid_response(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Check
) -> None:
    """The first member speaks, later the last speaker again: no response has selected them."""
    model.script(*["nobody"] * 3, "here", *["first"] * 3, "there")
    run(selector(client, max_turns=2).run(task="go"))
    attempts = ["  select_speaker", *[f"    {CHAT}"] * 3, *turn("first")]
    assert emission.tree() == ["invoke_workflow", *attempts, *attempts]
    undecided = {**choice("first", 3), "error.type": "undecided"}
    assert steps(emission) == [undecided] * 2
    balanced()


@pytest.mark.skipif(Version("0.4.6") <= VERSION, reason="it retries")
def test_a_selector_that_gives_up(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script("nobody")

    async def go() -> None:
        async for _ in selector(client, max_turns=1).run_stream(task="go"):
            pass

    with pytest.raises(Exception, match="exactly one agent"):
        run(go())
    failed: dict[str, Any] = {"otel_agents.step.count": 1, "error.type": "ValueError"}
    assert steps(emission) == [step("select_speaker", None, **failed)]


def test_a_function_that_selects(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Check
) -> None:
    def select(messages: Any) -> str | None:
        return "third" if len(messages) == 1 else None

    model.script("here", "first", "there")
    run(selector(client, max_turns=2, selector_func=select).run(task="go"))
    assert emission.tree() == [
        *["invoke_workflow", "  select_speaker", *turn("third")],
        *[*CHOICE, *turn("first")],
    ]
    assert steps(emission) == [step("select_speaker", "third"), choice("first", 1)]
    balanced()


@pytest.mark.skipif(Version("0.5") > VERSION, reason="no candidates")
def test_a_function_that_leaves_one_candidate(
    run: Any, client: Any, emission: Emission, balanced: Check
) -> None:
    def third(messages: Any) -> list[str]:
        return ["third"]

    run(selector(client, max_turns=1, candidate_func=third).run(task="go"))
    assert emission.tree() == ["invoke_workflow", "  select_speaker", *turn("third")]
    assert steps(emission) == [step("select_speaker", "third")]
    balanced()


class Ledgers:
    """Respond with one ledger after the other, and to any other request with a word."""

    def __init__(self, *ledgers: dict[str, Any]) -> None:
        self._ledgers = list(ledgers)

    def __call__(self, request: ModelRequest) -> Response:
        if "is_request_satisfied" not in str(request.body["messages"][-1]):
            return Response("well")
        ledger = self._ledgers.pop(0) if len(self._ledgers) > 1 else self._ledgers[0]
        entries = {
            "is_request_satisfied": False,
            "is_progress_being_made": True,
            "is_in_loop": False,
            "instruction_or_question": "go",
            "next_speaker": "worker",
            **ledger,
        }
        return Response(
            json.dumps({key: {"answer": a, "reason": ""} for key, a in entries.items()})
        )


def orchestrated(client: Any, **more: Any) -> Any:
    worker = assistant("worker", client, description="d")
    return teams.MagenticOneGroupChat([worker], client, **more)


def step_lines(type: str, times: int = 1) -> list[str]:
    return [f"  {type}", *[f"    {CHAT}"] * times]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of AutoGen itself
def test_an_orchestrator(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Check
) -> None:
    stalled = {"is_progress_being_made": False}
    model.script_by(Ledgers({}, stalled, {}, {"is_request_satisfied": True}))
    run(orchestrated(client, max_stalls=1).run(task="go"))
    assert emission.tree() == [
        "invoke_workflow",
        *[*step_lines("facts"), *step_lines("plan"), *step_lines("ledger"), *turn("worker")],
        *[*step_lines("ledger"), *step_lines("replan", 2), *step_lines("ledger"), *turn("worker")],
        *[*step_lines("ledger"), *step_lines("final_answer")],
    ]
    assert steps(emission) == [
        *[step("facts"), step("plan"), step("ledger", "worker")],
        *[step("ledger", "stalled"), step("replan"), step("ledger", "worker")],
        *[step("ledger", "satisfied"), step("final_answer")],
    ]
    assert emission.traces() == 1
    balanced()


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_an_orchestrator_that_runs_out_of_rounds(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(Ledgers({}))
    run(orchestrated(client, max_turns=1).run(task="go"))
    assert steps(emission) == [
        *[step("facts"), step("plan"), *[step("ledger", "worker")] * 2],
        step("final_answer"),
    ]


@pytest.mark.skipif(Version("0.4.6") > VERSION, reason="a failure is not reported, and it waits")
def test_a_step_that_fails(run: Any, client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script("well", Failure(400, message="planted-secret"))
    with pytest.raises(Exception, match="planted-secret"):
        run(orchestrated(client).run(task="go"))
    assert emission.tree() == ["invoke_workflow", *step_lines("facts"), *step_lines("plan")]
    first, second = steps(emission)
    assert first == step("facts")
    assert second.pop("error.type")
    assert second == step("plan")
    assert "planted-secret" not in emission.texts()


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.skipif(Version("0.4.6") > VERSION, reason="a failure is not reported, and it waits")
def test_an_invalid_ledger(run: Any, client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script_by(Ledgers({}, {"next_speaker": "nobody"}))
    two = [assistant(name, client, description="d") for name in ("worker", "other")]
    with pytest.raises(RuntimeError, match="parse ledger"):  # the team's error for it
        run(teams.MagenticOneGroupChat(two, client).run(task="go"))
    assert steps(emission)[3] == step("ledger", **{"error.type": "ValueError"})
