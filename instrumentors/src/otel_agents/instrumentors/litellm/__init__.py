"""Instrumentor for LiteLLM, its router included.

LiteLLMInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["LiteLLMInstrumentor"]


class LiteLLMInstrumentor(AgentInstrumentor):
    """Records what ``litellm`` sends by itself; what an SDK sends for it is the SDK's span."""

    plain_name = "litellm"
    requires = ("litellm >= 1.53.1, < 2",)
    conflicting = (
        "opentelemetry-instrumentation-litellm",
        "openinference-instrumentation-litellm",
    )
    covers = (
        "completion, text completion, embedding, responses, Anthropic's messages",
        "sync, async, stream, Router with retries and fallbacks",
        "every provider, over its own HTTP, its Rust core or an SDK",
        "cost",
    )
    own_telemetry = "model calls of its OpenTelemetry callbacks (otel, weave_otel, logfire, …)"

    def patches(self) -> Iterable[Patch]:
        """The functions below LiteLLM's cache and retries, and the two places where it sends.

        The public names are bound in many modules, and by applications, before anybody could
        replace them. All of them are one decorated function, which keeps the real one.
        """
        from functools import partial

        from otel_agents.instrumentors._core.calls.watching import after, instead, watch, within
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._callbacks import describing, logging, made, measuring
        from ._functions import FUNCTIONS, ITERATORS
        from ._operations import (
            dispatched,
            handling,
            identifying,
            parsing,
            posting,
            question,
            sending,
            wrapping,
        )

        for function in FUNCTIONS:
            for target in function.targets:
                yield Patch(
                    target,
                    partial(question, function),
                    since=function.since,
                    until=function.until,
                    decorated="original_function",
                )
        utils = "litellm.litellm_core_utils"
        yield Patch(f"{utils}.litellm_logging:Logging.pre_call", after(sending))
        yield Patch(f"{utils}.streaming_handler:CustomStreamWrapper.__init__", watch(wrapping))
        custom = "litellm.llms.custom_llm:CustomLLM"
        for method in ("completion", "acompletion", "streaming", "astreaming", "embedding"):
            yield Patch(f"{custom}.{method}", watch(handling), subclasses=True)
        yield Patch(f"{custom}.aembedding", watch(handling), since="1.71.0", subclasses=True)
        http = "litellm.llms.custom_httpx.http_handler"
        yield Patch(f"{http}:HTTPHandler.post", posting)
        yield Patch(f"{http}:AsyncHTTPHandler.post", posting)
        anthropic = "litellm.llms.anthropic.chat.handler:ModelResponseIterator.chunk_parser"
        yield Patch(anthropic, watch(parsing))
        for iterator in ITERATORS:
            target = f"litellm.llms.{iterator}.chunk_parser"
            yield Patch(target, watch(identifying), overrides=True, one_of="iterators")
        callback = "litellm.integrations.opentelemetry:OpenTelemetry"
        yield Patch(f"{callback}.__init__", after(made))
        for logs, kind in (("success", "logs"), ("sucess", "logs"), ("failure", None)):
            handle = f"{callback}._handle_{logs}"  # which weave_otel overrides
            yield Patch(handle, within(logging), one_of=kind, overrides=True)
        yield Patch(f"{callback}.set_attributes", instead(describing), overrides=True)
        for tells, provider in (
            ("_record_metrics", "_meter_provider"),
            ("_emit_semantic_logs", "_logger_provider"),
        ):
            how = instead(measuring(provider))
            yield Patch(f"{callback}.{tells}", how, one_of="logs")
        rust = "litellm.rust_bridge.dispatch:PublicDispatch"
        for method in ("run", "arun"):
            yield Patch(f"{rust}.{method}", dispatched, since="1.103.0")
