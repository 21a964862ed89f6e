"""The requests that a client sends, and trace headers on those for the hosts that a setting names.

The headers are added before the request is signed: earlier versions of botocore sign them too.
"""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.sending import sending
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

__all__ = ["send"]


def send(telemetry: Telemetry, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Add trace headers to what ``_convert_to_request_dict`` returns after it checks arguments."""
    operation = sending()
    if operation is not None and telemetry.settings.propagate_headers:
        host = operation.known.get(attr.SERVER_ADDRESS, "")
        request["headers"].update(headers_for(telemetry, host, operation.context))
    return request
