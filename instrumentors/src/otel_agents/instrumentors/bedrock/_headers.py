"""Trace headers on requests for the hosts that the setting names.

They are added before the request is signed: earlier versions of botocore sign them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["propagate", "with_trace_headers"]


class _TraceHeaders(NamedTuple):
    carrier: Mapping[str, str]


_HEADERS: Final = Slot("bedrock-headers", _TraceHeaders)
"""The headers of the request that is being built; a URL that is only signed has none."""


def propagate(operation: Operation, host: str) -> None:
    """Let the request of ``operation`` carry its trace, if the setting names the host."""
    if operation.telemetry.settings.propagate_headers:
        headers = _TraceHeaders(headers_for(operation.telemetry, host, operation.context))
        operation.context = _HEADERS.set(headers, operation.context)


def with_trace_headers(telemetry: Telemetry, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Add the headers to what ``_convert_to_request_dict`` returns."""
    headers = _HEADERS.get()
    if headers is not None:
        request["headers"].update(headers.carrier)
    return request
