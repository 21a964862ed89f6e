"""The scope of a turn: every entry of AG2 opens one, and drives the turn inside of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import attach, get_current

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import replacing
from otel_agents.instrumentors._core.operations import step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._homes import home
from ._models import undeclared_model_call
from ._own_telemetry import Opening
from ._tools import Tools, executed
from ._turns import turn

__all__ = ["turn_scope"]

_Driver = Callable[[], Awaitable[Any]]


class _Scope:
    """The scope that AG2 has made, which gives out a drive that is recorded."""

    def __init__(self, scope: Any, opening: Opening, record: Callable[[_Driver], _Driver]) -> None:
        self._scope = scope
        self._opening = opening
        self._record = record

    async def __aenter__(self) -> _Driver:
        outer = get_current()
        attach(self._opening.context)
        try:
            driver = await self._scope.__aenter__()
        finally:
            attach(outer)
        return driver if self._opening.left_to_them else self._record(driver)

    async def __aexit__(self, *error: object) -> Any:
        return await self._scope.__aexit__(*error)


def turn_scope(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``Agent._turn_scope(event, *, context, additional_middleware, …)``.

    Middleware that comes last is innermost: it sees each attempt of a retry, and only what is
    really asked and executed.
    """
    agent, event, context = call.instance, call.argument(0, "event"), call.kwargs["context"]
    opening = Opening()
    additional = tuple(call.kwargs.get("additional_tools", ()))
    tools = Tools(agent, additional)

    def middleware(event: Any, context: Any) -> Any:
        made = _recording(telemetry)(event, context)
        made.opening, made.tools = opening, tools
        return made

    def driven(telemetry: Telemetry, call: Call) -> CallObserver:
        return turn(telemetry, agent, event, context)

    def entering(telemetry: Telemetry, call: Call, scope: Any) -> _Scope:
        return _Scope(scope, opening, lambda driver: wrapped(driver, telemetry, driven))

    given = tuple(call.kwargs.get("additional_middleware", ()))
    ours = {"additional_middleware": (*given, middleware), "additional_tools": additional}
    call.kwargs = {**call.kwargs, **ours}
    return replacing(entering)(telemetry, call)


_HOOKS: Final[Mapping[str, Start]] = MappingProxyType(
    {
        "on_human_input": step("human_input"),
        "on_llm_call": undeclared_model_call,
        "on_tool_execution": executed,
    }
)
"""What begins at each hook of a middleware."""


@lru_cache(maxsize=1)
def _recording(telemetry: Telemetry) -> type[Any]:
    """AG2's middleware that passes everything on, with what passes recorded."""
    base: Any = import_module(f"{home()}.middleware").BaseMiddleware
    hooks = {
        name: wrapped(getattr(base, name), telemetry, _unless_left(start), bound=True)
        for name, start in _HOOKS.items()
    }
    return type("Recording", (base,), hooks)


def _unless_left(start: Start) -> Start:
    def unless_left(telemetry: Telemetry, call: Call) -> CallObserver | None:
        return None if call.instance.opening.left_to_them else start(telemetry, call)

    return unless_left
