"""Observe, never change: classes look as before, and what is undone leaves no trace."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from conversations import agent, autogen, executor, talk

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

coding: Any = import_module("autogen.coding")
OWNERS: tuple[Any, ...] = (
    *(autogen.ConversableAgent, autogen.UserProxyAgent, autogen.GroupChat),
    *(autogen.GroupChatManager, autogen.OpenAIWrapper),
    *(coding.CodeExecutor, coding.LocalCommandLineCodeExecutor),
    import_module("autogen.agentchat.chat"),
)


def state(owner: Any) -> dict[str, Any]:
    return {**vars(owner)}


def looks(owner: Any) -> dict[str, Any]:
    """What inspection shows of the functions of a class or module."""
    return {
        name: (inspect.signature(value), inspect.iscoroutinefunction(value), value.__doc__)
        for name, value in state(owner).items()
        if inspect.isfunction(value)
    }


def test_classes_look_as_before_and_no_trace_is_left() -> None:
    before = [state(owner) for owner in OWNERS]
    seen = [looks(owner) for owner in OWNERS]
    instrumentor = AG2ClassicInstrumentor()
    instrumentor.instrument(skip_dep_check=False)
    try:
        assert [looks(owner) for owner in OWNERS] == seen
        assert [state(owner) for owner in OWNERS] != before
    finally:
        instrumentor.uninstrument()
    assert [state(owner) for owner in OWNERS] == before


def test_agents_made_before_the_end_go_on_unseen(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    user, assistant = executor(), agent("assistant", model)
    AG2ClassicInstrumentor().uninstrument()
    assert talk(user, assistant, max_turns=1).summary
    assert emission.names == ["chat gpt-4o-mini"]  # the SDK's


def test_nothing_of_ours_is_in_what_an_application_gets(
    instrument: Callable[..., None], model: ScriptedModel
) -> None:
    instrument()
    result = talk(executor(), agent("assistant", model), max_turns=1)
    assert type(result) is autogen.ChatResult
    assert [set(message) for message in result.chat_history] == [{"content", "name", "role"}] * 2
    assert copy.deepcopy(result).chat_history == result.chat_history
