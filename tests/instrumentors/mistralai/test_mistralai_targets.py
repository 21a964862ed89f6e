"""A renamed target is reported; the SDK is restored as it was."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

from mistral_calls import MODULE, VERSION
from new_processes import in_a_new_process
from renamed_targets import check_renamed

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor

NEWEST = 66
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


CODE = """
import sys
sys.path.insert(0, {tests!r})
from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

emission = Emission()
MistralAIInstrumentor().instrument(**emission.providers)
assert not any(name.startswith("mistralai") for name in sys.modules)
import mistral_calls

with ScriptedModel() as model:
    client = mistral_calls.connect(model.mistral_url)
    client.chat.complete(model="m", messages=mistral_calls.MESSAGES)
    mistral_calls.CLOUDS[0].make(model.mistral_url).chat.complete(
        model="m", messages=mistral_calls.MESSAGES
    )
print(emission.names)
"""


def test_instrumented_before_the_import() -> None:
    """The newest version is a namespace package, and imports each module at its first use."""
    code = CODE.format(tests=str(Path(__file__).parents[2]))
    assert in_a_new_process(code).strip() == str(["chat m", "chat m"])


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(MistralAIInstrumentor, "MistralAIInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
