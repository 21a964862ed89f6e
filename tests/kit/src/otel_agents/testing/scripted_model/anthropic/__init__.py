"""Anthropic's API, at its own path, those of compatible hosts, and that of Vertex AI."""

from __future__ import annotations

import re

from otel_agents.testing.scripted_model.anthropic import completions, messages
from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.ledger import Kind


def _messages(path: str) -> Endpoint:
    return Endpoint(
        "POST",
        re.compile(path),
        "messages",
        Kind.INFERENCE,
        messages.write,
        messages.read,
        error=messages.error_status,
        event_error=messages.error_event,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    _messages("/messages$"),  # any prefix matches
    _messages(r"/publishers/anthropic/models/(?P<model>[^/]+):(?:rawPredict|streamRawPredict)$"),
    Endpoint(
        "POST",
        re.compile("/complete$"),
        "completions",
        Kind.INFERENCE,
        completions.write,
        completions.read,
        error=messages.error_status,
        event_error=messages.error_event,
    ),
)
