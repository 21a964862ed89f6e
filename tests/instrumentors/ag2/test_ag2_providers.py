"""Every provider of AG2's clients: one span per request, with the billed tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ag2_agents import agent, run, tool, turn_of
from ag2_providers import PROVIDERS, Provider

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

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


@pytest.fixture
def ag2_only(instrument: Instrument) -> None:
    """Instrument AG2 only."""
    instrument(sdk=False)


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def model_spans(emission: Emission, provider: Provider) -> list[dict[str, Any]]:
    """Return the attributes of the model spans in the order in which they ended."""
    return [dict(s.attributes or {}) for s in emission.spans if s.name == provider.span_name]


@pytest.mark.usefixtures("ag2_only")
@pytest.mark.parametrize(("provider", "streaming"), MODES, indirect=["provider"])
def test_an_agent_with_a_tool(
    provider: Provider,
    streaming: bool,
    model: ScriptedModel,
    emission: Emission,
    ledger: Callable[[], None],
) -> None:
    usage = Usage(100, 20, cached_tokens=30, reasoning_tokens=6)
    tool_calls = Response(tool_calls=[CALL], usage=usage, model="today-1")
    model.script(tool_calls, Response("Done.", usage=usage, model="today-2"))
    guide = agent("Guide", provider.configured(model, streaming=streaming), tools=[tool(search)])
    assert run(lambda: guide.ask("Go")).body == "Done."
    assert emission.tree() == turn_of("Guide", provider.span_name, SEARCH, provider.span_name)
    spans = model_spans(emission, provider)
    has_time_to_first_chunk = ["gen_ai.response.time_to_first_chunk" in span for span in spans]
    assert has_time_to_first_chunk == [False, streaming]  # AG2 sends no chunk event for a tool call
    for span in spans:
        span.pop("gen_ai.response.time_to_first_chunk", None)
    streams = {"gen_ai.request.stream": True} if streaming else {}
    thoughts = {"gen_ai.usage.reasoning.output_tokens": 6} if provider.thinks else {}
    assert spans == [
        {
            "gen_ai.conversation.id": spans[0]["gen_ai.conversation.id"],
            "gen_ai.operation.name": provider.operation,
            "gen_ai.provider.name": provider.name,
            "gen_ai.request.model": provider.model,
            "gen_ai.response.finish_reasons": (reason,),
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "server.address": "127.0.0.1",
            "server.port": model.port,
            **streams,
            **thoughts,
            **provider.requested,
            **provider.reported(entry.response_id, name),
        }
        for reason, name, entry in zip(
            provider.reasons, ("today-1", "today-2"), model.ledger.entries, strict=True
        )
    ]
    ledger()


@pytest.mark.usefixtures("ag2_only")
@pytest.mark.parametrize(("provider", "streaming"), MODES, indirect=["provider"])
def test_a_refused_request(
    provider: Provider, streaming: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(lambda request: Failure(400, message=SECRET))
    guide = agent("Guide", provider.configured(model, streaming=streaming))
    with pytest.raises(Exception, match=SECRET):
        run(lambda: guide.ask("Go"))
    assert emission.tree() == turn_of("Guide", provider.span_name)
    assert [span["error.type"] for span in model_spans(emission, provider)] == [provider.refusal]
    assert model.ledger.requests == 1
    assert SECRET not in emission.texts()


def test_content(
    provider: Provider, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=False, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
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


@pytest.mark.usefixtures("ag2_only")
def test_content_is_not_recorded_by_default(
    provider: Provider, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("search", {"query": SECRET})]), Response(SECRET))
    guide = agent("Guide", provider.configured(model), tools=[tool(search)])
    run(lambda: guide.ask(SECRET))
    assert len(emission.spans) == 4
    assert SECRET not in emission.texts()
