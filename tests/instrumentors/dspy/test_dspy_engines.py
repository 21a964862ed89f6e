"""Engines of DSPy 3.4: its own, LiteLLM, the application's, and models of before engines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from dspy_programs import CHAT, Reply, dspy, lm
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, Usage

lm15: Any = import_module("dspy.lm15")


def whole(emission: Emission) -> dict[str, Any]:
    span = emission.span
    assert (span.kind, span.status.status_code) == (SpanKind.CLIENT, StatusCode.UNSET)
    return dict(span.attributes or {})


def usage(emission: Emission) -> list[tuple[Any, Any]]:
    attributes = [dict(span.attributes or {}) for span in emission.spans]
    return [
        (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
        for found in attributes
    ]


def billed(model: ScriptedModel) -> list[tuple[int, int]]:
    return [(one.input_tokens, one.output_tokens) for one in model.ledger.entries]


def call(model: Any, *args: Any, **options: Any) -> Any:
    return model(*args, **options)


def call_async(model: Any, *args: Any, **options: Any) -> Any:
    async def main() -> Any:
        return await model.acall(*args, **options)

    return asyncio.run(main())


WAYS = {"sync": call, "async": call_async}
EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
ENGINES = pytest.mark.parametrize(
    ("engine", "sdk"),
    [("lm15", True), ("lm15", False), ("litellm", True), ("litellm", False)],
    ids=["own", "own alone", "litellm", "litellm alone"],
)


@EVERY_WAY
@pytest.mark.parametrize("sdk", [True, False])
def test_its_own_engine_reports(
    way: Callable[..., Any],
    sdk: bool,
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument(sdk=sdk)
    model.script(Response("Sunny.", id="r-1", usage=Usage(input_tokens=12, output_tokens=3)))
    way(lm(model, temperature=0.5, max_tokens=50), "Hi")
    assert emission.span.name == CHAT
    assert whole(emission) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.id": "r-1",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@EVERY_WAY
@ENGINES
def test_each_engine_is_one_span(
    way: Callable[..., Any],
    engine: str,
    sdk: bool,
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument(sdk=sdk)
    way(lm(model, engine=engine), "Hi")
    assert [span.name for span in emission.spans] == [CHAT]
    assert whole(emission)["gen_ai.provider.name"] == "openai"
    assert usage(emission) == billed(model)


@EVERY_WAY
@ENGINES
def test_each_retry_is_one_span(
    way: Callable[..., Any],
    engine: str,
    sdk: bool,
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument(sdk=sdk)
    model.script(Failure(500, message="secret", headers={"retry-after": "0"}), Response("Sunny."))
    way(lm(model, engine=engine, num_retries=1), "Hi")
    codes = [span.status.status_code for span in emission.spans]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET]
    assert model.ledger.requests == 2
    assert "secret" not in emission.texts()


@EVERY_WAY
def test_its_own_engine_sends_a_request_for_each_choice(
    way: Callable[..., Any],
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument()
    way(lm(model, engine="lm15", temperature=1.0), "Hi", n=2)
    assert usage(emission) == billed(model)
    assert len(emission.spans) == 2
    assert not any(
        "gen_ai.request.choice.count" in (span.attributes or {}) for span in emission.spans
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("openai/gpt-5-mini", "/v1"),
        ("anthropic/claude-sonnet-4-5", "/v1"),
        ("gemini/gemini-2.5-flash", "/v1beta"),
    ],
)
def test_reasoning_is_that_of_the_response_and_part_of_the_output(
    name: str, path: str, instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    """Providers differ in what their counts include; DSPy leaves them as they are."""
    instrument(sdk=False, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    counts = Usage(input_tokens=50, output_tokens=20, cached_tokens=30, reasoning_tokens=8)
    model.script(Response("Sunny.", reasoning="I think.", usage=counts))
    lm(model, name, api_base=f"{model.base_url}{path}", temperature=1.0, max_tokens=20_000)("Hi")
    found = whole(emission)
    assert {name: value for name, value in found.items() if ".usage." in name} == {
        "gen_ai.usage.input_tokens": 50,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 8,
    }
    (message,) = json.loads(found["gen_ai.output.messages"])
    assert message["parts"] == [
        {"type": "reasoning", "content": "I think."},
        {"type": "text", "content": "Sunny."},
    ]


def test_the_responses_api(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    lm(model, model_type="responses")("Hi")
    assert usage(emission) == billed(model)


def test_a_typed_request(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    request = lm15.Request(
        model="openai/gpt-4o-mini",
        messages=(lm15.Message.user("Hi"),),
        config=lm15.Config(temperature=0.25, stop=("END",)),
    )
    lm(model)(request)
    found = whole(emission)
    assert found["gen_ai.request.temperature"] == 0.25
    assert found["gen_ai.request.stop_sequences"] == ("END",)
    assert "Hi" in found["gen_ai.input.messages"]


class Own:
    """An engine of the application's."""

    def complete(self, request: Any) -> Any:
        message = lm15.Message.assistant("Sunny.")
        usage = lm15.Usage(input_tokens=7, output_tokens=2)
        return lm15.Response("r-2", "own-1-2026", message, "stop", usage)


def test_an_engine_of_the_application_reports_itself(
    instrument: Callable[..., None], emission: Emission
) -> None:
    instrument()
    dspy.LM("own-1", engine=Own(), cache=False)("Hi")
    assert emission.span.name == "chat own-1"
    assert whole(emission) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "own-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.id": "r-2",
        "gen_ai.response.model": "own-1-2026",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 2,
    }


def test_an_engine_of_the_application_is_called_for_each_choice(
    instrument: Callable[..., None], emission: Emission
) -> None:
    instrument()
    assert len(dspy.LM("own-1", engine=Own(), cache=False, n=3, temperature=1.0)("Hi")) == 3
    assert emission.names == ["chat own-1"] * 3
    assert usage(emission) == [(7, 2)] * 3
    assert not any(
        "choice.count" in name for span in emission.spans for name in span.attributes or ()
    )


class Around(Own):
    """An engine of the application's that calls another model."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def complete(self, request: Any) -> Any:
        self._inner("Hi")
        return super().complete(request)


def test_an_engine_around_another_model_is_one_call(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    dspy.LM("own-1", engine=Around(lm(model)), cache=False)("Hi")
    assert [span.name for span in emission.spans] == [CHAT]


class Legacy(dspy.BaseLM):
    """A model of before DSPy had engines."""

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        openai: Any = import_module("openai.types.chat.chat_completion")
        return openai.ChatCompletion.model_validate(
            {
                "id": "r-3",
                "object": "chat.completion",
                "created": 1,
                "model": "old-1-2024",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": "Sunny."},
                    }
                ],
                "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
            }
        )


def test_a_model_without_an_engine_reports_itself(
    instrument: Callable[..., None], emission: Emission
) -> None:
    instrument()
    Legacy("old-1")("Hi")
    assert emission.span.name == "chat old-1"
    found = whole(emission)
    assert (found["gen_ai.provider.name"], found["gen_ai.response.id"]) == ("custom", "r-3")
    assert usage(emission) == [(5, 1)]


class Later(dspy.BaseLM):
    """The same, called by async code."""

    async def aforward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        return Legacy.forward(self, prompt, messages)


@pytest.mark.parametrize("way", ["forward", "aforward"])
def test_a_model_that_the_application_calls_below_dspy_reports_itself(
    way: str, instrument: Callable[..., None], emission: Emission
) -> None:
    instrument()
    if way == "forward":
        Legacy("old-1").forward(prompt="Hi")
    else:
        asyncio.run(Later("old-1").aforward(prompt="Hi"))
    assert emission.tree() == ["chat old-1"]
    assert whole(emission)["gen_ai.response.id"] == "r-3"
    assert usage(emission) == [(5, 1)]


def test_a_dummy_model_is_no_call(instrument: Callable[..., None], emission: Emission) -> None:
    instrument()
    dummy = import_module("dspy.utils").DummyLM([{"reply": "Paris"}])
    with dspy.context(lm=dummy):
        dspy.Predict(Reply)(topic="q")
    assert emission.tree() == ["invoke_workflow Reply"]
