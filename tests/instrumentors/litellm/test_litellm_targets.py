"""The targets that a version has are found, and one that is renamed is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from litellm_calls import VERSION
from renamed_targets import check_renamed

from otel_agents.instrumentors.litellm import LiteLLMInstrumentor

OLDEST: Final = VERSION < (1, 60)
ANTHROPIC: Final = [
    f"litellm.llms.anthropic.{module}.handler:anthropic_messages"
    for module in ("messages.native", "pass_through.messages", "experimental_pass_through.messages")
]
LATER: Final = [
    *("litellm.responses.main:responses", "litellm.responses.main:aresponses"),
    *ANTHROPIC,
    "litellm.llms.custom_llm:CustomLLM.aembedding",
    *(f"litellm.rust_bridge.dispatch:PublicDispatch.{name}" for name in ("run", "arun")),
]
"""What the oldest version does not have."""


def test_every_target_is_found(instrument: Callable[..., None]) -> None:
    instrument()
    report = LiteLLMInstrumentor().report()
    assert (report.of("missing"), report.of("waiting")) == ([], [])
    assert report.of("absent") == (LATER if OLDEST else ANTHROPIC[1:])


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(LiteLLMInstrumentor) == (16 if OLDEST else 22)
