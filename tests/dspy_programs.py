"""Programs, tools and responses for DSPy, in whatever version is installed."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
import threading
from collections.abc import Iterable
from importlib.metadata import version
from itertools import count, cycle
from typing import Any, Final

from packaging.version import Version

from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel

__all__ = [
    "CHAT",
    "ESSAY",
    "VERSION",
    "Essay",
    "Reply",
    "dspy",
    "essay",
    "examples",
    "fields",
    "lm",
    "reply_by_fields",
    "weather",
    "workers",
]

_REQUESTED: Final = "Respond with the corresponding output fields"
_FIELD: Final = re.compile(r"\[\[ ## (\w+) ## \]\]")

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import fetches the price list
os.environ["DSPY_CACHEDIR"] = tempfile.mkdtemp()
dspy: Any = importlib.import_module("dspy")  # its types are incomplete
VERSION = Version(version("dspy"))
CHAT = "chat gpt-4o-mini"


class Reply(dspy.Signature):
    """Reply the topic."""

    topic: str = dspy.InputField()
    reply: str = dspy.OutputField()


class Essay(dspy.Module):
    """Two steps: think about the topic, shorten the reply."""

    def __init__(self) -> None:
        dspy.Module.__init__(self)
        self.think = dspy.ChainOfThought(Reply)
        self.shorten = dspy.Predict("reply -> short")

    def forward(self, topic: str) -> Any:
        """Run both."""
        thought = self.think(topic=topic)
        return self.shorten(reply=thought.reply)

    async def aforward(self, topic: str) -> Any:
        """Run both."""
        thought = await self.think.acall(topic=topic)
        return await self.shorten.acall(reply=thought.reply)


ESSAY = [
    "invoke_workflow Essay",
    "  chain_of_thought Reply",
    f"    {CHAT}",
    "  predict reply -> short",
    f"    {CHAT}",
]
"""The tree of `Essay`."""


def weather(city: str) -> str:
    """Return the weather."""
    return f"Sunny in {city}."


def fields(**values: Any) -> Response:
    """Return a response with the fields of a signature, as DSPy's adapter reads it."""
    parts = (f"[[ ## {name} ## ]]\n{value}" for name, value in values.items())
    return Response("\n\n".join((*parts, "[[ ## completed ## ]]")))


def reply_by_fields(model: ScriptedModel, replies: Iterable[str] = ("Paris",)) -> None:
    """Respond to each request with the fields that it asks for, or with an instruction.

    ``replies`` are the values of the field ``reply``, again and again; any other but advice has its own.
    """
    numbers, values, lock = count(), cycle(replies), threading.Lock()

    def respond(request: ModelRequest) -> Response:
        with lock:
            number, reply = next(numbers), next(values)
        names = dict.fromkeys(_FIELD.findall(request.prompt.rpartition(_REQUESTED)[2]))
        requested = [name for name in names if name != "completed"]
        if not requested:
            return Response(f"```instruction {number}```")
        known = {"reply": reply, "advice": "{}", "module_advice": "{}"}
        return fields(**{name: known.get(name, f"{name} {number}") for name in requested})

    model.script_by(respond)


def essay(model: ScriptedModel) -> None:
    """Script the responses of `Essay`."""
    model.script(fields(reasoning="It is.", reply="Paris"), fields(short="P"))


def lm(model: ScriptedModel, name: str = "openai/gpt-4o-mini", **options: Any) -> Any:
    """Return a language model that sends to ``model``, without a cache or retries."""
    known: dict[str, Any] = {"api_base": model.openai_url, "api_key": "none", "cache": False}
    if Version("2.5.30") < VERSION:
        known["num_retries"] = 0
    return dspy.LM(name, **{**known, **options})


def examples(count: int) -> list[Any]:
    """Return examples whose reply is Paris."""
    return [
        dspy.Example(topic=f"q{number}", reply="Paris").with_inputs("topic")
        for number in range(count)
    ]


def workers() -> list[threading.Thread]:
    """Return the threads in which DSPy runs programs that it streams; the process waits for them.

    One whose event loop is closed while it sends a chunk waits forever: AnyIO has no end for it.
    """
    return [one for one in threading.enumerate() if one.name.startswith("AnyIO worker")]
