"""A stream over an SDK that is left half-way; early versions of LiteLLM never release it."""

from __future__ import annotations

import gc

import pytest
from litellm_calls import MESSAGES, litellm, route

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.mark.usefixtures("instrumented")
def test_a_stream_over_an_sdk_that_is_left_is_abandoned(
    model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "disable_streaming_logging", True)  # it holds what it has to log
    stream = litellm.completion(messages=MESSAGES, stream=True, **route("gpt-4o-mini", model))
    next(stream)
    del stream
    gc.collect()
    finalization.drain(5)
    assert (emission.span.attributes or {})["otel_agents.stream.abandoned"] is True
