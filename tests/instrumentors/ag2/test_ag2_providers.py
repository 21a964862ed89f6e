"""Every provider that AG2 has a client for: one span per request, with what was billed for it."""

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
def alone(instrument: Instrument) -> None:
    """Instruments nothing but AG2."""
    instrument(sdk=False)


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def asked(emission: Emission, provider: Provider) -> list[dict[str, Any]]:
    """The attributes of the model's spans in the order in which they ended."""
    return [dict(s.attributes or {}) for s in emission.spans if s.name == provider.asked]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("provider", "streaming"), MODES, indirect=["provider"])
def test_an_agent_with_a_tool(
    provider: Provider,
    streaming: bool,
    model: ScriptedModel,
    emission: Emission,
    ledger: Callable[[], None],
) -> None:
    spent = Usage(100, 20, cached_tokens=30, reasoning_tokens=6)
    asking = Response(tool_calls=[CALL], usage=spent, model="today-1")
    model.script(asking, Response("Done.", usage=spent, model="today-2"))
    guide = agent("Guide", provider.configured(model, streaming=streaming), tools=[tool(search)])
    assert run(lambda: guide.ask("Go")).body == "Done."
    assert emission.tree() == turn_of("Guide", provider.asked, SEARCH, provider.asked)
    spans = asked(emission, provider)
    timed = ["gen_ai.response.time_to_first_chunk" in span for span in spans]
    assert timed == [False, streaming]  # AG2 tells of no piece of a tool's call
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
            **provider.told(entry.response_id, name),
        }
        for reason, name, entry in zip(
            provider.reasons, ("today-1", "today-2"), model.ledger.entries, strict=True
        )
    ]
    ledger()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("provider", "streaming"), MODES, indirect=["provider"])
def test_a_refusal(
    provider: Provider, streaming: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(lambda request: Failure(400, message=SECRET))
    guide = agent("Guide", provider.configured(model, streaming=streaming))
    with pytest.raises(Exception, match=SECRET):
        run(lambda: guide.ask("Go"))
    assert emission.tree() == turn_of("Guide", provider.asked)
    assert [span["error.type"] for span in asked(emission, provider)] == [provider.refusal]
    assert model.ledger.requests == 1
    assert SECRET not in emission.texts()


def test_content(
    provider: Provider, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=False, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(Response(tool_calls=[CALL]), Response("Y."))
    guide = agent("Guide", provider.configured(model), tools=[tool(search)])
    run(lambda: guide.ask("Go"))
    first, second = asked(emission, provider)
    called = '{"type":"tool_call","id":"call_1","name":"search","arguments":{"query":"x"}}'
    message = '[{"role":"assistant","parts":[%s],"finish_reason":"%s"}]'
    said = '{"type":"text","content":"Y."}'
    reasons = [span["gen_ai.response.finish_reasons"][0] for span in (first, second)]
    assert first["gen_ai.output.messages"] == message % (called, reasons[0])
    assert second["gen_ai.output.messages"] == message % (said, reasons[1])
    assert "Go" in first["gen_ai.input.messages"]


@pytest.mark.usefixtures("alone")
def test_without_content_nothing_of_it_leaves(
    provider: Provider, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("search", {"query": SECRET})]), Response(SECRET))
    guide = agent("Guide", provider.configured(model), tools=[tool(search)])
    run(lambda: guide.ask(SECRET))
    assert len(emission.spans) == 4
    assert SECRET not in emission.texts()
