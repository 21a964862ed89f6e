"""An application's agent class that is pickled to another process, as Ray and Dask do."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from conversations import autogen

cloudpickle: Any = pytest.importorskip("cloudpickle", reason="the newest environment has it")
pickled: Any = import_module("pickled")

INSTRUMENTED = """
    from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
    from otel_agents.testing.emission import Emission

    emission = Emission()
    AG2ClassicInstrumentor().instrument(**emission.providers)
"""
CALLED = """
bot = value("bot", llm_config=False)
print(bot.generate_reply([{"role": "user", "content": "hi"}]))
"""


def agent_class() -> type[Any]:
    base: Any = autogen.ConversableAgent

    class Bot(base):
        def generate_reply(self, messages: Any = None, *arguments: Any, **options: Any) -> str:
            return f"{len(messages)} told"

    return Bot


def test_an_instrumented_class_unpickles(
    instrument: Callable[..., None],
) -> None:
    instrument()
    sent = cloudpickle.dumps(agent_class())
    assert pickled.read_without_us(sent, CALLED).splitlines()[-1] == "1 told"
    check = CALLED + "print([span.name for span in emission.spans])"
    printed = pickled.read_with_us(sent, INSTRUMENTED, check)
    assert printed.splitlines()[-2:] == ["1 told", "['invoke_agent bot']"]


def test_an_uninstrumented_class_unpickles() -> None:
    check = CALLED + "print([span.name for span in emission.spans])"
    printed = pickled.read_with_us(cloudpickle.dumps(agent_class()), INSTRUMENTED, check)
    assert printed.splitlines()[-2:] == ["1 told", "['invoke_agent bot']"]
