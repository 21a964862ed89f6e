"""Responses that an SDK received and did not parse: it raises, and the provider bills them."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls import bodies

__all__ = ["unparsed_response"]

_FIRST_ERROR: Final = 400
"""The first HTTP status that is an error."""


def unparsed_response(error: object) -> dict[str, Any] | None:
    """Return the response that ``error`` says is none, as JSON; None for any other error."""
    status, body = getattr(error, "status_code", None), getattr(error, "body", None)
    if not isinstance(status, int) or status >= _FIRST_ERROR:
        return None
    read = bodies.parsed(body) if isinstance(body, str) else body
    if not isinstance(read, dict):
        return None
    response = cast("dict[str, Any]", read)
    is_event = response.get("error") or isinstance(response.get("data"), dict)
    return None if is_event else response
