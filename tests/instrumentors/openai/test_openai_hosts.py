"""Provider and host of a call, and which hosts get trace headers."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import openai
import pydantic
import pytest
from header_laws import HeaderLaws
from openai_calls import MESSAGES

from otel_agents.instrumentors.openai._requests import ENDPOINTS
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

httpx: Any = import_module("httpx2" if find_spec("httpx2") else "httpx")


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
def test_a_response_that_the_caller_takes_as_httpx_has_its_usage(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    kind = httpx.Response
    body = {"model": "m", "messages": MESSAGES}
    response: Any = client.post("/chat/completions", body=body, cast_to=kind)
    attributes = dict(emission.span.attributes or {})
    assert type(response) is kind
    assert response.json()["id"] == attributes["gen_ai.response.id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0


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


@pytest.mark.usefixtures("instrumented")
def test_a_request_for_the_response_of_the_http_client(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "messages": MESSAGES}
    response: Any = client.post("/chat/completions", cast_to=httpx.Response, body=body)
    assert type(response) is httpx.Response
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.response.id"] == response.json()["id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0


@pytest.mark.usefixtures("instrumented")
def test_a_stream_of_groq_reports_its_usage_unrequested(
    model: ScriptedModel, emission: Emission
) -> None:
    url = f"{model.base_url}/groq/openai/v1"
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    attributes = dict(emission.span.attributes or {})
    recorded = [attributes[f"gen_ai.usage.{kind}_tokens"] for kind in ("input", "output")]
    assert recorded == [model.ledger.input_tokens, model.ledger.output_tokens]
    assert model.ledger.input_tokens > 0


class _Message(pydantic.BaseModel):
    role: str
    content: str


class _Request(pydantic.BaseModel):
    model: str
    messages: list[_Message]
    max_tokens: int = pydantic.Field(alias="max_completion_tokens")
    user: str = "not sent"


@pytest.mark.filterwarnings("ignore:Passing raw bytes:DeprecationWarning")
@pytest.mark.parametrize("kind", ["dict", "model", "bytes", "content"])
@pytest.mark.usefixtures("with_content")
def test_a_body_of_any_kind_is_read(kind: str, client: openai.OpenAI, emission: Emission) -> None:
    body: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
    }
    sent: dict[str, Any] = {"body": body}
    if kind == "model":
        sent["body"] = _Request(**body)
    elif kind != "dict":
        json_header = {"headers": {"content-type": "application/json"}}
        name = "body" if kind == "bytes" else "content"
        sent = {name: json.dumps(body).encode(), "options": json_header}
    if not accepts(client, kind):
        pytest.skip("this version does not send it")
    client.post("/chat/completions", cast_to=object, **sent)
    attributes = dict(emission.span.attributes or {})
    assert (emission.span.name, attributes["gen_ai.request.max_tokens"]) == ("chat m", 9)
    (message,) = json.loads(str(attributes["gen_ai.input.messages"]))
    assert message == {"role": "user", "parts": [{"type": "text", "content": "hi"}]}


def accepts(client: openai.OpenAI, kind: str) -> bool:
    """Return whether the SDK sends such a body."""
    if kind == "content":
        return "content" in inspect.signature(client.post).parameters
    return kind == "dict" or find_spec("openai._utils._json") is not None


@pytest.mark.parametrize("kind", [str, bytes])
@pytest.mark.usefixtures("instrumented")
def test_a_response_that_the_caller_takes_as_text_has_its_usage(
    kind: type[str | bytes], client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "messages": MESSAGES}
    response: Any = client.post("/chat/completions", body=body, cast_to=kind)
    attributes = dict(emission.span.attributes or {})
    assert type(response) is kind
    assert json.loads(response)["id"] == attributes["gen_ai.response.id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
