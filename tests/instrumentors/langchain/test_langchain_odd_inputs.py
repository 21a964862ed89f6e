"""Inputs that no JSON can hold: recorded as far as possible, without an error of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_graphs import attributes

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("with_content")


def run(value: Any) -> str:
    return "ok"


def recorded(emission: Emission, value: Any) -> Any:
    """Return what is recorded of the input ``value`` of a run."""
    RunnableLambda(run).invoke(value)
    (found,) = attributes(emission, "invoke_workflow run")
    (message,) = json.loads(found["gen_ai.input.messages"])
    return json.loads(message["parts"][0]["content"])


def test_a_dict_that_contains_itself(emission: Emission) -> None:
    state: dict[str, Any] = {"topic": "bees"}
    state["state"] = state
    assert recorded(emission, state) == {"topic": "bees", "state": None}


def test_messages_that_contain_their_list(emission: Emission) -> None:
    messages: list[Any] = ["user", "hi"]
    messages.append(messages)
    assert recorded(emission, {"messages": messages}) == ["user", "hi", None]


def test_keys_that_are_no_strings(emission: Emission) -> None:
    assert recorded(emission, {("a", 1): "x"}) == {"<tuple>": "x"}


def test_a_deep_input(emission: Emission) -> None:
    state: Any = "end"
    for _ in range(5000):
        state = {"it": state}
    found, depth = recorded(emission, state), 0
    while found is not None:
        found, depth = found["it"], depth + 1
    assert depth == 30


class Unreadable:
    """An object that has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def test_an_object_without_a_text(emission: Emission) -> None:
    assert recorded(emission, {"it": Unreadable()}) == {"it": "<Unreadable>"}
