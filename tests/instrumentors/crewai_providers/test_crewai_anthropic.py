"""Anthropic's SDK emits its own spans in later versions: CrewAI's requests are reported once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from crew_providers import PROVIDERS
from crews import agent, crew, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

PROVIDER = PROVIDERS["anthropic"]
CHAT = PROVIDER.span
OWN = [] if version("anthropic").startswith("0.") else ["anthropic.messages.create"]

Instrument = Callable[..., None]


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emission]:
    """Return what the SDK itself emits, to the global provider."""
    emission = Emission(noticing=True)
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", emission.tracer_provider)
    yield emission
    emission.close()


@pytest.mark.parametrize("own", ["true", "false"], ids=["own", "no own"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_request_of_crewai_is_reported_once(
    asynchronous: bool,
    stream: bool,
    own: str,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    native: Emission,
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", own)
    instrument(sdk=sdk)
    one = crew(task(agent(PROVIDER.llm(model, stream=stream), "Writer")))
    output = asyncio.run(one.akickoff()) if asynchronous else one.kickoff()
    assert output.raw == "Hello from the scripted model."
    # Where ours does not take their place, the SDK's own spans are the layer nearest to the provider.
    theirs = OWN if own == "true" and not sdk else []
    calls = run_of("Writer", CHAT)
    assert emission.tree() == ["invoke_workflow", *(calls[:-1] if theirs else calls)]
    # CrewAI counts the tokens of a prompt too, which is no inference.
    assert [name for name in native.names if name in OWN] == theirs
    (span,) = [s for s in (*emission.spans, *native.spans) if s.name in (CHAT, *OWN)]
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("crewai_alone")
def test_the_applications_client_reports_as_before(model: ScriptedModel, native: Emission) -> None:
    anthropic: Any = import_module("anthropic")
    with anthropic.Anthropic(base_url=model.base_url, api_key="none") as client:
        messages = [{"role": "user", "content": "hi"}]
        client.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=messages)
    assert native.names == OWN


def test_crewai_reports_as_before_when_uninstrumented(
    model: ScriptedModel, native: Emission
) -> None:
    PROVIDER.llm(model).call("hi")
    assert native.names == OWN
