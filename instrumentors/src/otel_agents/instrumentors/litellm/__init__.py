"""Instrumentor for LiteLLM, including its router."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["LiteLLMInstrumentor"]


class LiteLLMInstrumentor(AgentInstrumentor):
    """Records the model calls that ``litellm`` sends itself; an SDK below it records its own.

    Example:
        >>> from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
        >>> instrumentor = LiteLLMInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of litellm
        >>> # each request that litellm sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

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
        """Yield patches of the functions below cache and retries, and of the clients that send."""
        from functools import partial

        from otel_agents.instrumentors._core.calls.watching import (
            after,
            after_by_arguments,
            instead,
            watch,
            within,
        )
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._callbacks import callback_created, handle_result, record_through, set_attributes
        from ._functions import FUNCTIONS, ITERATORS
        from ._operations import (
            anthropic_chunk_parser,
            chunk_parser,
            custom_provider,
            model_call,
            post,
            pre_call,
            rust_dispatch,
            stream_wrapper,
        )

        # LiteLLM's own modules and applications bind `completion` and the like before we could
        # replace them (1.53.1 to 1.110). All of them are one decorated function, whose closure
        # holds the original: that is what we replace.
        for function in FUNCTIONS:
            for target in function.targets:
                yield Patch(
                    target,
                    partial(model_call, function),
                    since=function.since,
                    until=function.until,
                    decorated="original_function",
                )
        utils = "litellm.litellm_core_utils"
        yield Patch(f"{utils}.litellm_logging:Logging.pre_call", after_by_arguments(pre_call))
        yield Patch(
            f"{utils}.streaming_handler:CustomStreamWrapper.__init__", watch(stream_wrapper)
        )
        custom = "litellm.llms.custom_llm:CustomLLM"
        for method in ("completion", "acompletion", "streaming", "astreaming", "embedding"):
            yield Patch(f"{custom}.{method}", watch(custom_provider), subclasses=True)
        # `CustomLLM.aembedding` came with 1.71.
        yield Patch(f"{custom}.aembedding", watch(custom_provider), since="1.71.0", subclasses=True)
        http = "litellm.llms.custom_httpx.http_handler"
        yield Patch(f"{http}:HTTPHandler.post", post)
        yield Patch(f"{http}:AsyncHTTPHandler.post", post)
        anthropic = "litellm.llms.anthropic.chat.handler:ModelResponseIterator.chunk_parser"
        yield Patch(anthropic, watch(anthropic_chunk_parser))
        for iterator in ITERATORS:
            target = f"litellm.llms.{iterator}.chunk_parser"
            yield Patch(target, watch(chunk_parser), overrides=True, one_of="iterators")
        callback = "litellm.integrations.opentelemetry:OpenTelemetry"
        yield Patch(f"{callback}.__init__", after(callback_created))
        # 1.53.1 spells it `_handle_sucess`. `weave_otel` overrides it.
        for result, kind in (("success", "logs"), ("sucess", "logs"), ("failure", None)):
            handle = f"{callback}._handle_{result}"
            yield Patch(handle, within(handle_result), one_of=kind, overrides=True)
        yield Patch(f"{callback}.set_attributes", instead(set_attributes), overrides=True)
        for method, provider in (
            ("_record_metrics", "_meter_provider"),
            ("_emit_semantic_logs", "_logger_provider"),
        ):
            wrapper = instead(record_through(provider))
            yield Patch(f"{callback}.{method}", wrapper, one_of="logs")
        rust = "litellm.rust_bridge.dispatch:PublicDispatch"
        for method in ("run", "arun"):
            yield Patch(f"{rust}.{method}", rust_dispatch, since="1.103.0")
