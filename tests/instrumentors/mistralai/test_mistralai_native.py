"""The SDK's own spans: silenced where ours record the same, and else left alone."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mistral_calls import MESSAGES, VERSION, connect
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

if VERSION < (3, 0):
    pytest.skip(
        "spans of its own are of 1.10, and tested with the newest version", allow_module_level=True
    )

SETTING = "MISTRAL_SDK_TELEMETRY"
SECRET = "planted-secret"


def exporting() -> tuple[TracerProvider, InMemorySpanExporter]:
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Return what gets the SDK's spans, which go to the global provider; ours go to another."""
    provider, exporter = exporting()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def names(exporter: InMemorySpanExporter) -> list[str]:
    return [span.name for span in exporter.get_finished_spans()]


def chat(client: Any) -> None:
    client.chat.complete(model="m", messages=MESSAGES)


def stream(client: Any) -> None:
    list(client.chat.stream(model="m", messages=MESSAGES))


def chat_async(client: Any) -> None:
    asyncio.run(client.chat.complete_async(model="m", messages=MESSAGES))


@pytest.mark.parametrize("send", [chat, stream, chat_async])
@pytest.mark.usefixtures("instrumented")
def test_its_spans_of_requests_are_silenced(
    send: Callable[[Any], None],
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    native: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    monkeypatch.setenv(SETTING, "global")
    send(client)
    assert (emission.names, names(native)) == (["chat m"], [])
    assert all("traceparent" not in entry.headers for entry in model.ledger.entries)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "otel_agents"]
    assert SETTING in line


@pytest.mark.usefixtures("instrumented")
def test_what_ours_does_not_record_stays(
    client: Any, emission: Emission, native: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "global")
    with pytest.raises(Exception, match="404"):
        client.files.list()
    assert (emission.names, names(native)) == ([], ["files_api_routes_list_files"])


@pytest.mark.usefixtures("instrumented")
def test_a_client_with_a_provider_of_its_own_keeps_its_spans(
    client: Any, emission: Emission, native: InMemorySpanExporter
) -> None:
    provider, own = exporting()
    telemetry: Any = importlib.import_module("mistralai.extra.observability.telemetry")
    telemetry.configure_telemetry(client, provider=provider)
    chat(client)
    provider.shutdown()
    assert (emission.names, names(native), names(own)) == (["chat m"], [], ["chat m"])


def test_theirs_may_be_preferred(
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    native: InMemorySpanExporter,
    instrument: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instrument(OTEL_AGENTS_PREFER="theirs")
    chat(client)
    assert (emission.names, names(native)) == (["chat m"], [])
    monkeypatch.setenv(SETTING, "global")
    later = connect(model.mistral_url)
    chat(later)
    stream(later)
    later.embeddings.create(model="m", inputs="a")
    assert emission.names == ["chat m"]
    assert names(native) == ["chat m", "chat m", "embeddings m"]


@pytest.mark.usefixtures("instrumented")
def test_its_spans_of_runs_and_tools_are_silenced(
    run: Any, model: ScriptedModel, emission: Emission, native: InMemorySpanExporter
) -> None:
    """They are created always, and have the content of tools."""
    model.script(Response(tool_calls=[ToolCall("look", {"at": SECRET})]), "Fine.")

    def look(at: str) -> str:
        """Look.

        Args:
            at: What to look at.
        """
        return at

    async def use(client: Any) -> None:
        contexts: Any = importlib.import_module("mistralai.extra.run.context")
        async with contexts.RunContext(model="m") as context:
            context.register_func(look)
            await client.beta.conversations.run_async(run_ctx=context, inputs="Hi")

    run(use)
    assert emission.tree() == ["invoke_agent", "  chat m", "  execute_tool look", "  chat"]
    assert (names(native), SECRET in emission.texts()) == ([], False)


def test_after_uninstrumenting_its_tracers_are_back(instrument: Callable[..., None]) -> None:
    tools: Any = importlib.import_module("mistralai.extra.run.tools")
    conversations: Any = importlib.import_module("mistralai.client.conversations")
    theirs = conversations.tracer
    instrument()
    assert (tools.trace is trace, conversations.tracer is theirs) == (False, False)
    assert tools.trace.Status is trace.Status
    MistralAIInstrumentor().uninstrument()
    assert (tools.trace is trace, conversations.tracer is theirs) == (True, True)
