"""The official instrumentation of botocore beside ours: it keeps all but what ours record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bedrock_calls import BODIES, CONVERSATION, client_of, run_async
from botocore.exceptions import ClientError
from opentelemetry.instrumentation.botocore import (  # pyright: ignore[reportMissingTypeStubs]  it has none
    AiobotocoreInstrumentor,
    BotocoreInstrumentor,
)

from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

OURS = "otel_agents.instrumentors.bedrock"
THEIRS = "opentelemetry.instrumentation.botocore.bedrock-runtime"
OFFICIAL = (BotocoreInstrumentor, AiobotocoreInstrumentor)
GUARDRAIL: Any = {
    "guardrailIdentifier": "guard1",
    "guardrailVersion": "1",
    "source": "INPUT",
    "content": [],
}


@pytest.fixture(params=["theirs-first", "ours-first"])
def instrument_both(request: Any) -> Iterator[Callable[..., None]]:
    """Instrument with both, in either order."""

    def instrument(emission: Emission, **environ: str) -> None:
        steps: list[Callable[[], object]] = [
            lambda: [official().instrument(**emission.providers) for official in OFFICIAL],
            lambda: BedrockInstrumentor().instrument(
                **emission.providers, settings=Settings.read(environ)
            ),
        ]
        for step in steps if request.param == "theirs-first" else reversed(steps):
            step()

    originals = _patched()
    yield instrument
    for instrumentor in (BedrockInstrumentor, *OFFICIAL):
        if instrumentor().is_instrumented_by_opentelemetry:
            instrumentor().uninstrument()
    for (owner, name), function in originals.items():
        setattr(owner, name, function)  # theirs does not remove itself of aiobotocore


def _patched() -> dict[tuple[Any, str], Any]:
    from aiobotocore.client import AioBaseClient
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    targets = [
        *((kind, "_make_api_call") for kind in (BaseClient, AioBaseClient)),
        (Endpoint, "prepare_request"),
    ]
    return {(owner, name): vars(owner)[name] for owner, name in targets}


def recorded(emission: Emission) -> list[tuple[str, str]]:
    """Scope and name of each span."""
    return [
        (it.instrumentation_scope.name, it.name)
        for it in emission.spans
        if it.instrumentation_scope is not None
    ]


def send(client: Any) -> None:
    """Call a model in each way, and something else."""
    client.converse(**CONVERSATION)
    list(client.converse_stream(**CONVERSATION)["stream"])
    client.invoke_model(**BODIES[1].arguments)["body"].read()
    list(client.invoke_model_with_response_stream(**BODIES[1].arguments)["body"])
    with pytest.raises(ClientError):  # the scripted model has no guardrails
        client.apply_guardrail(**GUARDRAIL)


async def send_async(client: Any) -> None:
    await client.converse(**CONVERSATION)
    async for _ in (await client.converse_stream(**CONVERSATION))["stream"]:
        pass
    async with (await client.invoke_model(**BODIES[1].arguments))["body"] as body:
        await body.read()
    response = await client.invoke_model_with_response_stream(**BODIES[1].arguments)
    async for _ in response["body"]:
        pass
    with pytest.raises(ClientError):
        await client.apply_guardrail(**GUARDRAIL)


def by_boto3(model: ScriptedModel) -> None:
    send(client_of(model.base_url))


def by_aiobotocore(model: ScriptedModel) -> None:
    run_async(model.base_url, send_async)


@pytest.mark.parametrize("send_all", [by_boto3, by_aiobotocore])
def test_only_its_model_spans_are_silenced(
    send_all: Callable[[ScriptedModel], None],
    instrument_both: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument_both(emission)
    send_all(model)
    chat, completion = f"chat {CONVERSATION['modelId']}", f"text_completion {BODIES[1].model}"
    *models, (scope, other) = recorded(emission)
    assert models == [(OURS, name) for name in (chat, chat, completion, completion)]
    assert (scope.startswith("opentelemetry.instrumentation.botocore"), other) == (
        True,
        "Bedrock Runtime.ApplyGuardrail",
    )
    billed = model.ledger.input_tokens + model.ledger.output_tokens
    usage = emission.points()["gen_ai.client.token.usage"]
    assert sum(value for _, value in usage) == billed
    assert emission.events == []


def test_theirs_is_preferred_by_setting(
    instrument_both: Callable[..., None], model: ScriptedModel
) -> None:
    emission = Emission()  # what theirs emits does not conform
    instrument_both(emission, OTEL_AGENTS_PREFER="theirs")
    by_boto3(model)
    assert {scope for scope, _ in recorded(emission)} == {THEIRS}
    assert len(emission.spans) == model.ledger.requests + 1
    emission.close()


def test_theirs_records_again_without_ours(
    instrument_both: Callable[..., None], client: Any
) -> None:
    emission = Emission()
    instrument_both(emission)
    BedrockInstrumentor().uninstrument()
    client.converse(**CONVERSATION)
    assert [scope for scope, _ in recorded(emission)] == [THEIRS]
    emission.close()
