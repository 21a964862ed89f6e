"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from edited_laws import check_recorded
from google import genai
from google.genai import types
from google_calls import MODEL

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("with_content")

CONTENT = {
    "gen_ai.system_instructions": [{"type": "text", "content": "SENT"}],
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "SENT"}]}],
    "gen_ai.tool.definitions": [{"type": "function", "name": "SENT"}],
}


def request() -> dict[str, Any]:
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="SENT")])
    return {
        "model": MODEL,
        "contents": [types.Content(role="user", parts=[types.Part(text="SENT")])],
        "config": types.GenerateContentConfig(
            system_instruction=types.Content(parts=[types.Part(text="SENT")]), tools=[tool]
        ),
    }


def edit(sent: dict[str, Any]) -> None:
    """Edit everything, nested values too."""
    sent["contents"][0].parts[0].text = "EDITED"
    sent["contents"].append(types.Content(role="user", parts=[types.Part(text="EDITED")]))
    sent["config"].system_instruction.parts[0].text = "EDITED"
    sent["config"].tools[0].function_declarations[0].name = "EDITED"


def test_edited_while_a_stream_is_read(client: genai.Client, emission: Emission) -> None:
    sent = request()
    for _ in client.models.generate_content_stream(**sent):
        edit(sent)
    check_recorded(emission, CONTENT)


def test_edited_while_an_async_stream_is_read(run: Callable[..., Any], emission: Emission) -> None:
    sent = request()

    async def send(client: Any) -> None:
        async for _ in await client.models.generate_content_stream(**sent):
            edit(sent)

    run(send)
    check_recorded(emission, CONTENT)


def test_a_response_that_is_edited_is_recorded_as_received(
    client: genai.Client, emission: Emission
) -> None:
    response: Any = client.models.generate_content(model=MODEL, contents="SENT")
    response.candidates[0].content.parts[0].text = "EDITED"
    assert "EDITED" not in emission.texts()


def test_chunks_that_are_edited_are_recorded_as_received(
    client: genai.Client, emission: Emission
) -> None:
    for chunk in client.models.generate_content_stream(model=MODEL, contents="SENT"):
        edited: Any = chunk
        edited.candidates[0].content.parts[0].text = "EDITED"
    assert "EDITED" not in emission.texts()
