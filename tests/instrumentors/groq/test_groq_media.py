"""Images in a prompt, and audio: `generate_content` with the requested output type."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import groq
import pytest
from groq_calls import VERSION, chat

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

UPLOAD = ("a.wav", io.BytesIO(b"RIFF"))
WHISPER = "whisper-large-v3"  # billed by the second, not by tokens
CALLS: dict[str, tuple[Callable[[groq.Groq], Any], str]] = {
    "transcription": (
        lambda client: client.audio.transcriptions.create(model=WHISPER, file=UPLOAD),
        "text",
    ),
    "translation": (
        lambda client: client.audio.translations.create(model=WHISPER, file=UPLOAD),
        "text",
    ),
}
if VERSION >= (1, 0):
    CALLS["speech"] = (
        lambda client: client.audio.speech.create(model=WHISPER, voice="Fritz", input="Hello"),
        "speech",
    )


@pytest.mark.parametrize(("call", "output_type"), CALLS.values(), ids=CALLS)
@pytest.mark.usefixtures("instrumented")
def test_audio_is_generated_content(
    call: Callable[[groq.Groq], Any],
    output_type: str,
    client: groq.Groq,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    call(client)
    assert emission.span.name == f"generate_content {WHISPER}"
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "groq",
        "gen_ai.request.model": WHISPER,
        "gen_ai.output.type": output_type,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


def content(emission: Emission, name: str) -> Any:
    return json.loads(str((emission.span.attributes or {})[name]))


@pytest.mark.usefixtures("with_content")
def test_an_image_in_a_prompt(client: groq.Groq, emission: Emission) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    sent = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}]
    chat(client, messages=sent)
    (recorded,) = content(emission, "gen_ai.input.messages")
    assert recorded["parts"] == [
        {"type": "text", "content": "What is it?"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
    ]


if VERSION >= (1, 0):

    @pytest.mark.usefixtures("with_content")
    def test_audio_by_url(client: groq.Groq, emission: Emission) -> None:
        client.audio.transcriptions.create(
            model="whisper-large-v3", url="https://example.com/a.wav", prompt="A talk."
        )
        assert content(emission, "gen_ai.input.messages") == [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "A talk."},
                    {"type": "uri", "modality": "audio", "uri": "https://example.com/a.wav"},
                ],
            }
        ]
