"""Amazon Bedrock's Converse API."""

from __future__ import annotations

import re

from otel_agents.testing.scripted_model.bedrock import converse
from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.ledger import Kind

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    Endpoint(
        "POST",
        re.compile(f"^/model/(?P<model>[^/]+)/{method}$"),
        "converse",
        Kind.INFERENCE,
        converse.write,
        converse.read,
        streamed=streamed,
        error=converse.error_status,
        event_error=converse.error_event,
    )
    for method, streamed in (("converse", False), ("converse-stream", True))
)
