"""The application's own provider, which LiteLLM calls and which sends through nothing that we observe."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from litellm_calls import MESSAGES, litellm

from otel_agents.testing.emission import Emission

_numbers = itertools.count()
_USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
_RECORDED = {"gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 5}

pytestmark = pytest.mark.usefixtures("instrumented")


class House(litellm.CustomLLM):
    """A provider that returns usage, except for one model."""

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
    """Register the provider ``house``."""
    litellm.custom_provider_map = [{"provider": "house", "custom_handler": House()}]
    yield
    litellm.custom_provider_map = []


def send(model: str = "any", **more: Any) -> Any:
    return litellm.completion(f"house/{model}", MESSAGES, **more)


async def send_async(**more: Any) -> Any:
    return await litellm.acompletion("house/any", MESSAGES, **more)


async def stream_async() -> list[Any]:
    return [chunk async for chunk in await send_async(stream=True)]


def recorded(emission: Emission) -> tuple[Any, ...]:
    """Return name, provider and tokens of the one span."""
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    usage = {name: n for name, n in attributes.items() if name in _RECORDED}
    return emission.span.name, attributes["gen_ai.provider.name"], usage


def test_a_response_is_one_span(emission: Emission) -> None:
    send()
    assert recorded(emission) == ("chat any", "house", _RECORDED)


def test_an_async_response_is_one_span(run: Callable[..., Any], emission: Emission) -> None:
    run(send_async)
    assert recorded(emission) == ("chat any", "house", _RECORDED)


def test_a_stream_is_one_span(emission: Emission) -> None:
    assert "".join(c.choices[0].delta.content or "" for c in send(stream=True)) == "Paris."
    assert recorded(emission) == ("chat any", "house", _RECORDED)


def test_an_async_stream_is_one_span(run: Callable[..., Any], emission: Emission) -> None:
    run(stream_async)
    assert recorded(emission) == ("chat any", "house", _RECORDED)


def test_a_stream_that_nobody_reads_has_no_span(emission: Emission) -> None:
    send(stream=True)
    assert emission.names == []


def test_missing_usage_is_not_zero(emission: Emission) -> None:
    send("silent")
    assert recorded(emission) == ("chat silent", "house", {})


def test_embeddings_are_one_span(emission: Emission) -> None:
    litellm.embedding("house/any", input=["a text"], api_base="http://house.example")
    counted = {"gen_ai.usage.input_tokens": 11}
    assert recorded(emission) == ("embeddings any", "house", counted)


def test_a_failure_is_one_span_without_content(emission: Emission) -> None:
    with pytest.raises(litellm.APIConnectionError):
        send("broken")
    assert recorded(emission) == ("chat broken", "house", {})
    assert "error.type" in (emission.span.attributes or {})
    assert "planted-secret" not in emission.texts()
