"""Human input: a span in the turn of whoever is asked, in every mode, whatever is typed."""

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
ASKED = "human_input"
SKIP, UNASKED = "<enter>", "<nothing>"
END = "That is all. TERMINATE"


def echo(a: str) -> str:
    return a


class Terminal:
    """What somebody types, one line for each time that they are asked."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def input(self, prompt: str = "") -> str:
        return self.lines.pop(0)


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Has somebody type these lines."""

    def types(*lines: str) -> Terminal:
        terminal = Terminal(*lines)
        monkeypatch.setattr("builtins.input", terminal.input)
        return terminal

    return types


def ends(message: dict[str, Any]) -> bool:
    return "TERMINATE" in message["content"]


def human(mode: str, replies: int = 9, **more: Any) -> Any:
    """Somebody who replies that many times in a row by themselves."""
    known: dict[str, Any] = {
        "human_input_mode": mode,
        "max_consecutive_auto_reply": replies,
        "default_auto_reply": "go on",
        "is_termination_msg": ends,
    }
    return executor("human", **known, **more)


# How somebody is asked, how often they reply by themselves, what the assistant says, and what they
# do in each of their turns: they type a line, press enter to reply by themselves, or are not asked.
CASES: list[tuple[str, int, list[str], list[str]]] = [
    ("ALWAYS", 9, ["1"], ["exit"]),
    ("ALWAYS", 9, [END], [""]),
    ("ALWAYS", 9, ["1", "2"], [SECRET, "exit"]),
    ("ALWAYS", 9, ["1", "2"], [SKIP, "exit"]),
    ("ALWAYS", 9, [END, "2"], ["no", "exit"]),
    ("NEVER", 9, ["1", END], [UNASKED]),
    ("NEVER", 1, ["1", "2"], [UNASKED]),
    ("NEVER", 0, ["1"], []),
    ("TERMINATE", 9, [END], ["exit"]),
    ("TERMINATE", 9, ["1", END], [UNASKED, ""]),
    ("TERMINATE", 9, [END, END], [SECRET, ""]),
    ("TERMINATE", 0, ["1"], ["exit"]),
    ("TERMINATE", 1, ["1", "2", "3"], [UNASKED, SKIP, "exit"]),
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("mode", "replies", "answers", "done"), CASES)
def test_a_conversation_with_somebody(
    mode: str,
    replies: int,
    answers: list[str],
    done: list[str],
    asynchronous: bool,
    types: Callable[..., Terminal],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    checks = times(asynchronous)
    terminal = types(*typed(done, checks))
    model.script(*map(Response, answers))
    somebody = human(mode, replies * checks)
    talk(somebody, agent("assistant", model), asynchronous=asynchronous)
    asked = {UNASKED: [], SKIP: [ASKED] * checks}
    expected = ["invoke_workflow"]
    for _, what in zip_longest(answers, done):
        expected += ASSISTANT
        expected += turn_of("human", *asked.get(what, [ASKED])) if what is not None else []
    assert emission.tree() == expected
    numbers = [number for _, number in turns(emission)]
    assert numbers == list(range(1, len(answers) + len(done) + 1))
    heard = [entry.body["messages"][-1]["content"] for entry in model.ledger.entries]
    said = ["hi", *("go on" if what in (SKIP, UNASKED) else what for what in done)]
    assert (heard, terminal.lines) == (said[: len(answers)], [])
    assert SECRET not in emission.texts()


def times(asynchronous: bool) -> int:
    """How often AutoGen checks in one turn: early versions do in both forms, and ask in both."""
    return 2 if OLDEST and asynchronous else 1


def typed(done: list[str], checks: int) -> list[str]:
    """The lines that somebody types who does so."""
    lines = {UNASKED: [], SKIP: [""] * checks}
    return [line for what in done for line in lines.get(what, [what])]


def test_what_the_span_is_said_to_be(
    types: Callable[..., Terminal], model: ScriptedModel, emission: Emission
) -> None:
    types("exit")
    talk(human("ALWAYS"), agent("assistant", model))
    (asked,) = [span for span in emission.spans if span.name == ASKED]
    step = {"otel_agents.step.type": "human_input"}
    assert (asked.kind.name, dict(asked.attributes or {})) == ("INTERNAL", step)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("line", "called"), [("", ["execute_tool calculate"]), ("no", [])])
def test_somebody_is_asked_before_a_tool_is_executed(
    line: str,
    called: list[str],
    asynchronous: bool,
    types: Callable[..., Terminal],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    checks = 1 if line else times(asynchronous)
    types(*[line] * checks, "exit")
    model.script(Response(tool_calls=[ToolCall("calculate", {"a": "1"})]), Response("one"))
    assistant, user = calculator(model, echo)
    user.human_input_mode = "ALWAYS"
    talk(user, assistant, asynchronous=asynchronous)
    assert emission.tree() == [
        "invoke_workflow",
        *ASSISTANT,
        *turn_of("user", *[ASKED] * checks, *called),
        *ASSISTANT,
        *turn_of("user", ASKED),
    ]


class Human(autogen.ConversableAgent):
    """Somebody who is asked in a way of the application's own."""

    def get_human_input(self, prompt: str, **_: Any) -> str:
        terminal: Any = super()
        return terminal.get_human_input(prompt) if self.name == "super" else "exit"


class Patient(Human):
    """Somebody who is asked in one way, whoever waits."""

    async def a_get_human_input(self, prompt: str, **_: Any) -> str:
        return self.get_human_input(prompt)


@pytest.mark.parametrize("kind", [Human, Patient])
@pytest.mark.parametrize("name", ["human", "super"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_somebody_is_asked_once(
    asynchronous: bool,
    name: str,
    kind: Any,
    types: Callable[..., Terminal],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    types("exit")
    asked = kind(name, llm_config=False, human_input_mode="ALWAYS")
    talk(asked, agent("assistant", model), asynchronous=asynchronous)
    assert emission.tree() == ["invoke_workflow", *ASSISTANT, *turn_of(name, ASKED)]
