"""Our error, or one of application code that we call, costs no span and raises nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from failing_hooks import check_failing_hooks
from header_laws import check_raising_propagator, check_trace_headers
from mistral_calls import MESSAGES

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, nothing_listening


@pytest.mark.parametrize("way", ["whole", "stream", "refused", "unreachable"])
def test_our_error_costs_no_span(way: str, client: Any, model: ScriptedModel) -> None:
    request: Any = {"model": "m", "messages": MESSAGES}

    def converse() -> Any:
        model.script_by(lambda _: Failure(429) if way == "refused" else Response("answer"))
        if way == "stream":
            return len(list(client.chat.stream(**request)))
        if way == "whole":
            return client.chat.complete(**request).choices[0].message.content
        if way == "refused":
            with pytest.raises(Exception, match="429") as raised:
                client.chat.complete(**request)
            return type(raised.value)
        with nothing_listening() as url, pytest.raises(Exception, match="refused") as raised:
            client.chat.complete(**request, server_url=url)
        return type(raised.value)

    assert check_failing_hooks(MistralAIInstrumentor, converse) > 6


def test_a_propagator_that_raises_costs_only_the_headers(
    client: Any, emission: Emission, instrument: Callable[..., None]
) -> None:
    request: Any = {"model": "m", "messages": MESSAGES}
    check_raising_propagator(lambda: client.chat.complete(**request), instrument, emission)


@pytest.mark.parametrize(
    ("setting", "sent"),
    [("", False), ("api.mistral.ai", False), ("127.0.0.1", True), ("example.com, 127.*", True)],
)
def test_trace_headers_go_only_to_hosts_that_are_named(
    setting: str,
    sent: bool,
    client: Any,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS=setting)
    client.chat.complete(model="m", messages=MESSAGES)

    def send(client: Any) -> Any:
        return client.chat.complete_async(model="m", messages=MESSAGES)

    run(send)
    check_trace_headers(emission, model, sent)
