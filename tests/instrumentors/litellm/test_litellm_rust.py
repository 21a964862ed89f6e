"""LiteLLM's Rust core, which sends past every SDK and every Python HTTP client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import MESSAGES, Request, litellm
from rust_core import served_by_rust

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

CHAT = Request("completion", "anthropic/claude-3-haiku-20240307", {"messages": MESSAGES})
RESPONSES = Request("responses", "openai/gpt-4o-mini", {"input": "Hi"})

pytestmark = pytest.mark.usefixtures("instrumented")


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the core serve what it can; return what it served, by the mark that LiteLLM leaves."""
    return served_by_rust(monkeypatch, "CHAT_COMPLETIONS", "RESPONSES")


@pytest.mark.parametrize("call", [CHAT, RESPONSES], ids=str)
def test_a_call_that_the_core_sends_is_one_span(
    call: Request,
    served: list[str],
    model: ScriptedModel,
    emission: Emission,
    run: Callable[..., Any],
) -> None:
    call.send(model)
    run(lambda: call.send_async(model))
    assert len(served) == len(emission.spans) == 2
    for span, entry in zip(emission.spans, model.ledger.entries, strict=True):
        attributes = dict(span.attributes or {})
        assert attributes["gen_ai.usage.input_tokens"] == entry.input_tokens
        assert attributes["gen_ai.usage.output_tokens"] == entry.output_tokens
        assert attributes["gen_ai.response.id"] == entry.response_id
        assert attributes["gen_ai.provider.name"] == call.model.partition("/")[0]
        assert (attributes["server.address"], attributes["server.port"]) == (
            "127.0.0.1",
            model.port,
        )


def test_a_call_that_the_core_declines_is_one_span(
    served: list[str], model: ScriptedModel, emission: Emission
) -> None:
    streamed = Request(CHAT.function, CHAT.model, {**CHAT.arguments, "stream": True})
    streamed.send(model)
    assert (served, len(emission.spans), model.ledger.requests) == ([], 1, 1)


def test_a_refusal_is_one_span_with_its_error(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(429))
    with pytest.raises(litellm.RateLimitError):
        CHAT.send(model)
    assert (emission.span.attributes or {})["error.type"] == "litellm.exceptions.RateLimitError"
