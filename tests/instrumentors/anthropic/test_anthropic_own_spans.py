"""The SDK's own spans, from 2.11 on: those of what is recorded are left out, the rest stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES, VERSION
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

if VERSION < (2, 11):
    pytest.skip("emits no spans of its own", allow_module_level=True)

REQUEST: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": MESSAGES}


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Make the application's provider the global one, which the SDK uses; return its spans."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def names(exporter: InMemorySpanExporter) -> list[str]:
    assert finalization.drain(5)
    return [span.name for span in exporter.get_finished_spans()]


def send(client: Any) -> None:
    client.messages.create(**REQUEST)
    list(client.messages.create(**REQUEST, stream=True))
    with client.messages.stream(**REQUEST) as events:
        events.until_done()
    client.beta.messages.with_raw_response.create(**REQUEST)


async def send_async(client: Any) -> None:
    await client.messages.create(**REQUEST)
    async with client.messages.stream(**REQUEST) as events:
        await events.until_done()


def test_without_us_the_sdk_emits_them(
    exporter: InMemorySpanExporter, client: anthropic.Anthropic, model: ScriptedModel
) -> None:
    send(client)
    assert names(exporter) == ["anthropic.messages.create"] * 4
    assert all("traceparent" in entry.headers for entry in model.ledger.entries)


def test_a_client_that_exists_loses_those_of_what_is_recorded(
    exporter: InMemorySpanExporter,
    client: anthropic.Anthropic,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    before = client.open_telemetry
    instrument()
    send(client)
    run(send_async)
    assert names(exporter) == []
    assert emission.names == ["chat m"] * 6
    assert not any("traceparent" in entry.headers for entry in model.ledger.entries)
    assert client.open_telemetry == before
    AnthropicInstrumentor().uninstrument()
    send(client)
    assert names(exporter) == ["anthropic.messages.create"] * 4


@pytest.mark.usefixtures("instrumented")
def test_what_is_not_recorded_keeps_its_span(
    exporter: InMemorySpanExporter, client: anthropic.Anthropic, emission: Emission
) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.count_tokens(model="m", messages=MESSAGES)
    client.models.list()
    assert names(exporter) == ["anthropic.messages.count_tokens", "anthropic.models.list"]
    assert emission.spans == ()


@pytest.mark.usefixtures("instrumented")
def test_a_request_of_a_middleware_keeps_its_span(
    exporter: InMemorySpanExporter, model: ScriptedModel, emission: Emission
) -> None:
    """It is no message, and not part of one that the middleware sends."""

    def counting(request: Any, call_next: Callable[[Any], Any]) -> Any:
        if request.options.url == "/v1/messages":
            with pytest.raises(anthropic.NotFoundError):
                client.messages.count_tokens(model="m", messages=MESSAGES)
        return call_next(request)

    with anthropic.Anthropic(
        base_url=model.base_url, api_key="none", max_retries=0, middleware=[counting]
    ) as client:
        client.messages.create(**REQUEST)
    assert names(exporter) == ["anthropic.messages.count_tokens"]
    (span,) = exporter.get_finished_spans()
    assert span.parent is None
    assert emission.names == ["chat m"]


def passing(request: Any, call_next: Callable[[Any], Any]) -> Any:
    return call_next(request)


@pytest.mark.parametrize("middleware", [[], [passing]])
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
@pytest.mark.usefixtures("instrumented")
def test_a_client_with_a_provider_of_its_own_keeps_all(
    sampler: Sampler,
    middleware: list[Any],
    exporter: InMemorySpanExporter,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """Neither its spans nor ours are parents of the other's."""
    own = InMemorySpanExporter()
    provider = TracerProvider(sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(own))
    tracer = emission.tracer_provider.get_tracer("application")
    with (
        anthropic.Anthropic(
            base_url=model.base_url,
            api_key="none",
            max_retries=0,
            open_telemetry={"tracer_provider": provider},
            middleware=middleware,
        ) as client,
        tracer.start_as_current_span("run") as run,
    ):
        send(client)
    kept = ["anthropic.messages.create"] * 4 if sampler is ALWAYS_ON else []
    assert (names(own), names(exporter)) == (kept, [])
    assert emission.tree() == ["run", *["  chat m"] * 4]
    parents = {span.parent.span_id for span in own.get_finished_spans() if span.parent}
    assert parents == ({run.get_span_context().span_id} if kept else set())
    provider.shutdown()


@pytest.mark.usefixtures("instrumented")
def test_a_client_that_names_our_provider_has_no_two_spans(
    model: ScriptedModel, emission: Emission
) -> None:
    with anthropic.Anthropic(
        base_url=model.base_url,
        api_key="none",
        max_retries=0,
        open_telemetry={"tracer_provider": emission.providers["tracer_provider"]},
    ) as client:
        send(client)
    assert emission.names == ["chat m"] * 4


@pytest.mark.parametrize("enabled", [True, False])
def test_those_of_the_sdk_can_be_preferred(
    enabled: bool,
    exporter: InMemorySpanExporter,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_PREFER="theirs")
    with anthropic.Anthropic(
        base_url=model.base_url,
        api_key="none",
        max_retries=0,
        open_telemetry={"traces": enabled},
    ) as client:
        client.messages.create(**REQUEST)
    theirs, ours = ["anthropic.messages.create"], ["chat m"]
    assert (names(exporter), emission.names) == ((theirs, []) if enabled else ([], ours))


@pytest.mark.usefixtures("instrumented")
def test_the_conversation_that_a_client_names(model: ScriptedModel, emission: Emission) -> None:
    with anthropic.Anthropic(
        base_url=model.base_url,
        api_key="none",
        max_retries=0,
        open_telemetry={"conversation_id": "c-1"},
    ) as client:
        send(client)
    recorded = [(span.attributes or {}).get("gen_ai.conversation.id") for span in emission.spans]
    assert recorded == ["c-1"] * 4
