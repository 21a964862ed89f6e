"""Our error costs no span and raises nothing."""

from __future__ import annotations

from typing import Any

import pytest
from failing_hooks import check_failing_hooks
from google import genai
from google_calls import MODEL

from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
from otel_agents.testing.scripted_model import (
    Disconnect,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
)


@pytest.mark.parametrize("failure", [None, Disconnect(), Failure(429)])
def test_our_error_costs_no_span(
    failure: Disconnect | Failure | None, client: genai.Client, model: ScriptedModel
) -> None:
    def weather(city: str) -> str:
        """Return the weather of a city."""
        return city

    weather.__annotations__ = {
        "city": str,
        "return": str,
    }  # 1.0 reads no annotations that are strings
    config: Any = {"tools": [weather]}

    def converse() -> Any:
        call = Response(tool_calls=[ToolCall("weather", {"city": "Bern"})])
        model.script(*([failure] * 3 if failure else [call, "answer", "streamed"]))
        received: list[Any] = []
        for send in (
            lambda: client.models.generate_content(model=MODEL, contents="hi", config=config).text,
            lambda: len(list(client.models.generate_content_stream(model=MODEL, contents="hi"))),
            lambda: len(client.models.embed_content(model="m", contents="hi").embeddings or ()),
        ):
            try:
                received.append(send())
            except Exception as error:  # noqa: BLE001  which one depends on the SDK's transport
                received.append(type(error))
        return received

    assert check_failing_hooks(GoogleGenAIInstrumentor, converse) > 8
