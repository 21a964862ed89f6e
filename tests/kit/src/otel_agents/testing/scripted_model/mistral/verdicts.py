"""Verdicts on a conversation, and on a record of a data set: `POST /v1/observability/…/live-judging`."""

from __future__ import annotations

from otel_agents.testing.scripted_model.dialect import Exchange, ParsedRequest, Reply, body_reply
from otel_agents.testing.scripted_model.openai import chat
from otel_agents.testing.scripted_model.values import Json


def read(body: Json) -> ParsedRequest:
    """Parse a request; that for a record has no messages."""
    return chat.read(body) if "messages" in body else ParsedRequest()


def write(exchange: Exchange) -> Reply:
    """Return the scripted text as the analysis; the API reports no usage."""
    payload: Json = {
        "analysis": exchange.response.content,
        "answer": "good",
        **exchange.response.extra,
    }
    return body_reply(exchange, payload, None, exchange.numbers.id("verdict-"))
