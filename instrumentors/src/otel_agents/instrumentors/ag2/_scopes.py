"""The scope of a turn: every entry of AG2 opens one, and drives the turn inside of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from typing import Any

from opentelemetry.context import attach, get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running, around
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.calls.switches import Switch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._own_telemetry import Opening
from ._tools import Tools
from ._turns import Turn, hooks

__all__ = ["turn_scope"]

_Drive = Callable[[], Awaitable[Any]]


class _Scope:
    """The scope that AG2 has made, which gives out a drive that is recorded."""

    def __init__(self, scope: Any, drives: Callable[[_Drive], _Drive], opening: Opening) -> None:
        self._scope = scope
        self._drives = drives
        self._opening = opening

    async def __aenter__(self) -> _Drive:
        outer = get_current()
        attach(self._opening.context)
        try:
            drive = await self._scope.__aenter__()
        finally:
            attach(outer)
        return drive if self._opening.left_to_them else self._drives(drive)

    async def __aexit__(self, *error: object) -> Any:
        return await self._scope.__aexit__(*error)


class _Entered(Passing):
    def __init__(self, drives: Callable[[_Drive], _Drive], opening: Opening) -> None:
        super().__init__(get_current())
        self._drives = drives
        self._opening = opening

    def returned(self, value: Any) -> Any:
        """The scope, which is not entered yet."""
        return _Scope(value, self._drives, self._opening)


def turn_scope(telemetry: Telemetry) -> Begin:
    """``Agent._turn_scope(event, *, context, additional_middleware, …)``.

    Middleware that comes last is innermost: it sees each attempt of a retry, and only what is
    really asked and executed.
    """
    recording = cache(lambda: _recording(telemetry))

    def begin(call: Call) -> Running | None:
        agent, context = call.instance, call.kwargs["context"]
        event = call.args[0] if call.args else call.kwargs["event"]
        opening = Opening()
        additional = tuple(call.kwargs.get("additional_tools", ()))
        tools = Tools(agent, additional)

        def middleware(event: Any, context: Any) -> Any:
            made = recording()(event, context)
            made.opening, made.tools = opening, tools
            return made

        def drives(drive: _Drive) -> _Drive:
            turn = around(lambda _: Turn(telemetry, agent, event, context))
            return turn(drive, Switch(), False)

        given = tuple(call.kwargs.get("additional_middleware", ()))
        ours = {"additional_middleware": (*given, middleware), "additional_tools": additional}
        call.kwargs = {**call.kwargs, **ours}
        return _Entered(drives, opening)

    return begin


def _recording(telemetry: Telemetry) -> type[Any]:
    """AG2's middleware that passes everything on, with what passes recorded."""
    base: Any = import_module("ag2.middleware").BaseMiddleware
    recorded = {
        name: around(_unless_left(begin))(getattr(base, name), Switch(), True)
        for name, begin in hooks(telemetry).items()
    }
    return type("Recording", (base,), recorded)


def _unless_left(begin: Begin) -> Begin:
    return lambda call: None if call.instance.opening.left_to_them else begin(call)
