"""Anthropic's SDK emits its own spans in later versions: CrewAI's requests are reported once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from crew_providers import PROVIDERS
from crews import agent, crew, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

PROVIDER = PROVIDERS["anthropic"]
OWN = [] if version("anthropic").startswith("0.") else ["anthropic.messages.create"]


@pytest.fixture(autouse=True)
def sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emission]:
    """Return what the SDK itself emits, to the global provider."""
    emission = Emission()
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", emission.tracer_provider)
    yield emission
    emission.close()


@pytest.mark.usefixtures("crewai_alone")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_request_of_crewai_is_reported_once(
    asynchronous: bool, stream: bool, model: ScriptedModel, emission: Emission, sdk: Emission
) -> None:
    one = crew(task(agent(PROVIDER.llm(model, stream=stream), "Writer")))
    output = asyncio.run(one.akickoff()) if asynchronous else one.kickoff()
    assert output.raw == "Hello from the scripted model."
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", PROVIDER.span)]
    assert "anthropic.messages.create" not in sdk.names
    (span,) = [s for s in emission.spans if s.name == PROVIDER.span]
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("crewai_alone")
def test_the_applications_client_reports_as_before(model: ScriptedModel, sdk: Emission) -> None:
    anthropic: Any = import_module("anthropic")
    with anthropic.Anthropic(base_url=model.base_url, api_key="none") as client:
        messages = [{"role": "user", "content": "hi"}]
        client.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=messages)
    assert sdk.names == OWN


def test_crewai_reports_as_before_when_uninstrumented(model: ScriptedModel, sdk: Emission) -> None:
    PROVIDER.llm(model).call("hi")
    assert sdk.names == OWN
