"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from stainless_calls import Sdk

from otel_agents.testing.emission import Emission

__all__ = ["EditedLaws", "check_recorded"]


def check_recorded(emission: Emission, content: dict[str, Any]) -> None:
    """Check the span's attributes that ``content`` names, and that no text of the edits is recorded."""
    found: dict[str, Any] = dict(emission.span.attributes or {})
    assert {name: json.loads(found[name]) for name in content if name in found} == content
    assert "EDITED" not in emission.texts()


@pytest.mark.usefixtures("with_content")
class EditedLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`.

    Attributes:
        content: The attributes of a span with the content of `request`.
    """

    content: ClassVar[dict[str, Any]]

    def request(self) -> dict[str, Any]:
        """Return arguments whose texts are ``SENT``."""
        raise NotImplementedError

    def edit(self, sent: dict[str, Any]) -> None:
        """Replace each text of a request by ``EDITED``, nested ones too."""
        raise NotImplementedError

    def edit_response(self, response: Any) -> None:
        """Replace the text of a response by ``EDITED``."""
        raise NotImplementedError

    def test_edited_while_a_stream_is_read(self, sdk: Sdk, client: Any, emission: Emission) -> None:
        sent = self.request()
        for number, _ in enumerate(sdk.send(client, stream=True, **sent)):
            if not number:
                self.edit(sent)
        assert "SENT" not in str(sent)
        check_recorded(emission, self.content)

    def test_edited_while_a_response_is_awaited(
        self, sdk: Sdk, run: Callable[..., Any], emission: Emission
    ) -> None:
        sent = self.request()

        async def send(client: Any) -> None:
            stream = await sdk.send(client, stream=True, **sent)
            self.edit(sent)
            async for _ in stream:
                pass

        run(send)
        check_recorded(emission, self.content)

    def test_a_response_that_is_edited_is_recorded_as_received(
        self, sdk: Sdk, client: Any, emission: Emission
    ) -> None:
        response = sdk.send(client, **self.request())
        self.edit_response(response)
        assert "EDITED" in response.model_dump_json()
        check_recorded(emission, self.content)
