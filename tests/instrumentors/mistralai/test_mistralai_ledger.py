"""Law 3 for every way to call the SDK: the spans have the billed tokens, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mistral_calls import CLOUDS, MESSAGES, VERSION, Call, Cloud, ways

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

WAYS = [pytest.param(*row[1:], id=row[0]) for row in ways()]


@pytest.mark.parametrize(("way", "call", "streamed"), WAYS)
@pytest.mark.usefixtures("instrumented")
def test_the_span_has_the_billed_tokens(
    way: Callable[[Call, Any], None],
    call: Call,
    streamed: bool,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    way(call, client)
    attributes = dict(emission.span.attributes or {})
    ledger = model.ledger
    assert (ledger.requests, emission.span.name) == (1, call.span)
    assert attributes.get("gen_ai.usage.input_tokens", 0) == ledger.input_tokens
    assert attributes.get("gen_ai.usage.output_tokens", 0) == ledger.output_tokens
    assert attributes.get("gen_ai.request.stream", False) is streamed
    assert attributes["server.port"] == model.port
    assert "otel_agents.stream.abandoned" not in attributes
    usage = dict(emission.points()).get("gen_ai.client.token.usage", [])
    assert sum(value for _, value in usage) == ledger.input_tokens + ledger.output_tokens


@pytest.mark.parametrize(("way", "call", "streamed"), WAYS)
def test_after_uninstrumenting_nothing_is_recorded(
    way: Callable[[Call, Any], None],
    call: Call,
    streamed: bool,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument()
    MistralAIInstrumentor().uninstrument()
    way(call, client)
    assert emission.spans == ()
    assert model.ledger.requests == 1


UNREPORTED = [
    pytest.param(usage, *row[1:3], id=f"{row[0]}-{len(usage)}")
    for row in ways()
    for usage in ({}, {"prompt_tokens": 7})
    if row[0] in ("chat-whole", "embeddings-whole", "start-whole")
]


def anything_conforms(emission: Emission) -> None:
    """Replace the check, which expects both numbers."""


@pytest.mark.skipif(VERSION < (3, 0), reason="rejects a usage without numbers")
@pytest.mark.parametrize(("usage", "way", "call"), UNREPORTED)
@pytest.mark.parametrize("conforming", [pytest.param(anything_conforms, id="")])
@pytest.mark.usefixtures("instrumented")
def test_a_number_that_is_not_reported_is_not_recorded(
    usage: dict[str, Any],
    way: Callable[[Call, Any], None],
    call: Call,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response("Sunny.", extra={"usage": usage}))
    way(call, client)
    recorded = {
        name.rpartition("usage.")[2]: value
        for name, value in (emission.span.attributes or {}).items()
        if "usage" in name
    }
    assert recorded == ({"input_tokens": 7} if usage else {})


def complete(client: Any, model: str) -> None:
    client.chat.complete(model=model, messages=MESSAGES)


def stream(client: Any, model: str) -> None:
    list(client.chat.stream(model=model, messages=MESSAGES))


@pytest.mark.parametrize("send", [complete, stream])
@pytest.mark.parametrize("cloud", [pytest.param(cloud, id=cloud.name) for cloud in CLOUDS])
@pytest.mark.usefixtures("instrumented")
def test_the_clouds(
    cloud: Cloud, send: Callable[[Any, str], None], model: ScriptedModel, emission: Emission
) -> None:
    send(cloud.make(model.mistral_url), "mistral-large-2411")
    attributes = dict(emission.span.attributes or {})
    assert emission.names == ["chat mistral-large-2411"]
    assert attributes["gen_ai.provider.name"] == cloud.provider
    assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", model.port)
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0


@pytest.mark.usefixtures("instrumented")
def test_the_other_surfaces_of_the_clouds(model: ScriptedModel, emission: Emission) -> None:
    azure, google = (cloud.make(model.mistral_url) for cloud in CLOUDS)
    google.fim.complete(model="codestral-2501", prompt="def f(")
    list(google.fim.stream(model="codestral-2501", prompt="def f("))
    if VERSION >= (1, 10):
        document = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
        azure.ocr.process(model="ocr", document=document)
    assert emission.names[:2] == ["text_completion codestral-2501"] * 2
    assert emission.names[2:] == ["generate_content ocr"] * (VERSION >= (1, 10))
    found = [dict(span.attributes or {}) for span in emission.spans]
    spent = [int(str(it.get("gen_ai.usage.input_tokens", 0))) for it in found]
    assert sum(spent) == model.ledger.input_tokens
