"""OpenAI's API, at the paths of OpenAI, Azure and compatible hosts: any prefix matches."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from otel_agents.testing.scripted_model.dialect import Endpoint, Exchange, ParsedRequest, Reply
from otel_agents.testing.scripted_model.ledger import Kind
from otel_agents.testing.scripted_model.openai import (
    audio,
    chat,
    completions,
    embeddings,
    groq,
    images,
    models,
    responses,
)
from otel_agents.testing.scripted_model.values import Json


def _path(end: str) -> re.Pattern[str]:
    azure = r"(?:/deployments/(?P<model>[^/]+))?"  # Azure names the model in the path
    return re.compile(f"{azure}{end}$")


def _post(
    path: str,
    api: str,
    kind: Kind,
    write: Callable[[Exchange], Reply],
    read: Callable[[Json], ParsedRequest],
) -> Endpoint:
    return Endpoint("POST", _path(path), api, kind, write, read)


_image = partial(_post, kind=Kind.IMAGE, read=images.read)
_upload = partial(_post, kind=Kind.AUDIO, read=audio.read_upload)
_stored = partial(Endpoint, scripted=False)

# The first matching row wins, so Groq's comes first, and chat completions before completions.
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        re.compile("/groq/openai/v1/chat/completions$"),
        "chat.completions",
        Kind.INFERENCE,
        groq.write_chat,
        chat.read,
        error=groq.error_status,
        event_error=groq.error_event,
    ),
    _post("/chat/completions", "chat.completions", Kind.INFERENCE, chat.write, chat.read),
    _post("/completions", "completions", Kind.INFERENCE, completions.write, completions.read),
    Endpoint(
        "POST",
        _path("/responses"),
        "responses",
        Kind.INFERENCE,
        responses.write,
        responses.read,
        event_error=responses.event_error,
    ),
    _post(
        "/responses/compact",
        "responses.compact",
        Kind.INFERENCE,
        responses.write_compacted,
        responses.read,
    ),
    _post("/decisions", "decisions", Kind.INFERENCE, responses.write_decided, responses.read),
    _post("/embeddings", "embeddings", Kind.EMBEDDINGS, embeddings.write, embeddings.read),
    _image("/images/generations", "images.generate", write=images.writer("image_generation")),
    _image("/images/edits", "images.edit", write=images.writer("image_edit")),
    _image("/images/variations", "images.variation", write=images.writer("image_variation")),
    _post("/audio/speech", "audio.speech", Kind.AUDIO, audio.write_speech, audio.read_speech),
    _upload("/audio/transcriptions", "audio.transcriptions", write=audio.write_transcription),
    _upload("/audio/translations", "audio.translations", write=audio.write_translation),
    _stored(
        "GET",
        _path("/responses/(?P<id>[^/]+)"),
        "responses.retrieve",
        Kind.FETCH,
        responses.write_stored,
    ),
    _stored(
        "POST",
        _path("/responses/(?P<id>[^/]+)/cancel"),
        "responses.cancel",
        Kind.OTHER,
        responses.write_cancelled,
    ),
    _stored(
        "DELETE",
        _path("/responses/(?P<id>[^/]+)"),
        "responses.delete",
        Kind.OTHER,
        responses.write_deleted,
    ),
    _stored("GET", _path("/models"), "models.list", Kind.OTHER, models.write_list),
    _stored("GET", _path("/models/(?P<id>.+)"), "models.retrieve", Kind.OTHER, models.write_one),
)
