"""A program that SIGTERM ends in a model call: its library's spans arrive, and each request is counted once."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

import pytest
from native_programs import CANARY, INSTALLED, operations, ours, running
from native_receipts import recorded, tokens
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Reaction, Response, ScriptedModel, ToolCall

_SECONDS = 120


def attribute(span: Any, name: str) -> str:
    return next((it.value.string_value for it in span.attributes if it.key == name), "")


@pytest.mark.parametrize("library", INSTALLED)
def test_what_was_open_arrives_and_is_counted_once(library: str, model: ScriptedModel) -> None:
    gate, waiting = Event(), Event()
    reactions = iter([Response(tool_calls=[ToolCall("get_weather", {"city": CANARY})])])

    def react(request: object) -> Reaction:
        first = next(reactions, None)
        if first is None:
            waiting.set()
        return first or Response(gate=gate)

    model.script_by(react)
    with Receiver() as receiver, running(library, model, receiver) as process:
        assert waiting.wait(_SECONDS)
        (billed,) = [(it.input_tokens, it.output_tokens) for it in model.ledger.entries][:1]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=_SECONDS)
        gate.set()
    assert (process.returncode, ours(err)) == (-signal.SIGTERM, []), err
    assert [one for one in tokens(receiver) if one != (0, 0)] == [billed]
    found = [span for _, span in operations(receiver)]
    failed = [span for span in found if attribute(span, "error.type") == "interrupted"]
    assert len({span.trace_id for span in found}) == 1
    calls = [name for name, _ in operations(receiver) if name in ("chat", "generate_content")]
    assert (len(calls), bool(failed)) == (3, True)  # the library's two, and ours of the second
    assert recorded(receiver, "operation.duration")[1] == 2
    assert recorded(receiver, "token.usage", "input") == (billed[0], 1)
