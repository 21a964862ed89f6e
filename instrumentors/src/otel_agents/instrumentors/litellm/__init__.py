"""Instrumentor for LiteLLM, its router included.

LiteLLMInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["LiteLLMInstrumentor"]


class LiteLLMInstrumentor(AgentInstrumentor):
    """Records what ``litellm`` sends by itself; what an SDK sends for it is the SDK's span."""

    plain_name = "litellm"
    requires = ("litellm >= 1.53.1, < 2",)
    rivals = (
        "opentelemetry-instrumentation-litellm",
        "openinference-instrumentation-litellm",
    )
    covers = (
        "completion, text completion, embedding, responses, Anthropic's messages",
        "sync, async, stream, Router with retries and fallbacks",
        "every provider, over its own HTTP, its Rust core or an SDK",
        "cost",
    )

    def patches(self, telemetry: Telemetry) -> Iterable[Patch]:
        """The functions below LiteLLM's cache and retries, and the two places where it sends.

        The public names are bound in many modules, and by applications, before anybody could
        replace them. All of them are one decorated function, which keeps the real one.
        """
        from otel_agents.instrumentors._core.calls.around import around
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._functions import CUSTOM_METHODS, FUNCTIONS
        from ._operations import asked, dispatched, handling, parsing, posting, sending, wrapping

        for function in FUNCTIONS:
            for target in function.targets:
                begin = asked(telemetry, function)
                inner = "original_function"
                yield Patch(target, around(begin), optional=function.later, decorated=inner)
        logging = "litellm.litellm_core_utils.litellm_logging:Logging.pre_call"
        yield Patch(logging, around(sending))
        custom = "litellm.llms.custom_llm:CustomLLM"
        for method in CUSTOM_METHODS:
            wrapper = around(handling, overridden=True)
            yield Patch(f"{custom}.{method}", wrapper, subclasses=True)
        streams = "litellm.litellm_core_utils.streaming_handler:CustomStreamWrapper.__init__"
        yield Patch(streams, around(wrapping))
        http = "litellm.llms.custom_httpx.http_handler"
        yield Patch(f"{http}:HTTPHandler.post", around(posting))
        yield Patch(f"{http}:AsyncHTTPHandler.post", around(posting))
        anthropic = "litellm.llms.anthropic.chat.handler:ModelResponseIterator.chunk_parser"
        yield Patch(anthropic, around(parsing), optional=True)
        rust = "litellm.rust_bridge.dispatch:PublicDispatch"
        for method in ("run", "arun"):
            yield Patch(f"{rust}.{method}", around(dispatched(telemetry)), optional=True)
