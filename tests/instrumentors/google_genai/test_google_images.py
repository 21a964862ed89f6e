"""Pictures and speech in contents; Imagen's and Veo's own APIs, which report no tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from content_laws import attribute
from google import genai
from google.genai import types
from google_calls import MODEL, VERSION, run_async
from message_parts import blob, text

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel

PNG = b"\x89PNG-1"
PICTURE = blob(PNG)
IMAGE = types.Image(image_bytes=PNG, mime_type="image/png")


def generated(client: Any) -> Any:
    config = {"number_of_images": 2}
    return client.models.generate_images(model="imagen-4", prompt="A house", config=config)


def edited(client: Any) -> Any:
    reference = types.RawReferenceImage(reference_id=1, reference_image=IMAGE)
    return client.models.edit_image(
        model="imagen-3", prompt="A house", reference_images=[reference]
    )


def upscaled(client: Any) -> Any:
    return client.models.upscale_image(model="imagen-3", image=IMAGE, upscale_factor="x2")


def attributes(emission: Emission) -> dict[str, Any]:
    return dict(emission.span.attributes or {})


@pytest.mark.usefixtures("instrumented")
def test_a_picture(vertex: genai.Client, model: ScriptedModel, emission: Emission) -> None:
    assert len(generated(vertex).generated_images) == 2
    assert emission.span.name == "generate_content imagen-4"
    assert attributes(emission) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.request.model": "imagen-4",
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "image",
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (generated, [text("A house")]),
        (edited, [text("A house"), PICTURE]),
        (upscaled, [PICTURE]),
    ],
)
@pytest.mark.usefixtures("with_content")
def test_prompts_and_pictures(
    make: Callable[[Any], Any],
    parts: list[Any],
    vertex: genai.Client,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response(images=[PNG]))
    make(vertex)
    found = attributes(emission)
    assert json.loads(found["gen_ai.input.messages"]) == [{"role": "user", "parts": parts}]
    (message,) = json.loads(found["gen_ai.output.messages"])
    assert message["parts"] == [PICTURE]
    assert found["gen_ai.provider.name"] == "gcp.vertex_ai"


@pytest.mark.usefixtures("instrumented")
def test_async(model: ScriptedModel, emission: Emission) -> None:
    run_async(model.base_url, generated, vertexai=True)
    assert emission.names == ["generate_content imagen-4"]


@pytest.mark.usefixtures("instrumented")
def test_an_error(vertex: genai.Client, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(429))
    with pytest.raises(genai.errors.ClientError):
        generated(vertex)
    assert attributes(emission)["error.type"] == "RESOURCE_EXHAUSTED"


@pytest.mark.skipif(VERSION < (1, 3), reason="generates no videos")
@pytest.mark.usefixtures("instrumented")
def test_a_video_is_generated_later(
    vertex: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    operation = vertex.models.generate_videos(model="veo-3", prompt="A house")
    assert emission.span.name == "generate_content veo-3"
    found = attributes(emission)
    assert found["gen_ai.response.id"] == operation.name
    assert found["otel_agents.response.pending"] is True


@pytest.mark.usefixtures("with_content")
def test_pictures_and_speech_in_a_response(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Here.", images=[PNG], audio=b"RIFF"))
    client.models.generate_content(model=MODEL, contents="Draw")
    (message,) = attribute(emission, "gen_ai.output.messages")
    assert message["parts"] == [
        text("Here."),
        PICTURE,
        blob(b"RIFF", "audio/wav", "audio"),
    ]


@pytest.mark.usefixtures("with_content")
def test_files_and_pictures_that_the_sdk_converts(client: genai.Client, emission: Emission) -> None:
    file = types.File(uri="https://files.example/1", mime_type="audio/mp3", name="files/1")
    contents: list[Any] = [file]
    expected: list[Any] = [
        {
            "type": "uri",
            "modality": "audio",
            "uri": "https://files.example/1",
            "mime_type": "audio/mp3",
        }
    ]
    if VERSION >= (2, 0):
        from PIL import Image

        contents.append(Image.new("RGB", (1, 1)))
        blob = {"type": "blob", "modality": "image", "mime_type": None, "content": ""}
        expected.append(blob)
    client.models.generate_content(model=MODEL, contents=contents)
    (message,) = attribute(emission, "gen_ai.input.messages")
    assert message["parts"] == expected
