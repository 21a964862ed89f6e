"""The requests that a client sends, and trace headers on those for the hosts that a setting names.

The headers are added before the request is signed: earlier versions of botocore sign them too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, final

from otel_agents.instrumentors._core.calls.call import Bindable, Call, Switch, Wrapping
from otel_agents.instrumentors._core.calls.watching import after_by_arguments, replacing
from otel_agents.instrumentors._core.context.sending import sending
from otel_agents.instrumentors._core.drivers import Driver, driver_of, plain
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._calls import NAMES, for_operations, operation_of_model

__all__ = ["SENDING"]


def _send(telemetry: Telemetry, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Add trace headers to what ``_convert_to_request_dict`` returns after it checks arguments."""
    operation = sending()
    if operation is not None and telemetry.settings.propagate_headers:
        host = operation.known.get(attr.SERVER_ADDRESS, "")
        request["headers"].update(headers_for(telemetry, host, operation.context))
    return request


def _note(telemetry: Telemetry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if operation_of_model(args, kwargs) in NAMES:
        sending()


_CHANGING: Final = for_operations(operation_of_model, replacing(_send))
_NOTING: Final = after_by_arguments(_note)


@final
class _Sending:
    def bind(self, telemetry: Telemetry) -> Wrapping:
        changing, noting = _CHANGING.bind(telemetry), _NOTING.bind(telemetry)

        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            changed = changing(function, switch, bound)
            noted = driver_of(noting(function, switch, bound))
            if noted is None or inspect.iscoroutinefunction(function):
                return changed

            def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                if telemetry.settings.propagate_headers:
                    return changed(*args, **kwargs)
                return noted.run(args, kwargs)

            return plain(function, Driver(run))

        return wrapping


SENDING: Final[Bindable] = _Sending()
"""Records that ``_convert_to_request_dict`` has made the request of an operation on Bedrock."""
