"""Retries, fallbacks, caches and mocks: one span for each request that is sent, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litellm_calls import MESSAGES, litellm, route

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

CLAUDE = "anthropic/claude-3-haiku-20240307"
MODELS = [CLAUDE, "gpt-4o-mini", "groq/qwen-qwq-32b"]

pytestmark = pytest.mark.usefixtures("instrumented")


@pytest.fixture
def ledger(model: ScriptedModel, emission: Emission) -> Callable[[int], None]:
    """Check the number of requests, and that the spans match them."""

    def check(requests: int) -> None:
        entries = model.ledger.entries
        assert len(entries) == requests
        spans = sorted(emission.spans, key=lambda span: span.start_time or 0)
        recorded = [(s.attributes or {}).get("gen_ai.usage.input_tokens", 0) for s in spans]
        assert recorded == [entry.input_tokens for entry in entries]
        failed = ["error.type" in (span.attributes or {}) for span in spans]
        assert failed == [entry.http_status != 200 for entry in entries]

    return check


def test_retries_that_an_sdk_makes_are_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(*[Failure(500, headers={"retry-after-ms": "1"})] * 2)
    litellm.completion(messages=MESSAGES, **{**route("gpt-4o-mini", model), "max_retries": 2})
    assert (len(emission.spans), model.ledger.requests) == (1, 3)


@pytest.mark.parametrize("name", [CLAUDE, "groq/qwen-qwq-32b"])
def test_retries_are_one_span_each(
    name: str, model: ScriptedModel, ledger: Callable[[int], None]
) -> None:
    model.script(Failure(500), Failure(500))
    arguments = {**route(name, model), "num_retries": 2, "retry_strategy": "constant_retry"}
    litellm.completion(messages=MESSAGES, **arguments)
    ledger(3)


def deployment(group: str, name: str, model: ScriptedModel) -> dict[str, Any]:
    return {"model_name": group, "litellm_params": route(name, model)}


@pytest.mark.parametrize("way", ["sync", "async", "stream", "async stream"])
@pytest.mark.parametrize("name", MODELS)
def test_a_router_falls_back(
    name: str,
    way: str,
    model: ScriptedModel,
    ledger: Callable[[int], None],
    run: Callable[..., Any],
) -> None:
    model.script(Failure(500))
    router = litellm.Router(
        model_list=[deployment("first", name, model), deployment("second", CLAUDE, model)],
        fallbacks=[{"first": ["second"]}],
        num_retries=0,
    )
    streamed = {"stream": True, "stream_options": {"include_usage": True}}

    async def send_async() -> Any:
        if way == "async":
            return await router.acompletion(model="first", messages=MESSAGES)
        stream = await router.acompletion(model="first", messages=MESSAGES, **streamed)
        return [chunk async for chunk in stream]

    if way.startswith("async"):
        run(send_async)
    elif way == "stream":
        list(router.completion(model="first", messages=MESSAGES, **streamed))
    else:
        router.completion(model="first", messages=MESSAGES)
    ledger(2)


def test_a_router_retries(model: ScriptedModel, ledger: Callable[[int], None]) -> None:
    model.script(Failure(500, headers={"retry-after": "0"}))
    router = litellm.Router([deployment("one", CLAUDE, model)], num_retries=1, retry_after=0)
    router.completion(model="one", messages=MESSAGES)
    ledger(2)


@pytest.fixture
def cache() -> Iterator[None]:
    litellm.cache = litellm.Cache()
    yield
    litellm.cache = None


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.usefixtures("cache")
def test_a_cache_hit_is_no_call(
    name: str, model: ScriptedModel, ledger: Callable[[int], None], run: Callable[..., Any]
) -> None:
    arguments = {"messages": MESSAGES, **route(name, model)}
    first, second = (litellm.completion(**arguments) for _ in range(2))
    assert first.id == second.id
    run(lambda: litellm.acompletion(**arguments))
    ledger(1)


@pytest.mark.parametrize("name", MODELS)
def test_a_mock_is_no_call(
    name: str, model: ScriptedModel, emission: Emission, run: Callable[..., Any]
) -> None:
    arguments = {"messages": MESSAGES, "mock_response": "Hi.", **route(name, model)}
    litellm.completion(**arguments)
    list(litellm.completion(**arguments, stream=True))
    run(lambda: litellm.acompletion(**arguments))
    assert (emission.spans, model.ledger.entries) == ((), ())


def test_calls_in_parallel(
    model: ScriptedModel, emission: Emission, run: Callable[..., Any]
) -> None:
    async def send() -> None:
        calls = [litellm.acompletion(messages=MESSAGES, **route(name, model)) for name in MODELS]
        await asyncio.gather(*calls)

    run(send)
    recorded: list[Any] = [
        (s.attributes or {})["gen_ai.usage.input_tokens"] for s in emission.spans
    ]
    assert sorted(recorded) == sorted(entry.input_tokens for entry in model.ledger.entries)
    assert len(recorded) == len(MODELS)


def test_a_call_inside_a_custom_provider_is_one_span(
    model: ScriptedModel, ledger: Callable[[int], None]
) -> None:
    class Relay(litellm.CustomLLM):
        def completion(self, *args: Any, **kwargs: Any) -> Any:
            return litellm.completion(messages=MESSAGES, **route(CLAUDE, model))

    litellm.custom_provider_map = [{"provider": "relay", "custom_handler": Relay()}]
    litellm.completion(messages=MESSAGES, model="relay/any")
    litellm.custom_provider_map = []
    ledger(1)
