"""Provider and host of a call, and which hosts get trace headers."""

from __future__ import annotations

from typing import Any

import groq
import pytest
from header_laws import HeaderLaws

from otel_agents.instrumentors.groq._requests import ENDPOINTS
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://api.groq.com", ("groq", "api.groq.com", 443, False)),
        ("https://us.api.groq.com", ("groq", "us.api.groq.com", 443, False)),
        ("http://localhost:8000", ("groq", "localhost", 8000, True)),
        ("https://api.x.ai", ("x_ai", "api.x.ai", 443, False)),
    ],
)
def test_an_unknown_host_is_presented_as_groq(url: str, endpoint: tuple[Any, ...]) -> None:
    with groq.Groq(base_url=url, api_key="none") as client:
        assert ENDPOINTS.of(client) == endpoint


@pytest.mark.usefixtures("instrumented")
def test_a_request_to_an_absolute_url_is_recorded(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    url = f"{model.groq_url}/openai/v1/chat/completions?version=1"
    response: Any = client.post(url, body=body, cast_to=object)
    assert response["id"] == (emission.span.attributes or {})["gen_ai.response.id"]
    assert emission.names == ["chat m"]


class TestHeaders(HeaderLaws):
    """The laws for chat."""
