"""LiteLLM's own types, for annotations: import them only under ``TYPE_CHECKING``.

Each comes from the module that defines it. The package ``litellm`` has a ``__getattr__``, so that
pyright would take any name from there for `Any`, and would not report that LiteLLM renamed it.
"""

# Some folders of LiteLLM (1.110) have no `__init__.py`; pyright does not apply `py.typed` to them.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litellm.integrations import opentelemetry
    from litellm.litellm_core_utils import litellm_logging, streaming_handler
    from litellm.responses import streaming_iterator as responses
    from litellm.rust_bridge import dispatch
    from litellm.text_completions import streaming_iterator as text_completions
    from litellm.types import utils
    from litellm.types.llms import openai
    from litellm.types.llms.anthropic_messages import anthropic_response as anthropic

    from otel_agents.instrumentors._dialects.fields import Body

    CustomStreamWrapper: TypeAlias = streaming_handler.CustomStreamWrapper
    EmbeddingResponse: TypeAlias = utils.EmbeddingResponse
    Logging: TypeAlias = litellm_logging.Logging
    ModelResponse: TypeAlias = utils.ModelResponse
    OpenTelemetry: TypeAlias = opentelemetry.OpenTelemetry
    PublicDispatch: TypeAlias = dispatch.PublicDispatch[object]
    Usage: TypeAlias = utils.Usage | openai.ResponseAPIUsage

    Response: TypeAlias = (
        ModelResponse
        | EmbeddingResponse
        | utils.TextCompletionResponse
        | openai.ResponsesAPIResponse
        | anthropic.AnthropicMessagesResponse
        | Body
    )
    """What a call returns, or the message that was accumulated from a stream."""
    Chunk: TypeAlias = (
        utils.ModelResponseStream
        | utils.TextCompletionResponse
        | openai.ResponsesAPIStreamingResponse
        | Body
    )
    """What a stream yields, or an event that is read from its bytes."""
    Stream: TypeAlias = (
        CustomStreamWrapper
        | text_completions.TextCompletionStreamWrapper
        | responses.BaseResponsesAPIStreamingIterator
        | AsyncIterator[bytes]
    )
