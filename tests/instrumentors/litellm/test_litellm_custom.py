"""A provider of the application's own: asked by LiteLLM, sent to by nobody whom we see."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from litellm_calls import MESSAGES, litellm

from otel_agents.testing.emission import Emission

_numbers = itertools.count()
_USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
_TOLD = {"gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 5}

pytestmark = pytest.mark.usefixtures("instrumented")


class House(litellm.CustomLLM):
    """A provider that tells what it has spent, but for one model."""

    def completion(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs["model"] == "broken":
            raise ValueError("planted-secret")
        response = kwargs["model_response"]
        response.id, response.model = f"house-{next(_numbers)}", "any-1"
        response.choices[0].message.content = "Paris."
        if kwargs["model"] != "silent":
            response.usage = litellm.Usage(**_USAGE)
        return response

    async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
        return self.completion(*args, **kwargs)

    def streaming(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for text, usage in (("Par", None), ("is.", _USAGE)):
            last = usage is not None
            yield {
                "finish_reason": "stop" if last else None,
                "index": 0,
                "is_finished": last,
                "text": text,
                "tool_use": None,
                "usage": usage,
            }

    async def astreaming(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for chunk in self.streaming(*args, **kwargs):
            yield chunk

    def embedding(self, *args: Any, **kwargs: Any) -> Any:
        data = [{"object": "embedding", "index": 0, "embedding": [0.1]}]
        return litellm.EmbeddingResponse(model="any", data=data, usage=litellm.Usage(**_USAGE))


@pytest.fixture(autouse=True)
def house() -> Iterator[None]:
    """LiteLLM's provider ``house``."""
    litellm.custom_provider_map = [{"provider": "house", "custom_handler": House()}]
    yield
    litellm.custom_provider_map = []


def ask(model: str = "any", **more: Any) -> Any:
    return litellm.completion(f"house/{model}", MESSAGES, **more)


async def ask_async(**more: Any) -> Any:
    return await litellm.acompletion("house/any", MESSAGES, **more)


async def stream_async() -> list[Any]:
    return [chunk async for chunk in await ask_async(stream=True)]


def told(emission: Emission) -> tuple[Any, ...]:
    """Name, provider and tokens of the one span."""
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    usage = {name: n for name, n in attributes.items() if name in _TOLD}
    return emission.span.name, attributes["gen_ai.provider.name"], usage


def test_an_answer_is_one_span(emission: Emission) -> None:
    ask()
    assert told(emission) == ("chat any", "house", _TOLD)


def test_an_asynchronous_answer_is_one_span(run: Callable[..., Any], emission: Emission) -> None:
    run(ask_async)
    assert told(emission) == ("chat any", "house", _TOLD)


def test_a_stream_is_one_span(emission: Emission) -> None:
    assert "".join(c.choices[0].delta.content or "" for c in ask(stream=True)) == "Paris."
    assert told(emission) == ("chat any", "house", _TOLD)


def test_an_asynchronous_stream_is_one_span(run: Callable[..., Any], emission: Emission) -> None:
    run(stream_async)
    assert told(emission) == ("chat any", "house", _TOLD)


def test_a_stream_that_nobody_reads_is_no_call(emission: Emission) -> None:
    ask(stream=True)
    assert emission.names == []


def test_usage_that_is_not_told_is_not_zero(emission: Emission) -> None:
    ask("silent")
    assert told(emission) == ("chat silent", "house", {})


def test_embeddings_are_one_span(emission: Emission) -> None:
    litellm.embedding("house/any", input=["a text"], api_base="http://house.example")
    counted = {"gen_ai.usage.input_tokens": 11}
    assert told(emission) == ("embeddings any", "house", counted)


def test_a_failure_is_one_span_and_no_content(emission: Emission) -> None:
    with pytest.raises(litellm.APIConnectionError):
        ask("broken")
    assert told(emission) == ("chat broken", "house", {})
    assert "error.type" in (emission.span.attributes or {})
    assert "planted-secret" not in emission.texts()
