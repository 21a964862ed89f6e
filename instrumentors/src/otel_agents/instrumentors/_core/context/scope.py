"""What flows inward: whom a call serves, under which agent and tool, and who waits for it.

All of it is one value in the OpenTelemetry context, so that one look-up answers everything that an
operation asks when it starts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, Final

from opentelemetry.context import Context, create_key, get_value, set_value

from .agents import AgentScope
from .claims import Claim
from .tools import ToolScope

__all__ = [
    "Scope",
    "conversation_id",
    "official_conversation_id",
    "scope_of",
    "session_id",
    "user_id",
    "with_conversation_id",
    "with_scope",
    "with_session_id",
    "with_user_id",
]

_SCOPE: Final = create_key("otel_agents-scope")
_OFFICIAL_CONVERSATION_MODULE: Final = "opentelemetry.util.genai._conversation_context"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a context says of the work done in it.

    Attributes:
        conversation_id: ``gen_ai.conversation.id``, as far as it was set by us.
        user_id: ``user.id``: the end user whom the work serves.
        session_id: ``session.id``.
        agent: The innermost agent.
        tool: The innermost tool in progress.
        inference: The claim of the nearest layer that waits for an inference.
        embeddings: The claim of the nearest layer that waits for embeddings.
        foreign_span: Whether somebody else has a span for the model call that is made here.
    """

    conversation_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    agent: AgentScope | None = None
    tool: ToolScope | None = None
    inference: Claim | None = None
    embeddings: Claim | None = None
    foreign_span: bool = False


_EMPTY: Final = Scope()


def scope_of(context: Context | None = None) -> Scope:
    """The scope of ``context``, by default of the current one."""
    scope = get_value(_SCOPE, context)
    return scope if isinstance(scope, Scope) else _EMPTY


def with_scope(context: Context | None = None, **changes: Any) -> Context:
    """``context`` (default: the current one) with ``changes`` to the fields of its scope."""
    return set_value(_SCOPE, replace(scope_of(context), **changes), context)


def _official_conversation_key() -> str | None:
    # Private there, so it is probed; and only where that package is in use already.
    module = sys.modules.get(_OFFICIAL_CONVERSATION_MODULE)
    return getattr(module, "CONVERSATION_ID_KEY", None) if module else None


def conversation_id(context: Context | None = None) -> str | None:
    """The conversation that ``context`` belongs to, set by us or by an official package."""
    return scope_of(context).conversation_id or official_conversation_id(context)


def official_conversation_id(context: Context | None = None) -> str | None:
    """The conversation that an official package has set in ``context``."""
    key = _official_conversation_key()
    found = get_value(key, context) if key else None
    return found if isinstance(found, str) else None


def with_conversation_id(value: str, context: Context | None = None) -> Context:
    """``context`` as part of the conversation ``value``, for us and for the official packages."""
    extended = with_scope(context, conversation_id=value)
    official = _official_conversation_key()
    return set_value(official, value, extended) if official else extended


def user_id(context: Context | None = None) -> str | None:
    """The end user whom ``context`` serves (``user.id``)."""
    return scope_of(context).user_id


def with_user_id(value: str, context: Context | None = None) -> Context:
    """``context`` in the service of the user ``value``."""
    return with_scope(context, user_id=value)


def session_id(context: Context | None = None) -> str | None:
    """The session that ``context`` belongs to (``session.id``)."""
    return scope_of(context).session_id


def with_session_id(value: str, context: Context | None = None) -> Context:
    """``context`` as part of the session ``value``."""
    return with_scope(context, session_id=value)
