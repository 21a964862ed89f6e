"""Number of our modules that one call passes, and of changes between them.

``python tests/benchmarks/passages.py`` in an environment of the tests: one streamed chat of three
chunks with its content on the span. What is counted are the calls of our functions, in their order.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import openai

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

_CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
_PACKAGE = "/otel_agents/instrumentors/"
_MODULES, _CHANGES = 15, 60
"""The limits."""


class Passages:
    """The modules of our functions, in the order in which they are called."""

    def __init__(self) -> None:
        self.modules: list[str] = []

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        """Record a call reported by `sys.setprofile`."""
        _, found, module = frame.f_code.co_filename.partition(_PACKAGE)
        if event == "call" and found:
            self.modules.append(module)

    @property
    def changes(self) -> int:
        """Return how often the next function is in another module."""
        return sum(a != b for a, b in zip(self.modules, self.modules[1:], strict=False))


def streamed() -> Passages:
    """Profile one streamed chat, after one that fills caches."""
    emission, instrumentor, passages = Emission(), OpenAIInstrumentor(), Passages()
    instrumentor.instrument(**emission.providers, settings=Settings.read(_CONTENT))
    with ScriptedModel() as model:
        client = openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0)
        for profile in (None, passages.profile):
            model.script(Response("one"))
            gc.collect()
            gc.disable()  # our function that the collector calls is no part of the call
            sys.setprofile(profile)
            messages: Any = [{"role": "user", "content": "hi"}]
            for _ in client.chat.completions.create(model="m", messages=messages, stream=True):
                pass
            sys.setprofile(None)
            gc.enable()
        client.close()
    instrumentor.uninstrument()
    emission.close()
    return passages


def main() -> int:
    """Print the table; return 1 if a limit is exceeded."""
    passages = streamed()
    counted = Counter(passages.modules)
    for module, calls in counted.most_common():
        print(f"{calls:5} {module}")
    print(
        f"{len(counted)} modules of at most {_MODULES}, {passages.changes} changes of at most {_CHANGES}"
    )
    if "-v" in sys.argv:
        print(*passages.modules, sep="\n")
    return len(counted) > _MODULES or passages.changes > _CHANGES


if __name__ == "__main__":
    sys.exit(main())
