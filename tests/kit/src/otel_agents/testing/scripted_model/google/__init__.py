"""Google's API of Gemini models, at the paths of the Gemini API and Vertex AI."""

from __future__ import annotations

import re

from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.google import generate
from otel_agents.testing.scripted_model.ledger import Kind

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    Endpoint(
        "POST",
        re.compile(f"/models/(?P<model>[^/:]+):{method}$"),
        "generate_content",
        Kind.INFERENCE,
        generate.write,
        generate.read,
        streamed=streamed,
        error=generate.error_status,
        event_error=generate.error_event,
    )
    for method, streamed in (("generateContent", False), ("streamGenerateContent", True))
)
