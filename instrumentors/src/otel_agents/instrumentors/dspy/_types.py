"""DSPy's own types, for annotations: import them only under ``TYPE_CHECKING``.

What DSPy leaves without annotations is a protocol of what is read here.
"""

# DSPy (3.4) has annotations, but no `py.typed`.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from dspy import lm15
    from dspy.primitives import module
    from dspy.signatures import signature

    Module: TypeAlias = module.Module
    Request: TypeAlias = lm15.Request
    Response: TypeAlias = lm15.Response
    Signature: TypeAlias = signature.Signature

    class LM(Protocol):
        """A language model: ``dspy.BaseLM``."""

        model: str
        kwargs: dict[str, Any]

    class PreparedCall(Protocol):
        """A call of a model: ``dspy.clients.execution.PreparedCall``."""

        legacy: dict[str, Any]
        request: Request | None

    class Result(Protocol):
        """What engines of before 3.4 return: ``dspy.clients.call_result.CallResult``."""

        raw: Any

    class State(Protocol):
        """What an attempt has so far: ``dspy.clients.execution._Attempt``."""

        response: Response | None
        result: Result | None

    class Tool(Protocol):
        """A tool: ``dspy.Tool``."""

        name: str | None
        func: Callable[..., object]

    class ToolCall(Protocol):
        """A call that a model requested: ``dspy.ToolCalls.ToolCall``."""

        name: str

    class Config(Protocol):
        """The settings of an engine: ``dspy.lm15.RouterConfig``."""

        base_urls: Mapping[str, str] | None

    class Resolution(Protocol):
        """Where a request goes: ``dspy.lm15.Resolution``."""

        model: str
        provider: str

    class Engine(Protocol):
        """DSPy's own engine: ``LM15Engine`` and ``AsyncLM15Engine``."""

        config: Config

        def resolve(self, model: str) -> Resolution: ...
