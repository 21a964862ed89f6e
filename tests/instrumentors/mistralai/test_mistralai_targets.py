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


def attributes(holder: object) -> dict[str, Any]:
    return dict(vars(holder))


def test_uninstrumenting_restores_everything() -> None:
    names = ["chat", "fim", "_hooks.tracing", "conversations"] if VERSION >= (1, 10) else ["chat"]
    modules: list[Any] = [importlib.import_module(f"{MODULE}.{name}") for name in names]
    holders: list[Any] = [*modules, modules[0].Chat, *(modules[1].Fim for _ in modules[1:])]
    held = [(holder, attributes(holder)) for holder in holders]
    MistralAIInstrumentor().instrument()
    assert attributes(modules[0].Chat) != dict(held)[modules[0].Chat]
    MistralAIInstrumentor().uninstrument()
    for holder, before in held:
        now = attributes(holder)
        assert {name: it for name, it in now.items() if before.get(name) is not it} == {}


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(MistralAIInstrumentor, "MistralAIInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
