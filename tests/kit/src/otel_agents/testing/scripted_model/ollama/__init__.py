"""Ollama's own API: chat, completions and embeddings; OpenAI's are served besides, below /v1."""

from __future__ import annotations

import re
from functools import partial

from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.ledger import Kind
from otel_agents.testing.scripted_model.ollama import embed, generate
from otel_agents.testing.scripted_model.ollama.shapes import error_event, error_status

_endpoint = partial(Endpoint, "POST", error=error_status, event_error=error_event)

ENDPOINTS: tuple[Endpoint, ...] = (
    _endpoint(
        re.compile("^/api/chat$"),
        "chat",
        Kind.INFERENCE,
        generate.write_chat,
        generate.read_chat,
    ),
    _endpoint(
        re.compile("^/api/generate$"),
        "generate",
        Kind.INFERENCE,
        generate.write_completion,
        generate.read_prompt,
    ),
    _endpoint(re.compile("^/api/embed$"), "embed", Kind.EMBEDDINGS, embed.write, embed.read),
)
