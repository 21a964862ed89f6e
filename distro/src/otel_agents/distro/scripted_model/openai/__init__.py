"""OpenAI's API, at OpenAI's own paths, Azure's and those of compatible hosts: any prefix will do."""

from __future__ import annotations

import re

from otel_agents.distro.scripted_model.dialect import Endpoint
from otel_agents.distro.scripted_model.ledger import Kind
from otel_agents.distro.scripted_model.openai import chat, embeddings, responses

_DEPLOYMENT = r"(?:/deployments/(?P<model>[^/]+))?"  # Azure names the model in the path


def _path(end: str) -> re.Pattern[str]:
    return re.compile(_DEPLOYMENT + end + "$")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        _path("/chat/completions"),
        "chat.completions",
        Kind.INFERENCE,
        chat.write,
        chat.read,
    ),
    Endpoint(
        "POST",
        _path("/embeddings"),
        "embeddings",
        Kind.EMBEDDINGS,
        embeddings.write,
        embeddings.read,
    ),
    Endpoint(
        "POST",
        _path("/responses"),
        "responses",
        Kind.INFERENCE,
        responses.write,
        responses.read,
        event_error=responses.event_error,
    ),
    Endpoint(
        "GET",
        _path("/responses/(?P<id>[^/]+)"),
        "responses.retrieve",
        Kind.FETCH,
        responses.write_stored,
        scripted=False,
    ),
    Endpoint(
        "POST",
        _path("/responses/(?P<id>[^/]+)/cancel"),
        "responses.cancel",
        Kind.OTHER,
        responses.write_cancelled,
        scripted=False,
    ),
)
