"""Models, ids and providers are the provider's own, or LiteLLM's route: never generated."""

from __future__ import annotations

from typing import Any

import pytest
from litellm_calls import MESSAGES, VERSION, litellm, route

from otel_agents.instrumentors.litellm._results import model_of, response_id_of, stream_id
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
GENERATED = "chatcmpl-11111111-2222-3333-4444-555555555555"


def recorded(emission: Emission) -> tuple[Any, ...]:
    attributes = dict(emission.span.attributes or {})
    names = ("provider.name", "request.model", "response.model", "response.id")
    return tuple(attributes.get(f"gen_ai.{name}") for name in names)


def send(arguments: dict[str, Any], stream: bool) -> None:
    response = litellm.completion(messages=MESSAGES, stream=stream, **arguments)
    if stream:
        list(response)


each_form = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("github/gpt-4o", "github"),
        ("nvidia_nim/meta/llama3", "nvidia_nim"),
        ("perplexity/sonar", "perplexity"),
        ("openai/gpt-4o", "openai"),
        ("custom_openai/gpt-4o", "openai"),
    ],
)
@each_form
def test_an_unknown_host_has_litellms_provider(
    name: str,
    provider: str,
    stream: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Any,
) -> None:
    instrument()
    model.script(Response("Hi", model="theirs", id="chatcmpl-theirs"))
    send(route(name, model), stream)
    assert recorded(emission) == (provider, name.partition("/")[2], "theirs", "chatcmpl-theirs")
    ((measured, _),) = emission.points()["gen_ai.client.operation.duration"]
    assert measured["gen_ai.provider.name"] == provider


@pytest.mark.usefixtures("instrument")
def test_generated_ids_and_models_are_not_recorded() -> None:
    response = {"id": GENERATED, "model": "nvidia_nim/meta/llama3"}
    assert response_id_of(response, None) is None
    assert response_id_of(response, '{"id": "theirs"}') == "theirs"
    assert response_id_of(response, f'{{"id": "{GENERATED}"}}') == GENERATED
    assert response_id_of(response, "{}") is None
    assert stream_id(response) is None
    assert stream_id({"id": GENERATED.removeprefix("chat")}) is None
    assert model_of(response, "nvidia_nim", None) == "meta/llama3"
    assert model_of(response, "nvidia_nim", '{"model": "meta/llama3"}') == "meta/llama3"
    assert model_of(response, "nvidia_nim", '{"model": "theirs"}') == "theirs"
    assert model_of(response, "nvidia_nim", '{"modelVersion": "theirs"}') == "theirs"
    assert model_of(response, "nvidia_nim", "{}") is None


if VERSION >= (1, 110):

    @pytest.mark.parametrize("way", ["converse/", "us-east-1/", ""])
    @each_form
    def test_the_route_is_no_part_of_a_bedrock_models_name(
        way: str,
        stream: bool,
        model: ScriptedModel,
        emission: Emission,
        instrument: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION_NAME"):
            monkeypatch.setenv(name, "us-east-1")
        instrument()
        arguments = {"aws_bedrock_runtime_endpoint": model.base_url}
        send({"model": f"bedrock/{way}{CLAUDE}", **arguments}, stream)
        assert recorded(emission) == ("aws.bedrock", CLAUDE, None, None)

    @pytest.mark.parametrize(
        ("name", "response_id"),
        [("groq/qwen-qwq-32b", GENERATED), ("hosted_vllm/llama", "chatcmpl-theirs")],
    )
    @each_form
    def test_the_response_model_is_the_providers(
        name: str,
        response_id: str,
        stream: bool,
        model: ScriptedModel,
        emission: Emission,
        instrument: Any,
    ) -> None:
        """In a stream LiteLLM replaces the response's model by the requested one."""
        instrument()
        model.script(Response("Hi", model="theirs", id=response_id))
        send(route(name, model), stream)
        provider, _, requested = name.partition("/")
        assert recorded(emission) == (provider, requested, "theirs", response_id)

    @each_form
    def test_the_model_of_gemini_is_its_version(
        stream: bool, model: ScriptedModel, emission: Emission, instrument: Any
    ) -> None:
        instrument()
        model.script(Response("Hi", model="gemini-2.0-flash-001", id="theirs"))
        url = f"{model.base_url}/v1beta/models/gemini-2.0-flash"
        send({"model": "gemini/gemini-2.0-flash", "api_base": url, "api_key": "none"}, stream)
        expected = ("gcp.gemini", "gemini-2.0-flash", "gemini-2.0-flash-001", "theirs")
        assert recorded(emission) == expected
