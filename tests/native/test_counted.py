"""Law 3 with the real libraries under the command: each response once, whatever is sampled."""

from __future__ import annotations

import pytest
from native_programs import CANARY, INSTALLED, SEVERAL_TRACES, SPANS, operations, ours, run
from native_receipts import recorded, tokens
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


@pytest.mark.parametrize("library", INSTALLED)
@pytest.mark.parametrize("sampler", ["parentbased_always_on", "always_off", "traceidratio"])
def test_each_response_is_counted_once(sampler: str, library: str, model: ScriptedModel) -> None:
    call = ToolCall("get_weather", {"city": CANARY})
    model.script(Response(tool_calls=[call]), Response("It is sunny."))
    variables = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0.5"}
    with Receiver() as receiver:
        done = run(library, model, receiver, **variables)
    assert (done.status, ours(done.err)) == (0, []), done.err
    ledger, spans = model.ledger, [*tokens(receiver)]
    billed = [(entry.input_tokens, entry.output_tokens) for entry in ledger.entries]
    if sampler != "traceidratio":
        assert spans == ([] if sampler == "always_off" else billed)
    assert {*spans} <= {*billed}
    assert len(spans) == len({*spans})
    found = [name for name, _ in operations(receiver)]
    if spans and not (SEVERAL_TRACES and sampler == "traceidratio"):
        assert len({span.trace_id for _, span in operations(receiver)}) == 1
        assert {name: found.count(name) for name in SPANS[library]} == SPANS[library]
    assert recorded(receiver, "token.usage", "input") == (ledger.input_tokens, 2)
    assert recorded(receiver, "token.usage", "output") == (ledger.output_tokens, 2)
    assert recorded(receiver, "operation.duration")[1] == 2


@pytest.mark.skipif("google_adk" not in INSTALLED, reason="others have no instrumentor beside ours")
def test_where_theirs_is_preferred_each_response_is_counted_once_too(
    model: ScriptedModel,
) -> None:
    call = ToolCall("get_weather", {"city": CANARY})
    model.script(Response(tool_calls=[call]), Response("It is sunny."))
    with Receiver() as receiver:
        done = run("google_adk", model, receiver, OTEL_AGENTS_PREFER="theirs")
    assert done.status == 0, done.err
    billed = [(entry.input_tokens, entry.output_tokens) for entry in model.ledger.entries]
    assert [*tokens(receiver)] == billed
    assert recorded(receiver, "token.usage", "input") == (model.ledger.input_tokens, 2)
    assert recorded(receiver, "token.usage", "output") == (model.ledger.output_tokens, 2)
    assert recorded(receiver, "operation.duration")[1] == 2
