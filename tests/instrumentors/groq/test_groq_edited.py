"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

from typing import Any, ClassVar

from edited_laws import EditedLaws


class TestEdited(EditedLaws):
    """The laws for chat."""

    content: ClassVar[dict[str, Any]] = {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "SENT"}]}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "SENT"}],
    }

    def request(self) -> dict[str, Any]:
        return {
            "messages": [{"role": "user", "content": [{"type": "text", "text": "SENT"}]}],
            "tools": [{"type": "function", "function": {"name": "SENT"}}],
        }

    def edit(self, sent: dict[str, Any]) -> None:
        sent["messages"][0]["content"][0]["text"] = "EDITED"
        sent["messages"].append({"role": "user", "content": "EDITED"})
        sent["tools"][0]["function"]["name"] = "EDITED"

    def edit_response(self, response: Any) -> None:
        response.choices[0].message.content = "EDITED"
