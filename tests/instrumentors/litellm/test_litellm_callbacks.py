"""LiteLLM's own OpenTelemetry callback next to ours: a model call is recorded once, and no prompt leaves."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litellm_calls import MESSAGES, VERSION, litellm, route
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors.litellm import _callbacks
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

MODELS = {"the SDK": "openai/gpt-4o-mini", "its own HTTP": "anthropic/claude-3-haiku-20240307"}
LISTS = (
    *("callbacks", "service_callback", "input_callback", "success_callback", "failure_callback"),
    *("_async_input_callback", "_async_success_callback", "_async_failure_callback"),
)
each_model = pytest.mark.parametrize("name", MODELS.values(), ids=MODELS)
Send = Callable[..., None]


@pytest.fixture
def module(emission: Emission, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return LiteLLM's module, with our tracer provider as the provider of the process."""

    def tracer(name: str, *_: object) -> trace.Tracer:
        return emission.tracer_provider.get_tracer(name)

    # LiteLLM keeps a callback that was used once.
    monkeypatch.setattr(_callbacks, "_shared", ByObject[Any, None]())
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: emission.tracer_provider)
    monkeypatch.setattr(trace, "get_tracer", tracer)
    return importlib.import_module("litellm.integrations.opentelemetry")


@pytest.fixture
def send(model: ScriptedModel) -> Iterator[Send]:
    """Send, and return when LiteLLM has run its callbacks, which it does in another thread."""
    before: dict[str, list[Any]] = {name: list(getattr(litellm, name)) for name in LISTS}
    handled = threading.Event()

    class LastCallback(importlib.import_module("litellm.integrations.custom_logger").CustomLogger):
        def log_success_event(self, *_: object, **__: object) -> None:
            handled.set()

        log_failure_event = log_success_event

    def sending(name: str, callback: Any, **more: Any) -> None:
        litellm.callbacks = [callback, LastCallback()]
        response = litellm.completion(messages=MESSAGES, **more, **route(name, model))
        if more:
            list(response)
        assert handled.wait(30)

    yield sending
    for name, registered in before.items():
        setattr(litellm, name, registered)


@pytest.fixture
def nonconforming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the conformance check: LiteLLM's own spans do not conform."""

    def none(_: Emission) -> list[Any]:
        return []

    monkeypatch.setattr("otel_agents.testing.plugin.findings_of", none)


@pytest.mark.parametrize("more", [{}, {"stream": True}], ids=["whole", "stream"])
@each_model
def test_a_call_is_recorded_once_without_its_prompt(
    name: str,
    more: dict[str, Any],
    module: Any,
    send: Send,
    instrument: Callable[..., None],
    emission: Emission,
) -> None:
    instrument()
    send(name, module.OpenTelemetry(), **more)
    assert emission.names == [f"chat {name.partition('/')[2]}"]
    assert MESSAGES[0]["content"] not in emission.texts()


@each_model
def test_a_refusal_is_recorded_once(
    name: str,
    module: Any,
    send: Send,
    model: ScriptedModel,
    instrument: Callable[..., None],
    emission: Emission,
) -> None:
    instrument()
    model.script(Failure(400))
    with pytest.raises(litellm.BadRequestError):
        send(name, module.OpenTelemetry())
    assert emission.names == [f"chat {name.partition('/')[2]}"]


@pytest.mark.usefixtures("nonconforming")
@each_model
def test_the_callback_may_be_preferred(
    name: str, module: Any, send: Send, instrument: Callable[..., None], emission: Emission
) -> None:
    instrument(OTEL_AGENTS_PREFER="theirs")
    callback = module.OpenTelemetry()
    send(name, callback)
    assert {*emission.names} == {"litellm_request", "raw_gen_ai_request"}
    assert callback is not None


@pytest.mark.usefixtures("nonconforming")
def test_other_spans_stay(module: Any, instrument: Callable[..., None], emission: Emission) -> None:
    instrument()
    module.OpenTelemetry().tracer.start_span("Received Proxy Server Request").end()
    assert emission.names == ["Received Proxy Server Request"]


def test_the_filter_is_logged_once(
    module: Any, instrument: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    instrument()
    kept = [module.OpenTelemetry(), module.OpenTelemetry()]
    messages = [it.getMessage() for it in caplog.records if it.name == "otel_agents"]
    assert len(kept) == 2
    assert len(messages) == 1
    assert "LiteLLM's OpenTelemetry callback" in messages[0]
    assert "OTEL_AGENTS_PREFER=theirs" in messages[0]


if VERSION >= (1, 110):

    @each_model
    def test_a_callback_with_its_own_provider_is_not_filtered(
        name: str, module: Any, send: Send, instrument: Callable[..., None], emission: Emission
    ) -> None:
        instrument()
        exporter, own = InMemorySpanExporter(), TracerProvider()
        own.add_span_processor(SimpleSpanProcessor(exporter))
        send(name, module.OpenTelemetry(tracer_provider=own))
        assert emission.names == [f"chat {name.partition('/')[2]}"]
        handled = {span.name for span in exporter.get_finished_spans()}
        assert handled == {"litellm_request", "raw_gen_ai_request"}

    @each_model
    def test_a_callback_that_overrides_methods_is_filtered(
        name: str,
        module: Any,
        send: Send,
        instrument: Callable[..., None],
        emission: Emission,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("WANDB_API_KEY", "none")
        monkeypatch.setenv("WANDB_PROJECT_ID", "none/none")
        instrument()
        weave = importlib.import_module("litellm.integrations.weave.weave_otel")
        send(name, weave.WeaveOtelLogger(config=module.OpenTelemetryConfig(exporter="console")))
        assert emission.names == [f"chat {name.partition('/')[2]}"]
        assert MESSAGES[0]["content"] not in emission.texts()

    @pytest.mark.parametrize("prefer", ["ours", "theirs"])
    @each_model
    def test_a_callback_with_a_private_provider_is_not_filtered(
        name: str,
        prefer: str,
        module: Any,
        send: Send,
        instrument: Callable[..., None],
        emission: Emission,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        exporter = InMemorySpanExporter()
        phoenix = importlib.import_module("litellm.integrations.arize.arize_phoenix")

        def to_ours(*_: object, **__: object) -> SimpleSpanProcessor:
            return SimpleSpanProcessor(exporter)

        monkeypatch.setattr(phoenix.ArizePhoenixLogger, "_get_span_processor", to_ours)
        instrument(OTEL_AGENTS_PREFER=prefer)
        send(
            name, phoenix.ArizePhoenixLogger(config=module.OpenTelemetryConfig(exporter="console"))
        )
        assert emission.names == [f"chat {name.partition('/')[2]}"]
        assert "litellm_request" in {span.name for span in exporter.get_finished_spans()}
        assert [it for it in caplog.records if it.name == "otel_agents"] == []
        exporter.shutdown()  # LiteLLM keeps the callback; this keeps no more spans
