"""Models, ids and providers are the provider's own words, or LiteLLM's knowledge of the way: nothing made up."""

from __future__ import annotations

from typing import Any

import pytest
from litellm_calls import MESSAGES, VERSION, litellm, route

from otel_agents.instrumentors.litellm._results import answer_id, chunk_id, model_of
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
MADE_UP = "chatcmpl-11111111-2222-3333-4444-555555555555"


def told(emission: Emission) -> tuple[Any, ...]:
    attributes = dict(emission.span.attributes or {})
    names = ("provider.name", "request.model", "response.model", "response.id")
    return tuple(attributes.get(f"gen_ai.{name}") for name in names)


def ask(arguments: dict[str, Any], stream: bool) -> None:
    answer = litellm.completion(messages=MESSAGES, stream=stream, **arguments)
    if stream:
        list(answer)


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
def test_a_host_that_is_not_known_is_of_the_provider_that_litellm_knows(
    name: str,
    provider: str,
    stream: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Any,
) -> None:
    instrument()
    model.script(Response("Hi", model="theirs", id="chatcmpl-theirs"))
    ask(route(name, model), stream)
    assert told(emission) == (provider, name.partition("/")[2], "theirs", "chatcmpl-theirs")
    ((measured, _),) = emission.points()["gen_ai.client.operation.duration"]
    assert measured["gen_ai.provider.name"] == provider


@pytest.mark.usefixtures("instrument")
def test_what_litellm_makes_is_told_from_what_a_provider_has_said() -> None:
    answer = {"id": MADE_UP, "model": "nvidia_nim/meta/llama3"}
    assert answer_id(answer, None) is None
    assert answer_id(answer, '{"id": "theirs"}') == "theirs"
    assert answer_id(answer, f'{{"id": "{MADE_UP}"}}') == MADE_UP
    assert answer_id(answer, "{}") is None
    assert chunk_id(answer) is None
    assert chunk_id({"id": MADE_UP.removeprefix("chat")}) is None
    assert model_of(answer, "nvidia_nim", None) == "meta/llama3"
    assert model_of(answer, "nvidia_nim", '{"model": "meta/llama3"}') == "meta/llama3"
    assert model_of(answer, "nvidia_nim", '{"model": "theirs"}') == "theirs"
    assert model_of(answer, "nvidia_nim", '{"modelVersion": "theirs"}') == "theirs"
    assert model_of(answer, "nvidia_nim", "{}") is None


if VERSION >= (1, 110):

    @pytest.mark.parametrize("way", ["converse/", "us-east-1/", ""])
    @each_form
    def test_the_way_to_a_model_of_bedrock_is_no_part_of_its_name(
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
        ask({"model": f"bedrock/{way}{CLAUDE}", **arguments}, stream)
        assert told(emission) == ("aws.bedrock", CLAUDE, None, None)

    @pytest.mark.parametrize(
        ("name", "response_id"),
        [("groq/qwen-qwq-32b", MADE_UP), ("hosted_vllm/llama", "chatcmpl-theirs")],
    )
    @each_form
    def test_the_model_that_answers_is_the_one_that_the_provider_names(
        name: str,
        response_id: str,
        stream: bool,
        model: ScriptedModel,
        emission: Emission,
        instrument: Any,
    ) -> None:
        """LiteLLM calls that of a stream as it was asked for, whoever answers."""
        instrument()
        model.script(Response("Hi", model="theirs", id=response_id))
        ask(route(name, model), stream)
        provider, _, asked = name.partition("/")
        assert told(emission) == (provider, asked, "theirs", response_id)

    @each_form
    def test_the_model_of_gemini_is_its_version(
        stream: bool, model: ScriptedModel, emission: Emission, instrument: Any
    ) -> None:
        instrument()
        model.script(Response("Hi", model="gemini-2.0-flash-001", id="theirs"))
        url = f"{model.base_url}/v1beta/models/gemini-2.0-flash"
        ask({"model": "gemini/gemini-2.0-flash", "api_base": url, "api_key": "none"}, stream)
        expected = ("gcp.gemini", "gemini-2.0-flash", "gemini-2.0-flash-001", "theirs")
        assert told(emission) == expected
