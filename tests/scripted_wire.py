"""Requests to the scripted model over plain HTTP, for what an SDK hides or is too old for."""

from __future__ import annotations

import http.client
import json
from typing import Any

__all__ = ["events", "send"]


def send(
    connection: http.client.HTTPConnection, path: str, body: Any = None
) -> tuple[int, dict[str, Any]]:
    """Return status and JSON; without a body the request is a GET."""
    method = "GET" if body is None else "POST"
    connection.request(method, path, json.dumps(body) if body is not None else None)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def events(connection: http.client.HTTPConnection, path: str, body: Any) -> list[tuple[str, Any]]:
    """Return name ("" if it has none) and data of the events of a stream."""
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None)
    found: list[tuple[str, Any]] = []
    for block in connection.getresponse().read().decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        data = fields["data"]
        found.append((fields.get("event", ""), data if data == "[DONE]" else json.loads(data)))
    return found
