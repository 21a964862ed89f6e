"""The contract of the official packages: one span for one call, whoever is outside."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from openai_calls import MESSAGES
from opentelemetry.context import attach, detach

from otel_agents.instrumentors._core.operations import ClaimedCall, ExecuteTool, Inference
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.conformance import Finding
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

handlers: Any = importlib.import_module("opentelemetry.util.genai.handler")
official: Any = importlib.import_module("opentelemetry.instrumentation.genai.openai")


@pytest.fixture
def handler(emission: Emission) -> Any:
    return handlers.TelemetryHandler(**emission.providers)


@pytest.fixture
def ours(emission: Emission) -> Telemetry:
    return Telemetry("ours", settings=Settings.read({}), **emission.providers)


def call(ours: Telemetry) -> None:
    inference = Inference(ours, Operation.CHAT, "openai", "gpt-4o", ("api.openai.com", 443))
    inference.response_id, inference.response_model = "r1", "gpt-4o-2024"
    inference.input_tokens, inference.output_tokens = 3, 4
    inference.finish_reasons = ("stop",)
    inference.end()


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans of the official packages are not checked against the conventions."""

    def nothing(emission: Emission) -> list[Finding]:
        return []

    monkeypatch.setattr("otel_agents.testing.plugin.findings_of", nothing)


@pytest.mark.usefixtures("unchecked")
def test_inside_an_official_call_ours_is_handed_over(
    handler: Any, ours: Telemetry, emission: Emission
) -> None:
    with handler.inference("openai", request_model="gpt-4o"):
        call(ours)
    attributes = dict(emission.span.attributes or {})
    assert emission.names == ["chat gpt-4o"]
    assert {
        name: attributes[name]
        for name in (
            "gen_ai.response.id",
            "gen_ai.response.model",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.response.finish_reasons",
        )
    } == {
        "gen_ai.response.id": "r1",
        "gen_ai.response.model": "gpt-4o-2024",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.response.finish_reasons": ("stop",),
    }


@pytest.mark.usefixtures("unchecked")
def test_inside_ours_an_official_call_is_silent(
    handler: Any, ours: Telemetry, emission: Emission
) -> None:
    inference = Inference(ours, Operation.CHAT, "openai", "gpt-4o", ("api.openai.com", 443))
    token = attach(inference.context)
    with handler.inference("openai", request_model="gpt-4o"):
        pass
    detach(token)
    inference.end()
    assert len(emission.spans) == 1


class Claiming(ClaimedCall):
    """A router above an SDK that only the official package instruments."""

    def describe(self, call: Any, response: Any) -> None:
        call.response_id, call.response_model = "r1", "gpt-4o-2024"
        call.input_tokens, call.output_tokens, call.finish_reasons = 3, 4, ("stop",)


def test_inside_a_claim_an_official_call_is_silent_and_the_claim_reports(
    handler: Any, ours: Telemetry, emission: Emission
) -> None:
    claiming = Claiming(ours, Operation.CHAT, model="gpt-4o", provider="openai")
    claiming.server = ("api.openai.com", 443)
    token = attach(claiming.context)
    claiming.attempt()
    with handler.inference("openai", request_model="gpt-4o"):
        pass
    detach(token)
    claiming.returned(None)
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == 3


@pytest.mark.usefixtures("unchecked")
def test_inside_an_official_call_a_claim_is_handed_over(
    handler: Any, ours: Telemetry, emission: Emission
) -> None:
    with handler.inference("openai", request_model="gpt-4o"):
        claiming = Claiming(ours, Operation.CHAT, model="gpt-4o", provider="openai")
        token = attach(claiming.context)
        claiming.attempt()
        call(ours)
        detach(token)
        claiming.returned(None)
    assert (emission.span.attributes or {})["gen_ai.usage.output_tokens"] == 4


@pytest.mark.usefixtures("unchecked")
def test_a_tool_inside_an_official_call_starts_without_a_claim(
    handler: Any, ours: Telemetry, emission: Emission
) -> None:
    with handler.inference("openai", request_model="gpt-4o"):
        tool = ExecuteTool(ours, "search")
        token = attach(tool.context)
        call(ours)
        detach(token)
        tool.end()
    assert emission.names == ["chat gpt-4o", "execute_tool search", "chat gpt-4o"]


@pytest.fixture(params=["ours first", "theirs first"])
def both(request: pytest.FixtureRequest, emission: Emission) -> Iterator[None]:
    """Both instrumentations of openai at once, in either order."""
    theirs = official.OpenAIInstrumentor()
    own = OpenAIInstrumentor()
    starts: list[Callable[[], None]] = [
        lambda: own.instrument(**emission.providers, settings=Settings.read({})),
        lambda: theirs.instrument(**emission.providers),
    ]
    for start in starts if request.param == "ours first" else reversed(starts):
        start()
    yield
    theirs.uninstrument()
    own.uninstrument()


@pytest.mark.usefixtures("both", "unchecked")
def test_with_both_instrumentations_a_call_is_one_span(
    emission: Emission,
) -> None:
    with (
        ScriptedModel() as model,
        openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as client,
    ):
        client.chat.completions.create(model="m", messages=MESSAGES)
        list(
            client.chat.completions.create(
                model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
            )
        )
        client.embeddings.create(model="e", input="text")
        spent = [(s.attributes or {})["gen_ai.usage.input_tokens"] for s in emission.spans]
        assert spent == [entry.input_tokens for entry in model.ledger.entries]
        assert len(spent) == 3
