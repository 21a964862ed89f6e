"""Observe, never change: classes keep their signatures, and uninstrumenting restores them."""

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


def signatures(owner: Any) -> dict[str, Any]:
    """Return what inspection shows of the functions of a class or module."""
    return {
        name: (inspect.signature(value), inspect.iscoroutinefunction(value), value.__doc__)
        for name, value in state(owner).items()
        if inspect.isfunction(value)
    }


def test_signatures_are_unchanged_and_patches_undone() -> None:
    before = [state(owner) for owner in OWNERS]
    before_signatures = [signatures(owner) for owner in OWNERS]
    instrumentor = AG2ClassicInstrumentor()
    instrumentor.instrument(skip_dep_check=False)
    try:
        assert [signatures(owner) for owner in OWNERS] == before_signatures
        assert [state(owner) for owner in OWNERS] != before
    finally:
        instrumentor.uninstrument()
    assert [state(owner) for owner in OWNERS] == before


def test_existing_agents_are_not_recorded_after_uninstrument(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    user, assistant = executor(), agent("assistant", model)
    AG2ClassicInstrumentor().uninstrument()
    assert talk(user, assistant, max_turns=1).summary
    assert emission.names == ["chat gpt-4o-mini"]  # the SDK's


def test_results_are_unchanged(instrument: Callable[..., None], model: ScriptedModel) -> None:
    instrument()
    result = talk(executor(), agent("assistant", model), max_turns=1)
    assert type(result) is autogen.ChatResult
    assert [set(message) for message in result.chat_history] == [{"content", "name", "role"}] * 2
    assert copy.deepcopy(result).chat_history == result.chat_history
