"""Anthropic's messages as the clouds serve them: Vertex AI, and `InvokeModel` of Amazon Bedrock."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from otel_agents.testing.scripted_model.anthropic.messages import events, message_of
from otel_agents.testing.scripted_model.bedrock import event_stream
from otel_agents.testing.scripted_model.dialect import Exchange, Frame, Reply, encode
from otel_agents.testing.scripted_model.reactions import Usage
from otel_agents.testing.scripted_model.values import Json

_COUNTS = "X-Amzn-Bedrock-{}-Token-Count"


def invoke(exchange: Exchange) -> Reply:
    """Return Bedrock's response: the message, or its events in Amazon's framing."""
    message, usage = message_of(exchange), exchange.usage
    headers = {"x-amzn-RequestId": exchange.numbers.id(""), **exchange.response.headers}
    if exchange.request.stream:
        frames = tuple(_frames(message, usage))
        kind = event_stream.CONTENT_TYPE
        return Reply(b"", frames, usage, message["id"], kind, headers=headers)
    headers[_COUNTS.format("Input")] = str(message["usage"]["input_tokens"])
    headers[_COUNTS.format("Output")] = str(usage.output_tokens)
    return Reply(encode(message), None, usage, message["id"], headers=headers)


def _frames(message: Json, billed: Usage) -> Iterator[Frame]:
    for event, usage in events(message, billed):
        if event["type"] == "message_stop":
            event["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": message["usage"]["input_tokens"],
                "outputTokenCount": billed.output_tokens,
                "invocationLatency": 1,
                "firstByteLatency": 1,
            }
        chunk = {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}
        yield Frame(event_stream.event("chunk", chunk).data, usage=usage)
