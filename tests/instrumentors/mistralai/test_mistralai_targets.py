"""A renamed target is reported; the SDK is restored as it was."""

from __future__ import annotations

import doctest
import importlib
from typing import Any

from mistral_calls import MODULE, VERSION
from renamed_targets import check_renamed

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor

NEWEST = 62
OLDEST = 32


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(MistralAIInstrumentor) == (NEWEST if VERSION >= (3, 4) else OLDEST)


def test_uninstrumenting_restores_everything() -> None:
    names = ["chat", "fim", "_hooks.tracing", "conversations"] if VERSION >= (1, 10) else ["chat"]
    modules: list[Any] = [importlib.import_module(f"{MODULE}.{name}") for name in names]
    holders = [*modules, modules[0].Chat, *(modules[1].Fim for _ in modules[1:])]
    held: list[tuple[Any, dict[str, Any]]] = [(it, dict(vars(it))) for it in holders]
    MistralAIInstrumentor().instrument()
    chat = modules[0].Chat
    assert vars(chat)["complete"] is not dict(held)[chat]["complete"]
    MistralAIInstrumentor().uninstrument()
    for holder, before in held:
        assert {k: v for k, v in vars(holder).items() if before.get(k) is not v} == {}


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(MistralAIInstrumentor, "MistralAIInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
