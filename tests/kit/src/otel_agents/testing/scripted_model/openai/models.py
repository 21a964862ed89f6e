"""Models: `GET /models` and `GET /models/<id>`, for clients that list models first."""

from __future__ import annotations

from otel_agents.testing.scripted_model.dialect import Exchange, Reply, encode
from otel_agents.testing.scripted_model.openai.shapes import RELEASES
from otel_agents.testing.scripted_model.values import Json


def write_list(exchange: Exchange) -> Reply:
    """Return the models that have a dated release; any other name is served too."""
    return Reply(encode({"object": "list", "data": [_model(name) for name in RELEASES]}))


def write_one(exchange: Exchange) -> Reply:
    """Return the requested model, whatever its name."""
    return Reply(encode(_model(exchange.request.parts["id"])))


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": 1, "owned_by": "scripted-model"}
