"""The methods of the SDK that send one request to a model each, and those that call tools.

The public ``generate_content`` sends several: it calls functions, and continues a response that is
too long for one request. So its private counterpart is recorded, which ``chats`` reach too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_agents.instrumentors._core.calls.call import Start
from otel_agents.instrumentors._core.calls.watching import within
from otel_agents.instrumentors._core.patching.patches import Patch

from ._requests import embed, generate, generate_images, generate_stream, generate_videos
from ._sending import send, send_and_receive
from ._tools import call_function, call_mcp_tool, with_call_ids
from ._traces import share_trace, share_trace_later

__all__ = ["PATCHES"]

_CLASSES: Final = ("google.genai.models:Models", "google.genai.models:AsyncModels")
_CALLS: Final = "google.genai._extra_utils"
_METHODS: Final[tuple[tuple[str, Start, str | None, str | None], ...]] = (
    ("_generate_content", generate, None, None),
    ("_generate_content_stream", generate_stream, None, None),
    ("embed_content", embed, None, "1.64.0"),
    ("_embed_content", embed, "1.64.0", None),
    ("generate_images", generate_images, None, "1.8.0"),
    ("_generate_images", generate_images, "1.8.0", None),
    ("edit_image", generate_images, None, "1.7.0"),
    ("_edit_image", generate_images, "1.7.0", None),
    ("_upscale_image", generate_images, None, None),
    ("recontext_image", generate_images, "1.29.0", None),
    ("segment_image", generate_images, "1.31.0", None),
    ("generate_videos", generate_videos, "1.3.0", "1.27.0"),
    ("_generate_videos", generate_videos, "1.27.0", None),
)
"""Methods of both classes, with the first version that has them and the first without."""


def _methods() -> Iterator[Patch]:
    for owner in _CLASSES:
        for name, start, since, until in _METHODS:
            yield Patch(f"{owner}.{name}", start, since=since, until=until)


_MODELS, _ASYNC_MODELS = _CLASSES
_SEVERAL_REQUESTS: Final = (
    (f"{_MODELS}.generate_content", share_trace),
    (f"{_MODELS}.generate_content_stream", share_trace_later),
    (f"{_ASYNC_MODELS}.generate_content", share_trace_later),
    (f"{_ASYNC_MODELS}.generate_content_stream", share_trace_later),
    ("google.genai.chats:Chat.send_message", share_trace),
    ("google.genai.chats:Chat.send_message_stream", share_trace_later),
    ("google.genai.chats:AsyncChat.send_message", share_trace_later),
    ("google.genai.chats:AsyncChat.send_message_stream", share_trace_later),
)
"""Methods that send one request after another; a chat calls functions between two of the above."""

_RENAMED: Final = "1.4.0"
"""The first version whose client is a `BaseApiClient`, not an `ApiClient`."""
_SENDS: Final = (
    ("request", "3.1.0"),
    ("async_request", "3.1.0"),
    ("request_streamed", "1.8.0"),
    ("async_request_streamed", "1.8.0"),
)
"""Methods of the client, with the first version whose objects leave nothing out."""


def _client_methods() -> Iterator[Patch]:
    client = "google.genai._api_client"
    for name, whole in _SENDS:
        yield Patch(f"{client}:ApiClient.{name}", send_and_receive, until=_RENAMED)
        target = f"{client}:BaseApiClient.{name}"
        yield Patch(target, send_and_receive, since=_RENAMED, until=whole)
        yield Patch(target, send, since=whole)


PATCHES: Final = (
    *_methods(),
    *(Patch(target, start) for target, start in _SEVERAL_REQUESTS),
    *_client_methods(),
    Patch(f"{_CALLS}:get_function_response_parts", within(with_call_ids)),
    Patch(f"{_CALLS}:get_function_response_parts_async", within(with_call_ids), since="1.11.0"),
    Patch(f"{_CALLS}:invoke_function_from_dict_args", call_function),
    Patch(f"{_CALLS}:invoke_function_from_dict_args_async", call_function, since="1.11.0"),
    Patch("google.genai._adapters:McpToGenAiToolAdapter.call_tool", call_mcp_tool, since="1.16.1"),
)
