"""One span per request of AG2's own clients, whether their SDKs are instrumented or not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from conversation_providers import PROVIDERS, Provider
from conversations import autogen, calculator, executor, talk, turn_of
from pydantic import BaseModel

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

SECRET = "planted-secret"
USAGE = Usage(100, 20)
MESSAGES = [{"role": "user", "content": "hi"}]


def echo(a: str) -> str:
    return a


def configured(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"config_list": list(entries), "cache_seed": None}


def model_spans(emission: Emission) -> list[dict[str, Any]]:
    """Return the attributes of the model spans in the order in which they ended."""
    return [dict(s.attributes or {}) for s in emission.spans if s.kind.name == "CLIENT"]


def check_bill(emission: Emission, model: ScriptedModel) -> None:
    """Compare model spans with the ledger, request by request, and agents with its sums."""
    spans, billed = model_spans(emission), model.ledger.entries
    reported = [(s["gen_ai.usage.input_tokens"], s["gen_ai.usage.output_tokens"]) for s in spans]
    assert reported == [(entry.input_tokens, entry.output_tokens) for entry in billed]
    assert [s["gen_ai.response.id"] for s in spans] == [entry.response_id for entry in billed]


def agent_sums(emission: Emission, tokens: str) -> int:
    """Return the sum of the agents' tokens of a kind."""
    agents = [s.attributes or {} for s in emission.spans if s.name.startswith("invoke_agent")]
    sums: list[Any] = [span.get(f"gen_ai.usage.{tokens}", 0) for span in agents]
    return sum(sums)


CHATS = [
    *((name, False, False) for name in PROVIDERS),
    *((name, True, True) for name, provider in PROVIDERS.items() if provider.streams),
    ("bedrock", False, True),
]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(("name", "streams", "asynchronous"), CHATS)
def test_a_chat_with_a_tool(
    name: str,
    streams: bool,
    asynchronous: bool,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    provider = PROVIDERS[name]
    calls = [ToolCall("calculate", {"a": SECRET})]
    model.script(Response(tool_calls=calls, usage=USAGE), Response(SECRET, usage=USAGE))
    entry = provider.config(model, **({"stream": True} if streams else {}))
    assistant, user = calculator(model, echo, llm_config=configured(entry), system_message=SECRET)
    result = talk(user, assistant, message=SECRET, max_turns=2, asynchronous=asynchronous)
    assert result.summary == SECRET
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("assistant", provider.span_name),
        *turn_of("user", "execute_tool calculate"),
        *turn_of("assistant", provider.span_name),
    ]
    spans = model_spans(emission)
    timed = [span.pop("gen_ai.response.time_to_first_chunk", None) is not None for span in spans]
    assert timed == [sdk and streams] * 2
    assert spans == provider.spans(model, sdk=sdk, streams=streams)
    assert agent_sums(emission, "input_tokens") == model.ledger.input_tokens
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("name", ["anthropic", "gemini", "bedrock"])
def test_cached_and_thinking_tokens(
    name: str, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument()  # the SDKs, too: AG2 drops these counts
    client = autogen.OpenAIWrapper(**configured(PROVIDERS[name].config(model)))
    for _ in range(2):  # the provider has the second request in its cache
        client.create(messages=MESSAGES)
    check_bill(emission, model)
    read = [span.get("gen_ai.usage.cache_read.input_tokens", 0) for span in model_spans(emission)]
    assert read == [entry.cached_tokens for entry in model.ledger.entries]
    assert read[1] > 0


@pytest.mark.usefixtures("instrumented")
def test_a_refused_request(
    provider: Provider, sdk: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(provider.status, message=SECRET))
    assistant, user = calculator(model, echo, llm_config=configured(provider.config(model)))
    with pytest.raises(Exception, match=SECRET):
        talk(user, assistant, max_turns=1)
    ended = [(span.name, (span.attributes or {})["error.type"]) for span in emission.spans]
    assert ended == [
        (provider.span_name, (sdk and provider.code) or provider.refusal),
        ("invoke_agent assistant", provider.refusal),
        ("invoke_workflow", provider.refusal),
    ]
    assert model.ledger.requests == 1
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("name", ["anthropic", "bedrock"])
def test_a_fallback_to_another_provider(
    name: str, model: ScriptedModel, emission: Emission
) -> None:
    openai = {"model": "gpt-4o-mini", "api_key": "none", "base_url": model.openai_url}
    second = PROVIDERS[name].config(model)
    model.script(Failure(400))
    autogen.OpenAIWrapper(**configured(openai, second)).create(messages=MESSAGES)
    reported = [(s["gen_ai.provider.name"], s.get("error.type")) for s in model_spans(emission)]
    assert reported == [("openai", "openai.BadRequestError"), (PROVIDERS[name].name, None)]
    assert model_spans(emission)[1]["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("instrumented")
def test_a_retry_of_the_sdk_is_part_of_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(429, headers={"retry-after-ms": "1"}))
    client = autogen.OpenAIWrapper(**configured(PROVIDERS["anthropic"].config(model)))
    client.create(messages=MESSAGES)
    (span,) = model_spans(emission)
    assert (model.ledger.requests, "error.type" in span) == (2, False)
    assert span["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("name", ["anthropic", "groq"])
def test_a_cached_response_has_no_span(name: str, model: ScriptedModel, emission: Emission) -> None:
    cache: Any = import_module("autogen.cache")
    client = autogen.OpenAIWrapper(**configured(PROVIDERS[name].config(model)))
    with cache.Cache.disk(cache_path_root=tempfile.mkdtemp()) as disk:
        for _ in range(2):
            client.create(messages=MESSAGES, cache=disk)
    assert len(model_spans(emission)) == model.ledger.requests == 1
    check_bill(emission, model)


class Sum(BaseModel):
    """The response schema."""

    total: int


@pytest.mark.usefixtures("instrumented")
def test_a_second_request_after_a_refusal_is_a_span(
    sdk: bool, model: ScriptedModel, emission: Emission
) -> None:
    """AG2 keeps the refusal to itself: where the SDK is not instrumented, its span is missing."""
    provider = PROVIDERS["anthropic"]
    model.script(Failure(400), Response('<json_response>{"total": 3}</json_response>'))
    entry = provider.config(model, response_format=Sum)
    response = autogen.OpenAIWrapper(**configured(entry)).create(messages=MESSAGES)
    assert '"total":3' in response.choices[0].message.content
    *refused, last = model_spans(emission)
    errors = ["invalid_request_error"] if sdk else []
    assert [span["error.type"] for span in refused] == errors
    assert not any("gen_ai.usage.input_tokens" in span for span in refused)
    (_, entry) = model.ledger.entries
    assert "error.type" not in last
    assert last["gen_ai.response.id"] == entry.response_id
    assert last["gen_ai.usage.input_tokens"] == entry.input_tokens


@pytest.mark.usefixtures("instrumented")
def test_a_response_that_ag2_cannot_parse(
    sdk: bool, model: ScriptedModel, emission: Emission
) -> None:
    """Where the SDK is not instrumented, AG2's error is all that is known of the response."""
    model.script(Failure(400), Response(SECRET))
    entry = PROVIDERS["anthropic"].config(model, response_format=Sum)
    with pytest.raises(ValueError, match="JSON"):
        autogen.OpenAIWrapper(**configured(entry)).create(messages=MESSAGES)
    reported = model_spans(emission)[-1]
    assert (reported.get("error.type"), reported.get("gen_ai.usage.input_tokens")) == (
        (None, model.ledger.input_tokens) if sdk else ("ValueError", None)
    )
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("name", ["gemini", "bedrock"])
def test_a_request_that_ag2_refuses_has_no_span(
    name: str, model: ScriptedModel, emission: Emission
) -> None:
    client = autogen.OpenAIWrapper(**configured(PROVIDERS[name].config(model)))
    with pytest.raises(Exception, match=r".") as raised:
        client.create(messages=[{"role": "user", "content": object()}])
    assert type(raised.value).__module__ == "builtins"
    assert (model.ledger.requests, emission.spans) == (0, ())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ConnectionError, RuntimeError])
def test_a_built_in_error_of_a_connection_is_a_span(
    kind: type[BaseException],
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise kind

    instrument(sdk=False)
    messages: Any = import_module("anthropic.resources.messages").Messages
    monkeypatch.setattr(messages, "create", refuse)
    client = autogen.OpenAIWrapper(**configured(PROVIDERS["anthropic"].config(model)))
    with pytest.raises(kind):
        client.create(messages=MESSAGES)
    (span,) = model_spans(emission)
    assert span["error.type"] == kind.__name__


@pytest.mark.parametrize("prefer", ["ours", "theirs"])
def test_ag2s_own_telemetry_and_the_sdks(
    provider: Provider,
    prefer: str,
    model: ScriptedModel,
    instrument: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrapper: Any = import_module("autogen.oai.client").OpenAIWrapper
    monkeypatch.setattr(wrapper, "create", wrapper.create)  # AG2 patches it for good
    emission = Emission()  # theirs does not conform
    instrument(emission=emission, OTEL_AGENTS_PREFER=prefer)
    theirs: Any = import_module("autogen.opentelemetry")
    theirs.instrument_llm_wrapper(tracer_provider=emission.tracer_provider)
    autogen.OpenAIWrapper(**configured(provider.config(model))).create(messages=MESSAGES)
    (span,) = emission.spans
    ours = span.instrumentation_scope and span.instrumentation_scope.name.startswith("otel_agents")
    assert (model.ledger.requests, ours) == (1, prefer == "ours")
    emission.close()


def test_direct_sdk_calls_are_not_recorded(
    model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(sdk=False)
    anthropic: Any = import_module("anthropic")
    with anthropic.Anthropic(base_url=model.base_url, api_key="none") as client:
        client.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=MESSAGES)
    assert (model.ledger.requests, emission.spans) == (1, ())


@pytest.mark.parametrize("name", ["anthropic", "gemini", "bedrock"])
def test_content(
    name: str,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(sdk=sdk, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(Response(SECRET))
    provider = PROVIDERS[name]
    client = autogen.OpenAIWrapper(**configured(provider.config(model, stream=True)))
    client.create(messages=MESSAGES)
    (span,) = model_spans(emission)
    # AG2 does not always stream.
    assert span.get("gen_ai.request.stream", False) is provider.streams
    message = '[{"role":"%s","parts":[{"type":"text","content":"%s"}]%s}]'
    assert span["gen_ai.input.messages"] == message % ("user", "hi", "")
    reason = span["gen_ai.response.finish_reasons"][0]
    ended = f',"finish_reason":"{reason}"'
    assert span["gen_ai.output.messages"] == message % ("assistant", SECRET, ended)


def test_two_agents_of_one_process(
    model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument()
    first = PROVIDERS["anthropic"].config(model)
    second = PROVIDERS["gemini"].config(model)
    one, two = (
        executor(name, llm_config=configured(entry))
        for name, entry in (("one", first), ("two", second))
    )
    talk(one, two, max_turns=2)
    check_bill(emission, model)
    providers = [span["gen_ai.provider.name"] for span in model_spans(emission)]
    assert providers == ["gcp.gemini", "anthropic", "gcp.gemini"]
