"""Images and audio: `generate_content` with the requested output type."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

CALLS: dict[str, tuple[Callable[[openai.OpenAI], Any], str, str]] = {
    "image": (
        lambda client: client.images.generate(model="gpt-image-1", prompt="A cat"),
        "generate_content gpt-image-1",
        "image",
    ),
    "speech": (
        lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="Hello"),
        "generate_content tts-1",
        "speech",
    ),
    "transcription": (
        lambda client: client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", io.BytesIO(b"RIFF"))
        ),
        "generate_content whisper-1",
        "text",
    ),
}


@pytest.mark.parametrize(("call", "name", "output_type"), CALLS.values(), ids=CALLS)
@pytest.mark.usefixtures("instrumented")
def test_media_are_generated_content(
    call: Callable[[openai.OpenAI], Any],
    name: str,
    output_type: str,
    client: openai.OpenAI,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    call(client)
    attributes = dict(emission.span.attributes or {})
    assert emission.span.name == name
    assert attributes["gen_ai.operation.name"] == "generate_content"
    assert attributes["gen_ai.output.type"] == output_type
    assert attributes.get("gen_ai.usage.input_tokens", 0) == model.ledger.input_tokens
    assert attributes.get("gen_ai.usage.output_tokens", 0) == model.ledger.output_tokens


@pytest.mark.usefixtures("instrumented")
def test_other_requests_have_no_span(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    client.models.list()
    assert emission.spans == ()


@pytest.mark.usefixtures("with_content")
def test_a_transcript_may_be_plain_text(client: openai.OpenAI, emission: Emission) -> None:
    transcript: Any = client.audio.transcriptions.create(
        model="whisper-1", file=("a.wav", io.BytesIO(b"RIFF")), response_format="text"
    )
    attributes = dict(emission.span.attributes or {})
    assert json.loads(str(attributes["gen_ai.output.messages"])) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": transcript}],
            "finish_reason": "stop",
        }
    ]
