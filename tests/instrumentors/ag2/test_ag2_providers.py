"""Every provider of AG2's clients: one span per request, with the billed tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ag2_agents import agent, run, telemetry_middleware, tool, turn_of
from ag2_providers import MODELS, PROVIDERS, USAGE, Provider
from opentelemetry import trace

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

Instrument = Callable[..., None]
SECRET = "planted-secret"
SEARCH = "execute_tool search"
CALL = ToolCall("search", {"query": "x"}, id="call_1")
MODES = [(name, mode) for name, provider in PROVIDERS.items() for mode in provider.modes]


@pytest.fixture(params=PROVIDERS)
def provider(
    request: pytest.FixtureRequest, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> Provider:
    for name in ("GEMINI", "VERTEX"):
        monkeypatch.setenv(f"GOOGLE_{name}_BASE_URL", model.base_url)
    return PROVIDERS[request.param]


@pytest.fixture(params=[True, False], ids=["sdk on", "sdk off"])
def sdk(request: pytest.FixtureRequest) -> bool:
    """Whether the SDKs are instrumented, too."""
    return request.param


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def model_spans(emission: Emission, provider: Provider) -> list[dict[str, Any]]:
    """Return the attributes of the model spans in the order in which they ended."""
    return [dict(s.attributes or {}) for s in emission.spans if s.name == provider.span_name]


@pytest.mark.parametrize(("provider", "streaming"), MODES, indirect=["provider"])
def test_an_agent_with_a_tool(
    provider: Provider,
    streaming: bool,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
    ledger: Callable[[], None],
) -> None:
    instrument(sdk=sdk)
    tool_calls = Response(tool_calls=[CALL], usage=USAGE, model=MODELS[0])
    model.script(tool_calls, Response("Done.", usage=USAGE, model=MODELS[1]))
    guide = agent("Guide", provider.configured(model, streaming=streaming), tools=[tool(search)])
    assert run(lambda: guide.ask("Go")).body == "Done."
    assert emission.tree() == turn_of("Guide", provider.span_name, SEARCH, provider.span_name)
    spans = model_spans(emission, provider)
    timed = [span.pop("gen_ai.response.time_to_first_chunk", None) is not None for span in spans]
    assert timed == [sdk and streaming, streaming]  # AG2 sends no chunk event for a tool call
    assert len({span.pop("gen_ai.conversation.id") for span in spans}) == 1
    assert spans == provider.spans(model, sdk=sdk, streaming=streaming)
    ledger()


@pytest.mark.parametrize(("provider", "streaming"), MODES, indirect=["provider"])
def test_a_refused_request(
    provider: Provider,
    streaming: bool,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    model.script_by(lambda request: Failure(400, message=SECRET))
    guide = agent("Guide", provider.configured(model, streaming=streaming))
    with pytest.raises(Exception, match=SECRET):
        run(lambda: guide.ask("Go"))
    assert emission.tree() == turn_of("Guide", provider.span_name)
    refusal = (sdk and provider.code) or provider.refusal
    assert [span["error.type"] for span in model_spans(emission, provider)] == [refusal]
    assert model.ledger.requests == 1
    assert SECRET not in emission.texts()


def test_ag2s_own_telemetry_and_the_sdks(
    provider: Provider,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
    ledger: Callable[[], None],
) -> None:
    instrument()
    model.script(Response(tool_calls=[CALL], usage=USAGE), Response("Done.", usage=USAGE))
    own = telemetry_middleware(emission)
    guide = agent("Guide", provider.configured(model), tools=[tool(search)], middleware=[own])
    run(lambda: guide.ask("Go"))
    assert emission.tree() == turn_of("Guide", provider.span_name, SEARCH, provider.span_name)
    ledger()


def test_mistrals_own_telemetry(
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
    ledger: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's own spans are silenced below AG2, too."""
    monkeypatch.setenv("MISTRAL_SDK_TELEMETRY", "global")
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", emission.tracer_provider)
    instrument()
    mistral = PROVIDERS["mistral"]
    run(lambda: agent("Guide", mistral.configured(model)).ask("Go"))
    assert emission.tree() == turn_of("Guide", mistral.span_name)
    ledger()


def test_ag2s_own_telemetry_if_preferred(
    provider: Provider, model: ScriptedModel, instrument: Instrument
) -> None:
    emission = Emission()  # theirs does not conform
    instrument(emission=emission, OTEL_AGENTS_PREFER="theirs")
    own = telemetry_middleware(emission)
    run(lambda: agent("Guide", provider.configured(model), middleware=[own]).ask("Go"))
    scopes = {scope.name for span in emission.spans if (scope := span.instrumentation_scope)}
    assert model.ledger.requests == 1
    assert not [name for name in scopes if name.startswith("otel_agents")]
    assert [line.split()[0] for line in emission.tree()][:2] == ["invoke_agent", "chat"]
    emission.close()


def test_content(
    provider: Provider, sdk: bool, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(Response(tool_calls=[CALL]), Response("Y."))
    guide = agent("Guide", provider.configured(model), tools=[tool(search)])
    run(lambda: guide.ask("Go"))
    first, second = model_spans(emission, provider)
    called = '{"type":"tool_call","id":"call_1","name":"search","arguments":{"query":"x"}}'
    message = '[{"role":"assistant","parts":[%s],"finish_reason":"%s"}]'
    text = '{"type":"text","content":"Y."}'
    reasons = [span["gen_ai.response.finish_reasons"][0] for span in (first, second)]
    assert first["gen_ai.output.messages"] == message % (called, reasons[0])
    assert second["gen_ai.output.messages"] == message % (text, reasons[1])
    assert "Go" in first["gen_ai.input.messages"]


def test_content_is_not_recorded_by_default(
    provider: Provider, sdk: bool, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk)
    model.script(Response(tool_calls=[ToolCall("search", {"query": SECRET})]), Response(SECRET))
    guide = agent("Guide", provider.configured(model), tools=[tool(search)])
    run(lambda: guide.ask(SECRET))
    assert len(emission.spans) == 4
    assert SECRET not in emission.texts()
