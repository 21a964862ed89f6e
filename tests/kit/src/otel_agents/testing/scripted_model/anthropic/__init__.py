"""Anthropic's API, at its own path, those of compatible hosts, and those of the clouds."""

from __future__ import annotations

import re
from collections.abc import Callable

from otel_agents.testing.scripted_model.anthropic import clouds, completions, messages
from otel_agents.testing.scripted_model.bedrock import converse
from otel_agents.testing.scripted_model.dialect import Endpoint, Exchange, Reply
from otel_agents.testing.scripted_model.ledger import Kind


def _messages(path: str, write: Callable[[Exchange], Reply] = messages.write) -> Endpoint:
    return Endpoint(
        "POST",
        re.compile(path),
        "messages",
        Kind.INFERENCE,
        write,
        messages.read,
        error=messages.error_status,
        event_error=messages.error_event,
    )


def _invocation(method: str, *, streamed: bool) -> Endpoint:
    return Endpoint(
        "POST",
        re.compile(rf"^/model/(?P<model>[^/]*anthropic[^/]*)/{method}$"),
        "messages",
        Kind.INFERENCE,
        clouds.invoke,
        messages.read,
        streamed=streamed,
        error=converse.error_status,
        event_error=converse.error_event,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    _messages("/messages$"),  # any prefix matches
    _messages(r"/publishers/anthropic/models/(?P<model>[^/]+):(?:rawPredict|streamRawPredict)$"),
    _invocation("invoke", streamed=False),
    _invocation("invoke-with-response-stream", streamed=True),
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
