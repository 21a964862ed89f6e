"""The official instrumentation of botocore beside ours: it keeps all but what ours record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bedrock_calls import BODIES, CONVERSATION, run_async
from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor, BotocoreInstrumentor

from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

OURS = "otel_agents.instrumentors.bedrock"
OFFICIAL = (BotocoreInstrumentor, AiobotocoreInstrumentor)


@pytest.fixture(params=["theirs-first", "ours-first"])
def both(request: Any, emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument with both, in either order."""

    def instrument(**environ: str) -> None:
        steps: list[Callable[[], object]] = [
            lambda: [official().instrument(**emission.providers) for official in OFFICIAL],
            lambda: BedrockInstrumentor().instrument(
                **emission.providers, settings=Settings.read(environ)
            ),
        ]
        for step in steps if request.param == "theirs-first" else reversed(steps):
            step()

    yield instrument
    for instrumentor in (*OFFICIAL, BedrockInstrumentor):
        if instrumentor().is_instrumented_by_opentelemetry:
            instrumentor().uninstrument()
    restore()


def restore() -> None:
    """Remove the official wrappers, which it leaves where ours are around them."""
    from aiobotocore.client import AioBaseClient
    from botocore.client import BaseClient

    for kind in (BaseClient, AioBaseClient):
        function: Any = kind._make_api_call
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        kind._make_api_call = function


def scopes(emission: Emission) -> list[tuple[str, str]]:
    return [(it.instrumentation_scope.name, it.name) for it in emission.spans if it.instrumentation_scope]


def send(client: Any) -> None:
    client.converse(**CONVERSATION)
    list(client.converse_stream(**CONVERSATION)["stream"])
    client.invoke_model(**BODIES[1].arguments)["body"].read()


def test_only_its_model_spans_are_silenced(
    both: Callable[..., None], client: Any, model: ScriptedModel, emission: Emission
) -> None:
    both()
    send(client)
    with pytest.raises(client.exceptions.ClientError):  # the scripted model has no guardrails
        client.apply_guardrail(
            guardrailIdentifier="g", guardrailVersion="1", source="INPUT", content=[]
        )
    theirs = ("opentelemetry.instrumentation.botocore.bedrock-runtime", "Bedrock Runtime.ApplyGuardrail")
    names = [f"chat {CONVERSATION['modelId']}"] * 2 + [f"text_completion {BODIES[1].model}"]
    assert scopes(emission) == [*((OURS, name) for name in names), theirs]
    assert emission.events == []
    assert model.ledger.input_tokens == sum(
        int(str((span.attributes or {}).get("gen_ai.usage.input_tokens", 0)))
        for span in emission.spans
    )
