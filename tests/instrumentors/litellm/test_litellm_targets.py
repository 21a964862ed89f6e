"""Every target of a version is found, and a renamed one is reported."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from importlib import import_module
from typing import Final

from litellm_calls import VERSION
from renamed_targets import check_renamed

from otel_agents.instrumentors.litellm import LiteLLMInstrumentor

OLDEST: Final = VERSION < (1, 60)
ANTHROPIC: Final = [
    f"litellm.llms.anthropic.{module}.handler:anthropic_messages"
    for module in ("messages.native", "pass_through.messages", "experimental_pass_through.messages")
]
NEW_ITERATORS: Final = [
    "litellm.llms.base_llm.base_model_iterator:BaseModelResponseIterator.chunk_parser",
    "litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini:ModelResponseIterator.chunk_parser",
]
OLD_ITERATOR: Final = (
    "litellm.llms.vertex_ai_and_google_ai_studio.gemini.vertex_and_google_ai_studio_gemini:"
    "ModelResponseIterator.chunk_parser"
)
CALLBACK: Final = "litellm.integrations.opentelemetry:OpenTelemetry"
LATER: Final = [
    *("litellm.responses.main:responses", "litellm.responses.main:aresponses"),
    *ANTHROPIC,
    "litellm.llms.custom_llm:CustomLLM.aembedding",
    *NEW_ITERATORS,
    *(f"{CALLBACK}.{name}" for name in ("_handle_success", "_record_metrics")),
    f"{CALLBACK}._emit_semantic_logs",
    *(f"litellm.rust_bridge.dispatch:PublicDispatch.{name}" for name in ("run", "arun")),
]
"""Targets that the oldest version does not have."""


def test_every_target_is_found(instrument: Callable[..., None]) -> None:
    import_module(CALLBACK.partition(":")[0])  # LiteLLM imports it on demand
    instrument()
    report = LiteLLMInstrumentor().report()
    assert (report.of("missing"), report.of("waiting")) == ([], [])
    gone = [*ANTHROPIC[1:], OLD_ITERATOR, f"{CALLBACK}._handle_sucess"]
    assert report.of("absent") == (LATER if OLDEST else gone)


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(LiteLLMInstrumentor) == (22 if OLDEST else 31)


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        LiteLLMInstrumentor, "LiteLLMInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
