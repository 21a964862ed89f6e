"""What counts as a provider's code of an error: any other text may be content."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.openai.apis import APIS
from otel_agents.instrumentors._dialects.openai.generation import Generation
from otel_agents.instrumentors._dialects.openai.responses import failure_of
from otel_agents.testing.emission import Emission

SERVER = ("toy.example", 443)
TEXT = "No, planted-secret"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"type": "overloaded_error"}}, "overloaded_error"),
        ({"type": "error", "error": {"code": "3505"}}, "3505"),
        ({"type": "error", "error": {"message": TEXT}}, None),
        ({"type": "error", "error": TEXT}, None),
        ({"error": {"type": TEXT, "code": "x" * 65}}, None),
        ({"error": {"type": 7, "code": ["a"]}}, None),
        ([TEXT], None),
        (None, None),
    ],
)
def test_the_code_in_a_body(body: Any, code: str | None) -> None:
    assert code_in(body, "type", "code") == code


@pytest.mark.parametrize(("code", "kind"), [("server_error", "server_error"), (TEXT, "_OTHER")])
def test_the_code_of_a_response_that_fails(code: str, kind: str, emission: Emission) -> None:
    failed = {"status": "failed", "error": {"code": code, "message": TEXT}}
    assert failure_of(failed) == (True, None if kind == "_OTHER" else kind)
    telemetry = Telemetry("otel_agents.instrumentors.openai", **emission.providers)
    for event in ({"type": "response.failed", "response": failed}, {"type": "error", "code": code}):
        generation = Generation(
            telemetry, APIS["/responses"], {}, "openai", SERVER, provider_is_guess=False
        )
        generation.chunk(event)
        generation.end()
    assert [(span.attributes or {})["error.type"] for span in emission.spans] == [kind, kind]
    assert TEXT not in emission.texts()
