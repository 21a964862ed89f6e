"""LiteLLM's functions that call a model, and how their arguments are read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._dialects.anthropic.api import MESSAGES
from otel_agents.instrumentors._dialects.api import WireFormat
from otel_agents.instrumentors._dialects.openai.api import OpenAIApi
from otel_agents.instrumentors._dialects.openai.chat import CHAT
from otel_agents.instrumentors._dialects.openai.completions import COMPLETIONS
from otel_agents.instrumentors._dialects.openai.responses import RESPONSES
from otel_agents.semconv.values import Operation

__all__ = ["FUNCTIONS", "ITERATORS", "ROUTES", "Arguments", "Function", "is_asynchronous"]

Arguments = dict[str, Any]

_MOCKS: Final = ("mock_response", "mock_tool_calls", "mock_timeout")


@dataclass(frozen=True)
class Function:
    """One function and its async twin, which calls it with the keyword ``flag`` set.

    Attributes:
        target: The function's module and name.
        flag: The keyword, which is also the name of the twin; empty if there is no twin.
        operation: The operation.
        api: The wire format of its arguments and results; None for embeddings.
        positional: Its first parameters, for a twin that takes ``*args``.
        since: The first version of LiteLLM that has it; None if every supported version has.
        until: The first version that no longer has it.
    """

    target: str
    flag: str
    operation: Operation
    api: OpenAIApi | WireFormat | None
    positional: tuple[str, ...]
    since: str | None = None
    until: str | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets of the function and its twin."""
        module = self.target.partition(":")[0]
        return (self.target, f"{module}:{self.flag}") if self.flag else (self.target,)

    def arguments(self, call: Call) -> Arguments | None:
        """Return the arguments by name; None if the call is mocked and sends nothing."""
        arguments = call.kwargs
        if call.args:
            positional = _signature_of(call.function).positional or self.positional
            arguments = {**dict(zip(positional, call.args, strict=False)), **arguments}
        for mock in _MOCKS:
            if arguments.get(mock) is not None:
                return None
        return arguments


class _Signature(NamedTuple):
    positional: tuple[str, ...]
    """The names of the positional parameters; none for a function of ``*args``."""
    asynchronous: bool


_signatures: Final = ByObject[Callable[..., Any], _Signature]()


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Return whether a function of LiteLLM is a coroutine function."""
    return _signature_of(function).asynchronous


def _signature_of(function: Callable[..., Any]) -> _Signature:
    known = _signatures.get(function)
    if known is None:
        parameters = inspect.signature(function).parameters.values()
        names = tuple(one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD)
        known = _signatures[function] = _Signature(names, inspect.iscoroutinefunction(function))
    return known


_COMPLETION: Final = Function(
    "litellm.main:completion", "acompletion", Operation.CHAT, CHAT, ("model", "messages")
)
_EMBEDDING: Final = Function(
    "litellm.main:embedding", "aembedding", Operation.EMBEDDINGS, None, ("model", "input")
)
_RESPONSES: Final = Function(
    "litellm.responses.main:responses",
    "aresponses",
    Operation.CHAT,
    RESPONSES,
    ("input", "model"),
    since="1.63.8",
)
_TEXT_COMPLETION: Final = Function(
    "litellm.main:text_completion",
    "atext_completion",
    Operation.TEXT_COMPLETION,
    COMPLETIONS,
    ("prompt", "model"),
)
# LiteLLM has moved the module of `anthropic_messages` twice.
_MESSAGES, _PASSED_MESSAGES, _EXPERIMENTAL_MESSAGES = (
    Function(
        f"litellm.llms.anthropic.{module}.handler:anthropic_messages",
        "",
        Operation.CHAT,
        MESSAGES,
        ("max_tokens", "messages", "model"),
        since=since,
        until=until,
    )
    for module, since, until in (
        ("messages.native", "1.109.0", None),
        ("pass_through.messages", "1.105.0", "1.109.0"),
        ("experimental_pass_through.messages", "1.63.2", "1.105.0"),
    )
)
FUNCTIONS: Final = (
    *(_COMPLETION, _TEXT_COMPLETION, _EMBEDDING, _RESPONSES),
    *(_MESSAGES, _PASSED_MESSAGES, _EXPERIMENTAL_MESSAGES),
)
_GEMINI: Final = "vertex_and_google_ai_studio_gemini:ModelResponseIterator"
ITERATORS: Final = (
    "base_llm.base_model_iterator:BaseModelResponseIterator",
    "databricks.streaming_utils:ModelResponseIterator",
    f"vertex_ai.gemini.{_GEMINI}",
    f"vertex_ai_and_google_ai_studio.gemini.{_GEMINI}",
)
"""The classes below ``litellm.llms`` that parse providers' streams; each version has some."""
ROUTES: Final = MappingProxyType(
    {
        "chat_completions": _COMPLETION,
        "embeddings": _EMBEDDING,
        "messages": _MESSAGES,
        "responses": _RESPONSES,
    }
)
"""By LiteLLM's name of the route: the functions that its Rust core can serve."""
