"""Laws of whole spans and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from stainless_calls import Sdk

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, Usage

__all__ = [
    "SpanLaws",
    "check_latest_metrics",
    "check_previous_metrics",
    "check_streamed",
    "check_whole",
]

_ON_METRICS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "openai.response.service_tier",
    "openai.response.system_fingerprint",
    "server.address",
    "server.port",
)


def check_whole(emission: Emission, name: str, expected: Mapping[str, Any]) -> None:
    """Check the only span, of a call by a client that succeeded and had no parent, and that no event is emitted."""
    span = emission.span
    assert (span.name, span.kind, span.parent) == (name, SpanKind.CLIENT, None)
    assert (span.status.status_code, span.events, span.links) == (StatusCode.UNSET, (), ())
    assert dict(span.attributes or {}) == expected
    assert emission.events == []


def check_streamed(emission: Emission, expected: Mapping[str, Any]) -> None:
    """Check the attributes of the only span, of a stream: its time to the first chunk is some time."""
    attributes = dict(emission.span.attributes or {})
    first_chunk = attributes.pop("gen_ai.response.time_to_first_chunk")
    assert isinstance(first_chunk, float)
    assert 0 < first_chunk < 60
    assert attributes == expected


def check_previous_metrics(emission: Emission, common: Mapping[str, Any]) -> None:
    """Check the metrics of one call with 100 tokens of input and 20 of output."""
    span = emission.span
    seconds = ((span.end_time or 0) - (span.start_time or 0)) / 1e9
    assert emission.points() == {
        "gen_ai.client.operation.duration": [(common, seconds)],
        "gen_ai.client.token.usage": [
            ({**common, "gen_ai.token.type": "input"}, 100),
            ({**common, "gen_ai.token.type": "output"}, 20),
        ],
    }


def check_latest_metrics(emission: Emission, **details: int) -> None:
    """Check the sums of one call with 100 tokens of input and 20 of output.

    ``details`` are tokens by the names after ``gen_ai.client.inference.usage.``.
    """
    sums = {name: sum(value for _, value in some) for name, some in emission.points().items()}
    assert sums.pop("gen_ai.client.inference.duration") > 0
    used = {"input_tokens": 100, "output_tokens": 20}
    assert sums == {
        **{f"gen_ai.client.inference.operation.{name}": used[name] for name in used},
        **{f"gen_ai.client.inference.usage.{k}": v for k, v in {**used, **details}.items()},
    }


def read(sdk: Sdk, client: Any, run: Callable[..., Any], **arguments: Any) -> None:
    response = sdk.send(client, **arguments)
    if arguments.get("stream"):
        list(response)


def read_async(sdk: Sdk, client: Any, run: Callable[..., Any], **arguments: Any) -> None:
    async def use(client: Any) -> None:
        response = await sdk.send(client, **arguments)
        if arguments.get("stream"):
            async for _ in response:
                await asyncio.sleep(0)

    run(use)


class SpanLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`.

    Attributes:
        request: The arguments.
        scripted: A response with 100 tokens of input and 20 of output.
        attributes: The span's, without the port.
        streamed: More arguments of a stream.
        usage: The usage for the metrics of the latest generation.
        details: What these metrics have of it.
    """

    request: ClassVar[dict[str, Any]]
    scripted: Response
    attributes: ClassVar[dict[str, Any]]
    streamed: ClassVar[dict[str, Any]] = {}
    usage = Usage(100, 20, cached_tokens=30, reasoning_tokens=5)
    details: ClassVar[dict[str, int]] = {
        "cache_read.input_tokens": 30,
        "reasoning.output_tokens": 5,
    }

    @pytest.mark.parametrize("send", [read, read_async])
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.usefixtures("instrumented")
    def test_a_whole_span(
        self,
        stream: bool,
        send: Callable[..., None],
        sdk: Sdk,
        client: Any,
        run: Callable[..., Any],
        model: ScriptedModel,
        emission: Emission,
    ) -> None:
        model.script(self.scripted)
        more = {**self.streamed, "stream": True} if stream else {}
        send(sdk, client, run, **{**self.request, **more})
        expected = {**self.attributes, "server.port": model.port}
        if stream:
            check_streamed(emission, {**expected, "gen_ai.request.stream": True})
        else:
            check_whole(emission, f"chat {expected['gen_ai.request.model']}", expected)

    @pytest.mark.usefixtures("instrumented")
    def test_the_metrics_of_the_previous_generation(
        self, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(self.scripted)
        sdk.send(client, **self.request)
        expected = {**self.attributes, "server.port": model.port}
        common = {name: expected[name] for name in _ON_METRICS if name in expected}
        check_previous_metrics(emission, common)

    def test_the_metrics_of_the_latest_generation(
        self,
        sdk: Sdk,
        client: Any,
        model: ScriptedModel,
        emission: Emission,
        instrument: Callable[..., None],
    ) -> None:
        instrument(OTEL_AGENTS_METRICS="latest")
        model.script(Response("Hi", usage=self.usage))
        sdk.send(client)
        check_latest_metrics(emission, **self.details)
