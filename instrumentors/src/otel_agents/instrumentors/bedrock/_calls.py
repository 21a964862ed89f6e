"""Which calls of botocore are for Bedrock: any other call costs one comparison."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Bindable, Call, Start, Switch, Wrapping
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.context.sending import expect_sending
from otel_agents.instrumentors._core.drivers import Driver, coroutine, driver_of, plain
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.instrumentors.settings import Prefer

from ._official import is_preferred
from ._requests import STARTS

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["NAMES", "api_call", "for_operations", "operation_name", "operation_of_model"]

NAMES: Final = frozenset(operation for _, operation in STARTS)
"""The operations that Bedrock has; other services may use the same names."""

_NameOf = Callable[[tuple[Any, ...], dict[str, Any]], str]


def api_call(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``_make_api_call(operation_name, api_params)``."""
    meta = call.instance.meta
    service = meta.service_model.service_name
    start = STARTS.get((service, call.argument(0, "operation_name")))
    if start is None:
        return None
    if telemetry.settings.prefer is Prefer.THEIRS and is_preferred(call):
        return None
    server = server_of(meta.endpoint_url)
    operation = start(telemetry, as_mapping(call.argument(1, "api_params")), server)
    expect_sending(operation)
    return operation


def operation_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the operation of ``_make_api_call(operation_name, api_params)``."""
    return args[1] if len(args) > 1 else kwargs["operation_name"]


def operation_of_model(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the operation of ``_convert_to_request_dict(api_params, operation_model, …)``."""
    return (args[2] if len(args) > 2 else kwargs["operation_model"]).name


@final
class _ForOperations:
    def __init__(self, name_of: _NameOf, start: Start) -> None:
        self._name_of = name_of
        self._start = start

    def bind(self, telemetry: Telemetry) -> Wrapping:
        observing = around(telemetry, self._start)

        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            driver, name_of = driver_of(observing(function, switch, bound)), self._name_of

            def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                try:
                    is_ours = name_of(args, kwargs) in NAMES
                except (
                    IndexError,
                    KeyError,
                    AttributeError,
                    TypeError,
                ):  # the original refuses them
                    is_ours = False
                if is_ours and driver is not None:
                    return driver.run(args, kwargs)
                return function(*args, **kwargs)

            replace = coroutine if inspect.iscoroutinefunction(function) else plain
            return replace(function, Driver(run))

        return wrapping


def for_operations(name_of: _NameOf, start: Start) -> Bindable:
    """Run ``start`` for the calls whose operation has a name that Bedrock uses.

    Args:
        name_of: Returns the operation's name from the arguments, the instance first.
        start: Observes the call.
    """
    return _ForOperations(name_of, start)
