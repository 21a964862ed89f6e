"""The scope of a turn: every entry point of AG2 opens one and runs the turn inside of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import attach, get_current

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import replacing
from otel_agents.instrumentors._core.operations import step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._models import duck_typed_model_call
from ._native_telemetry import TurnStart
from ._package import package_name
from ._tools import Tools, tool_execution
from ._turns import turn

if TYPE_CHECKING:
    from ag2.context import ConversationContext
    from ag2.events import BaseEvent

__all__ = ["turn_scope"]

_Driver = Callable[[], Awaitable[Any]]


class _TurnScope:
    """AG2's scope of a turn; the driver that it returns records the turn."""

    def __init__(
        self,
        scope: Any,
        turn_start: TurnStart,
        record: Callable[[_Driver], _Driver],
    ) -> None:
        self._scope = scope
        self._turn_start = turn_start
        self._record = record

    async def __aenter__(self) -> _Driver:
        outer = get_current()
        attach(self._turn_start.context)
        try:
            driver = await self._scope.__aenter__()
        finally:
            attach(outer)
        return driver if self._turn_start.recorded_natively else self._record(driver)

    async def __aexit__(self, *error: object) -> Any:
        return await self._scope.__aexit__(*error)


def turn_scope(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Replace the scope of ``Agent._turn_scope(event, *, context, additional_middleware, …)``.

    Our middleware is appended. The last one is the innermost: it sees each attempt of a retry, and
    only what is really sent and executed.
    """
    agent, event, context = call.instance, call.argument(0, "event"), call.kwargs["context"]
    turn_start = TurnStart()
    additional = tuple(call.kwargs.get("additional_tools", ()))
    tools = Tools(agent, additional)

    def create_middleware(event: BaseEvent, context: ConversationContext) -> Any:
        middleware = _recording_middleware(telemetry)(event, context)
        middleware.turn_start, middleware.tools = turn_start, tools
        return middleware

    def start_turn(telemetry: Telemetry, call: Call) -> CallObserver:
        return turn(telemetry, agent, event, context)

    def replace_scope(telemetry: Telemetry, call: Call, scope: Any) -> _TurnScope:
        return _TurnScope(scope, turn_start, lambda driver: wrapped(driver, telemetry, start_turn))

    middleware = (*call.kwargs.get("additional_middleware", ()), create_middleware)
    changed = {"additional_middleware": middleware, "additional_tools": additional}
    call.kwargs = {**call.kwargs, **changed}
    return replacing(replace_scope)(telemetry, call)


_HOOKS: Final[Mapping[str, Start]] = MappingProxyType(
    {
        "on_human_input": step("human_input"),
        "on_llm_call": duck_typed_model_call,
        "on_tool_execution": tool_execution,
    }
)
"""The operation that each hook of a middleware starts."""


@lru_cache(maxsize=1)
def _recording_middleware(telemetry: Telemetry) -> type[Any]:
    """Return an AG2 middleware class that passes every call on and records it."""
    base: Any = import_module(f"{package_name()}.middleware").BaseMiddleware
    hooks = {
        name: wrapped(getattr(base, name), telemetry, _unless_native(start), bound=True)
        for name, start in _HOOKS.items()
    }
    return type("Recording", (base,), hooks)


def _unless_native(start: Start) -> Start:
    """Return ``start``, disabled in turns that AG2's own telemetry records."""

    def unless_native(telemetry: Telemetry, call: Call) -> CallObserver | None:
        native = call.instance.turn_start.recorded_natively
        return None if native else start(telemetry, call)

    return unless_native
