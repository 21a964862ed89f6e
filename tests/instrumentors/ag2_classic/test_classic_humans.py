"""Human input: one span in the human's turn, in every mode, for every input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import pytest
from conversations import (
    CHAT,
    OLDEST,
    agent,
    autogen,
    calculator,
    executor,
    talk,
    turn_of,
    turns,
)

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

SECRET = "planted-secret"
ASSISTANT = turn_of("assistant", CHAT)
HUMAN_INPUT = "human_input"
SKIP, NO_INPUT = "<enter>", "<nothing>"
END = "That is all. TERMINATE"


def echo(a: str) -> str:
    return a


class Terminal:
    """A terminal at which these lines are typed, one for each prompt."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def input(self, prompt: str = "") -> str:
        return self.lines.pop(0)


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Return a function that types lines at the terminal."""

    def types(*lines: str) -> Terminal:
        terminal = Terminal(*lines)
        monkeypatch.setattr("builtins.input", terminal.input)
        return terminal

    return types


def is_final(message: dict[str, Any]) -> bool:
    return "TERMINATE" in message["content"]


def human(mode: str, replies: int = 9, **more: Any) -> Any:
    """Return a human whose agent replies automatically that many times in a row."""
    known: dict[str, Any] = {
        "human_input_mode": mode,
        "max_consecutive_auto_reply": replies,
        "default_auto_reply": "go on",
        "is_termination_msg": is_final,
    }
    return executor("human", **known, **more)


# The mode, the number of automatic replies, the assistant's responses, and the input in each turn of
# the human: a typed line, enter for an automatic reply, or no prompt at all.
CASES: list[tuple[str, int, list[str], list[str]]] = [
    ("ALWAYS", 9, ["1"], ["exit"]),
    ("ALWAYS", 9, [END], [""]),
    ("ALWAYS", 9, ["1", "2"], [SECRET, "exit"]),
    ("ALWAYS", 9, ["1", "2"], [SKIP, "exit"]),
    ("ALWAYS", 9, [END, "2"], ["no", "exit"]),
    ("NEVER", 9, ["1", END], [NO_INPUT]),
    ("NEVER", 1, ["1", "2"], [NO_INPUT]),
    ("NEVER", 0, ["1"], []),
    ("TERMINATE", 9, [END], ["exit"]),
    ("TERMINATE", 9, ["1", END], [NO_INPUT, ""]),
    ("TERMINATE", 9, [END, END], [SECRET, ""]),
    ("TERMINATE", 0, ["1"], ["exit"]),
    ("TERMINATE", 1, ["1", "2", "3"], [NO_INPUT, SKIP, "exit"]),
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("mode", "replies", "responses", "inputs"), CASES)
def test_a_conversation_with_a_human(
    mode: str,
    replies: int,
    responses: list[str],
    inputs: list[str],
    asynchronous: bool,
    types: Callable[..., Terminal],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    checks = checks_per_turn(asynchronous)
    terminal = types(*typed_lines(inputs, checks))
    model.script(*map(Response, responses))
    user = human(mode, replies * checks)
    talk(user, agent("assistant", model), asynchronous=asynchronous)
    prompts = {NO_INPUT: [], SKIP: [HUMAN_INPUT] * checks}
    expected = ["invoke_workflow"]
    for _, what in zip_longest(responses, inputs):
        expected += ASSISTANT
        expected += turn_of("human", *prompts.get(what, [HUMAN_INPUT])) if what is not None else []
    assert emission.tree() == expected
    numbers = [number for _, number in turns(emission)]
    assert numbers == list(range(1, len(responses) + len(inputs) + 1))
    requests = [entry.body["messages"][-1]["content"] for entry in model.ledger.entries]
    expected_requests = ["hi", *("go on" if what in (SKIP, NO_INPUT) else what for what in inputs)]
    assert (requests, terminal.lines) == (expected_requests[: len(responses)], [])
    assert SECRET not in emission.texts()


def checks_per_turn(asynchronous: bool) -> int:
    """Return how often AutoGen prompts in one turn: early versions do in both the sync and async check."""
    return 2 if OLDEST and asynchronous else 1


def typed_lines(inputs: list[str], checks: int) -> list[str]:
    """Return the lines that are typed for these inputs."""
    lines = {NO_INPUT: [], SKIP: [""] * checks}
    return [line for what in inputs for line in lines.get(what, [what])]


def test_the_attributes_of_the_span(
    types: Callable[..., Terminal], model: ScriptedModel, emission: Emission
) -> None:
    types("exit")
    talk(human("ALWAYS"), agent("assistant", model))
    (span,) = [span for span in emission.spans if span.name == HUMAN_INPUT]
    step = {"otel_agents.step.type": "human_input"}
    assert (span.kind.name, dict(span.attributes or {})) == ("INTERNAL", step)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("line", "called"), [("", ["execute_tool calculate"]), ("no", [])])
def test_human_input_before_a_tool(
    line: str,
    called: list[str],
    asynchronous: bool,
    types: Callable[..., Terminal],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    checks = 1 if line else checks_per_turn(asynchronous)
    types(*[line] * checks, "exit")
    model.script(Response(tool_calls=[ToolCall("calculate", {"a": "1"})]), Response("one"))
    assistant, user = calculator(model, echo)
    user.human_input_mode = "ALWAYS"
    talk(user, assistant, asynchronous=asynchronous)
    assert emission.tree() == [
        "invoke_workflow",
        *ASSISTANT,
        *turn_of("user", *[HUMAN_INPUT] * checks, *called),
        *ASSISTANT,
        *turn_of("user", HUMAN_INPUT),
    ]


class Human(autogen.ConversableAgent):
    """A human with custom input."""

    def get_human_input(self, prompt: str, **_: Any) -> str:
        terminal: Any = super()
        return terminal.get_human_input(prompt) if self.name == "super" else "exit"


class AsyncHuman(Human):
    """A human whose async input calls the sync one."""

    async def a_get_human_input(self, prompt: str, **_: Any) -> str:
        return self.get_human_input(prompt)


@pytest.mark.parametrize("kind", [Human, AsyncHuman])
@pytest.mark.parametrize("name", ["human", "super"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_overridden_input_is_one_span(
    asynchronous: bool,
    name: str,
    kind: Any,
    types: Callable[..., Terminal],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    types("exit")
    user = kind(name, llm_config=False, human_input_mode="ALWAYS")
    talk(user, agent("assistant", model), asynchronous=asynchronous)
    assert emission.tree() == ["invoke_workflow", *ASSISTANT, *turn_of(name, HUMAN_INPUT)]
