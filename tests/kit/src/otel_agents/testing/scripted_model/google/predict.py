"""Imagen's pictures, `POST …/models/imagen-…:predict`, and Veo's videos, `:predictLongRunning`."""

from __future__ import annotations

import base64

from otel_agents.testing.scripted_model.dialect import Exchange, ParsedRequest, Reply, body_reply
from otel_agents.testing.scripted_model.values import Json, json_object, json_objects, whole

_PNG = b"\x89PNG-scripted"


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    instances = json_objects(body.get("instances"))
    prompts = [str(instance.get("prompt") or "") for instance in instances]
    samples = json_object(body.get("parameters")).get("sampleCount")
    return ParsedRequest(prompt="\n".join(prompts), choices=whole(samples, 1))


def write(exchange: Exchange) -> Reply:
    """Return pictures; the API reports no usage."""
    scripted = exchange.response
    count = scripted.choices or exchange.request.choices
    predictions = [
        {"bytesBase64Encoded": base64.b64encode(image).decode(), "mimeType": "image/png"}
        for image in list(scripted.images) or [_PNG] * count
    ]
    payload: Json = {"predictions": predictions, **scripted.extra}
    return body_reply(exchange, payload, None, exchange.numbers.id("img-"))


def write_video(exchange: Exchange) -> Reply:
    """Return the name of the operation that generates a video, which nothing here does."""
    name = f"models/{exchange.request.model}/operations/{exchange.numbers.id('op-')}"
    return body_reply(exchange, {"name": name, **exchange.response.extra}, None, name)
