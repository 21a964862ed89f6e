"""Google's API of Gemini models, at the paths of the Gemini API and Vertex AI."""

from __future__ import annotations

import re
from functools import partial

from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.google import embed, generate, predict
from otel_agents.testing.scripted_model.google.shapes import error_event, error_status
from otel_agents.testing.scripted_model.ledger import Kind


def _path(method: str, model: str = "[^/:]+") -> re.Pattern[str]:
    return re.compile(f"/models/(?P<model>{model}):{method}$")


_endpoint = partial(Endpoint, "POST", error=error_status, event_error=error_event)
_generate = partial(
    _endpoint,
    api="generate_content",
    kind=Kind.INFERENCE,
    write=generate.write,
    read=generate.read,
)
_embed = partial(
    _endpoint, api="embed_content", kind=Kind.EMBEDDINGS, write=embed.write, read=embed.read
)

# The first matching row wins, so Imagen's models come before embeddings.
ENDPOINTS: tuple[Endpoint, ...] = (
    _generate(_path("generateContent")),
    _generate(_path("streamGenerateContent"), streamed=True),
    _endpoint(_path("predict", "imag[^/:]+"), "images", Kind.IMAGE, predict.write, predict.read),
    _endpoint(_path("predictLongRunning"), "videos", Kind.OTHER, predict.write_video, predict.read),
    _embed(_path("(?:batchEmbedContents|embedContent|predict)")),
)
