"""Imagen's pictures and Veo's videos: requests of their own APIs, which report no tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google import genai
from google.genai import types
from google_calls import VERSION, run_async
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
