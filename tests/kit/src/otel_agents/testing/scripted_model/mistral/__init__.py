"""Mistral's API below `/mistral`, and its models on Vertex AI; OpenAI's chat has the same paths without it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from otel_agents.testing.scripted_model.dialect import Endpoint, Exchange, ParsedRequest, Reply
from otel_agents.testing.scripted_model.ledger import Kind
from otel_agents.testing.scripted_model.mistral import (
    audio,
    chat,
    conversations,
    documents,
    verdicts,
)
from otel_agents.testing.scripted_model.mistral.shapes import error_event, error_status
from otel_agents.testing.scripted_model.openai import responses
from otel_agents.testing.scripted_model.values import Json

_VERTEX = "publishers/mistralai/models/(?P<model>[^/:@]+)(?:@[^:]+)?"


def _post(
    path: str,
    api: str,
    write: Callable[[Exchange], Reply],
    read: Callable[[Json], ParsedRequest],
    *,
    kind: Kind = Kind.INFERENCE,
    streamed: bool = False,
) -> Endpoint:
    return Endpoint(
        "POST",
        re.compile(path),
        api,
        kind,
        write,
        read,
        streamed=streamed,
        error=error_status,
        event_error=error_event,
    )


_vertex = partial(_post, api="chat.completions", write=chat.write, read=chat.read)
_conversation = partial(_post, write=conversations.write, read=conversations.read)

ENDPOINTS: tuple[Endpoint, ...] = (
    _post("^/mistral/(?:.*/)?fim/completions$", "fim.completions", chat.write, chat.read),
    _post("^/mistral/(?:.*/)?agents/completions$", "agents.completions", chat.write, chat.read),
    _post("^/mistral/(?:.*/)?chat/completions$", "chat.completions", chat.write, chat.read),
    _vertex(f"{_VERTEX}:rawPredict$"),
    _vertex(f"{_VERTEX}:streamRawPredict$", streamed=True),
    _post(
        "^/mistral/(?:.*/)?embeddings$",
        "embeddings",
        documents.write_embeddings,
        documents.read_embeddings,
        kind=Kind.EMBEDDINGS,
    ),
    _post("^/mistral/(?:.*/)?ocr$", "ocr", documents.write_pages, documents.read_pages),
    _post(
        "^/mistral/(?:.*/)?audio/transcriptions$",
        "audio.transcriptions",
        audio.write_transcription,
        audio.read_transcription,
        kind=Kind.AUDIO,
    ),
    _post(
        "^/mistral/(?:.*/)?audio/speech$",
        "audio.speech",
        audio.write_speech,
        audio.read_speech,
        kind=Kind.AUDIO,
    ),
    _post(
        "^/mistral/v1/observability/(?:judges|dataset-records)/[^/]+/live-judging$",
        "observability.verdicts",
        verdicts.write,
        verdicts.read,
    ),
    _post("^/mistral/(?:.*/)?responses$", "responses", responses.write, responses.read),
    _conversation("^/mistral/v1/conversations$", "conversations.start"),
    _conversation("^/mistral/v1/conversations/(?P<id>[^/]+)$", "conversations.append"),
    _conversation("^/mistral/v1/conversations/(?P<id>[^/]+)/restart$", "conversations.restart"),
)
