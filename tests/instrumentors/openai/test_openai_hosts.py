"""Provider and host of a call, and which hosts get trace headers."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from header_laws import HeaderLaws
from openai_calls import MESSAGES

from otel_agents.instrumentors.openai._requests import ENDPOINTS
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://api.openai.com/v1", ("openai", "api.openai.com", 443)),
        ("https://eu.api.openai.com/v1", ("openai", "eu.api.openai.com", 443)),
        ("https://api.x.ai/v1", ("x_ai", "api.x.ai", 443)),
        ("https://api.deepseek.com", ("deepseek", "api.deepseek.com", 443)),
        ("https://api.groq.com/openai/v1", ("groq", "api.groq.com", 443)),
        ("https://api.mistral.ai/v1", ("mistral_ai", "api.mistral.ai", 443)),
        ("https://api.perplexity.ai", ("perplexity", "api.perplexity.ai", 443)),
        ("https://api.moonshot.cn/v1", ("moonshot_ai", "api.moonshot.cn", 443)),
        ("https://api.anthropic.com/v1/", ("anthropic", "api.anthropic.com", 443)),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            ("gcp.gemini", "generativelanguage.googleapis.com", 443),
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1",
            ("gcp.vertex_ai", "us-central1-aiplatform.googleapis.com", 443),
        ),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
            ("aws.bedrock", "bedrock-runtime.us-east-1.amazonaws.com", 443),
        ),
        (
            "https://me.openai.azure.com/openai/v1/",
            ("azure.ai.openai", "me.openai.azure.com", 443),
        ),
        ("http://localhost:8000/v1", ("openai", "localhost", 8000)),
        ("http://notapi.x.ai.example/v1", ("openai", "notapi.x.ai.example", 80)),
    ],
)
def test_the_host_determines_the_provider(url: str, endpoint: tuple[str, str, int]) -> None:
    with openai.OpenAI(base_url=url, api_key="none") as client:
        assert ENDPOINTS.of(client)[:3] == endpoint


def test_a_new_base_url_changes_the_endpoint() -> None:
    with openai.OpenAI(base_url="https://api.x.ai/v1", api_key="none") as client:
        assert ENDPOINTS.of(client).provider == "x_ai"
        client.base_url = "https://api.deepseek.com"
        assert ENDPOINTS.of(client).provider == "deepseek"


@pytest.mark.usefixtures("instrumented")
def test_a_request_to_an_absolute_url_is_recorded(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    url = f"{model.openai_url}/chat/completions?version=1"
    response: Any = client.post(url, body=body, cast_to=object)
    assert response["id"] == (emission.span.attributes or {})["gen_ai.response.id"]
    assert emission.names == ["chat m"]


@pytest.mark.usefixtures("instrumented")
def test_azure_openai(model: ScriptedModel, emission: Emission) -> None:
    with openai.AzureOpenAI(
        azure_endpoint=model.base_url, api_key="none", api_version="2024-02-01", max_retries=0
    ) as client:
        client.chat.completions.create(model="my-deployment", messages=MESSAGES)
        list(client.chat.completions.create(model="my-deployment", messages=MESSAGES, stream=True))
        client.embeddings.create(model="my-embeddings", input="text")
    assert emission.names == ["chat my-deployment"] * 2 + ["embeddings my-embeddings"]
    providers = [(span.attributes or {})["gen_ai.provider.name"] for span in emission.spans]
    assert providers == ["azure.ai.openai"] * 3
    streamed = dict(emission.spans[1].attributes or {})
    assert streamed["gen_ai.response.finish_reasons"] == ("stop",)
    assert str(streamed["gen_ai.response.id"]).startswith("chatcmpl-")


class TestHeaders(HeaderLaws):
    """The laws for chat."""
