"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

from typing import Any, ClassVar

import openai
import pytest
from edited_laws import EditedLaws
from openai_calls import VERSION

from otel_agents.testing.emission import Emission


class TestEdited(EditedLaws):
    """The laws for chat."""

    content: ClassVar[dict[str, Any]] = {
        "gen_ai.input.messages": [
            {"role": "system", "parts": [{"type": "text", "content": "SENT"}]},
            {"role": "user", "parts": [{"type": "text", "content": "SENT"}]},
        ],
        "gen_ai.tool.definitions": [{"type": "function", "name": "SENT"}],
    }

    def request(self) -> dict[str, Any]:
        return {
            "messages": [
                {"role": "system", "content": "SENT"},
                {"role": "user", "content": [{"type": "text", "text": "SENT"}]},
            ],
            "tools": [{"type": "function", "function": {"name": "SENT"}}],
        }

    def edit(self, sent: dict[str, Any]) -> None:
        messages = sent["messages"]
        messages[0]["content"] = "EDITED"
        messages[1]["content"][0]["text"] = "EDITED"
        messages.append({"role": "user", "content": "EDITED"})
        sent["tools"][0]["function"]["name"] = "EDITED"

    def edit_response(self, response: Any) -> None:
        response.choices[0].message.content = "EDITED"


if VERSION >= (1, 66):

    @pytest.mark.usefixtures("with_content")
    def test_edited_while_a_response_is_streamed(client: openai.OpenAI, emission: Emission) -> None:
        sent: Any = [{"role": "user", "content": "SENT"}]
        for _ in client.responses.create(model="m", stream=True, input=sent, instructions="SENT"):
            sent[0]["content"] = "EDITED"
        assert "SENT" in emission.texts()
        assert "EDITED" not in emission.texts()
