"""What flows inward through the OpenTelemetry context, and how it crosses threads.

The context is made current by `attach` and left by attaching the previous one again, never by a
token: a token of a generator, a callback or a collected coroutine may belong to another
`contextvars.Context`, and OpenTelemetry then logs "Failed to detach context".
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry.context import Context, attach, create_key, get_current, get_value, set_value

__all__ = [
    "Steps",
    "carry",
    "conversation_id",
    "session_id",
    "user_id",
    "with_conversation_id",
    "with_session_id",
    "with_user_id",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_CONVERSATION_ID = create_key("otel_agents-conversation-id")
_SESSION_ID = create_key("otel_agents-session-id")
_USER_ID = create_key("otel_agents-user-id")
_OFFICIAL_CONVERSATION_MODULE = "opentelemetry.util.genai._conversation_context"


def _text(key: str, context: Context | None) -> str | None:
    value = get_value(key, context)
    return value if isinstance(value, str) else None


def _official_conversation_key() -> str | None:
    # Private there, so it is probed; and only where that package is in use already.
    module = sys.modules.get(_OFFICIAL_CONVERSATION_MODULE)
    return getattr(module, "CONVERSATION_ID_KEY", None) if module else None


def conversation_id(context: Context | None = None) -> str | None:
    """The conversation that ``context`` belongs to, set by us or by an official package."""
    own = _text(_CONVERSATION_ID, context)
    if own is not None:
        return own
    official = _official_conversation_key()
    return _text(official, context) if official else None


def with_conversation_id(value: str, context: Context | None = None) -> Context:
    """``context`` as part of the conversation ``value``, for us and for the official packages."""
    extended = set_value(_CONVERSATION_ID, value, context)
    official = _official_conversation_key()
    return set_value(official, value, extended) if official else extended


def user_id(context: Context | None = None) -> str | None:
    """The end user whom ``context`` serves (``user.id``)."""
    return _text(_USER_ID, context)


def with_user_id(value: str, context: Context | None = None) -> Context:
    """``context`` in the service of the user ``value``."""
    return set_value(_USER_ID, value, context)


def session_id(context: Context | None = None) -> str | None:
    """The session that ``context`` belongs to (``session.id``)."""
    return _text(_SESSION_ID, context)


def with_session_id(value: str, context: Context | None = None) -> Context:
    """``context`` as part of the session ``value``."""
    return set_value(_SESSION_ID, value, context)


def carry(function: _Function, context: Context | None = None) -> _Function:
    """``function`` bound to ``context`` (default: the current one), for a thread or an executor."""
    carried = get_current() if context is None else context

    @functools.wraps(function)
    def carrying(*args: Any, **kwargs: Any) -> Any:
        outer = get_current()
        attach(carried)
        try:
            return function(*args, **kwargs)
        finally:
            attach(outer)

    return carrying  # pyright: ignore[reportReturnType]  wraps keeps the signature


class Steps:
    """The context of work that runs in steps: current in each step, never between two.

    What the work itself attached in one step is current again in the next.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Context) -> None:
        self._inner = inner

    def enter(self) -> Context:
        """Begin a step; returns the caller's context, for `leave`."""
        outer = get_current()
        attach(self._inner)
        return outer

    def leave(self, outer: Context) -> None:
        """End a step: the caller's context is current again."""
        self._inner = get_current()
        attach(outer)
