"""Law 3 for every way to call a model through LiteLLM: the spans have the billed tokens, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import REQUESTS, Request

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest, model: ScriptedModel, run: Any) -> Callable[..., Any]:
    """Send by the function or by its async twin."""

    def sending(call: Request) -> Any:
        if request.param == "sync":
            return call.send(model)
        return run(lambda: call.send_async(model))

    return sending


@pytest.mark.parametrize("call", REQUESTS, ids=str)
@pytest.mark.usefixtures("instrumented")
def test_the_span_has_the_billed_tokens(
    call: Request, send: Callable[..., Any], model: ScriptedModel, emission: Emission
) -> None:
    send(call)
    attributes = dict(emission.span.attributes or {})
    (entry,) = model.ledger.entries
    assert attributes.get("gen_ai.usage.input_tokens", 0) == entry.input_tokens
    assert attributes.get("gen_ai.usage.output_tokens", 0) == entry.output_tokens
    assert attributes.get("gen_ai.request.stream", False) is call.streamed
    assert attributes.get("gen_ai.response.id") in (None, entry.response_id)
    assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", model.port)
    assert "otel_agents.stream.abandoned" not in attributes
    usage = dict(emission.points()).get("gen_ai.client.token.usage", [])
    assert sum(value for _, value in usage) == entry.input_tokens + entry.output_tokens
