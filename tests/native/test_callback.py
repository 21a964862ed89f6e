"""LiteLLM's callback ``otel`` beside ours: each response once, sampled or not, without its prompt."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from instrumented import Finished, instrumented, script
from native_programs import ours
from native_receipts import recorded
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.skipif(find_spec("litellm") is None, reason="it is not installed")

CANARY = "canary-7c1f"
PROGRAM = f"""
    import asyncio

    import litellm

    litellm.callbacks = ["otel"]
    messages = [{{"role": "user", "content": "How is {CANARY}?"}}]
    usage = {{"stream": True, "stream_options": {{"include_usage": True}}}}
    for model in ("openai/gpt-4o-mini", "anthropic/claude-3-haiku-20240307"):
        for _ in range(3):
            litellm.completion(model=model, messages=messages)
        list(litellm.completion(model=model, messages=messages, **usage))
        asyncio.run(litellm.acompletion(model=model, messages=messages))
"""
RESPONSES = 10


def run(model: ScriptedModel, receiver: Receiver, path: Path, **variables: str) -> Finished:
    return instrumented(
        script(path, PROGRAM),
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OPENAI_API_BASE": model.openai_url,
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_API_BASE": model.base_url,
            "ANTHROPIC_API_KEY": "none",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            **variables,
        },
        installed=True,
        seconds=240,
    )


def values_of(attributes: Any) -> dict[str, Any]:
    return {it.key: it.value.int_value or it.value.string_value for it in attributes}


def ids(receiver: Receiver) -> Iterator[str]:
    for span in receiver.spans:
        yield values_of(span.attributes)["gen_ai.response.id"]


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("parentbased_always_on", {RESPONSES}),
        ("always_off", {0}),
        ("traceidratio", {*range(RESPONSES + 1)}),
    ],
)
def test_each_response_is_counted_once(
    sampler: str, expected: set[int], model: ScriptedModel, tmp_path: Path
) -> None:
    variables = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0.5"}
    with Receiver() as receiver:
        done = run(model, receiver, tmp_path, **variables)
    ledger, spans = model.ledger, [values_of(span.attributes) for span in receiver.spans]
    assert (done.status, ledger.requests) == (0, RESPONSES), done.err
    assert ours(done.err) == []
    assert len(spans) in expected
    counted = {
        (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) for span in spans
    }
    billed = {(it.input_tokens, it.output_tokens) for it in ledger.entries}
    assert counted <= billed
    assert len(counted) == len(spans) == len({*ids(receiver)})
    total = ledger.input_tokens + ledger.output_tokens
    assert recorded(receiver, "token.usage") == (total, 2 * RESPONSES)
    assert recorded(receiver, "operation.duration")[1] == RESPONSES
    assert CANARY not in str(receiver.requests)
