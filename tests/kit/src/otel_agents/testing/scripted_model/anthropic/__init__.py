"""Anthropic's API, at its own path and those of compatible hosts: any prefix matches."""

from __future__ import annotations

import re

from otel_agents.testing.scripted_model.anthropic import messages
from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.ledger import Kind

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        re.compile("/messages$"),
        "messages",
        Kind.INFERENCE,
        messages.write,
        messages.read,
        error=messages.error_status,
        event_error=messages.error_event,
    ),
)
