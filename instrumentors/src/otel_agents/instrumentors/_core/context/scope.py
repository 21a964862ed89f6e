"""What flows inward: user, session, conversation, agent, tool, and the layers that wait.

It is one value in the OpenTelemetry context, so that one look-up serves everything that an
operation needs when it starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

from opentelemetry import context as api
from opentelemetry.context import Context, create_key, get_current, get_value, set_value
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from .agents import AgentScope
from .claims import Claim, ForeignClaim
from .tools import ToolScope

__all__ = [
    "NO_SCOPE",
    "OFFICIAL_CONVERSATION_MODULE",
    "SCOPE_KEY",
    "Scope",
    "conversation_id",
    "has_no_suppression",
    "is_suppressed",
    "name_remote_tool",
    "official_conversation_id",
    "scope_of",
    "session_id",
    "user_id",
    "with_conversation_id",
    "with_scope",
    "with_session_id",
    "with_user_id",
]

SCOPE_KEY: Final = create_key("otel_agents-scope")
"""The key of a context's scope."""
OFFICIAL_CONVERSATION_MODULE: Final = "opentelemetry.util.genai._conversation_context"
"""If it is not imported, no official package has set a conversation."""

_SUPPRESSED: Final[str | None] = getattr(api, "_SUPPRESS_INSTRUMENTATION_KEY", None)
"""OpenTelemetry's private key; it looks for a plain name too."""
_SUPPRESSED_PLAINLY: Final = "suppress_instrumentation"


def _unknown(context: Context) -> bool:
    return False


has_no_suppression: Final[Callable[[Context], bool]] = (
    _unknown if _SUPPRESSED is None else frozenset((_SUPPRESSED, _SUPPRESSED_PLAINLY)).isdisjoint
)
"""Returns True for a context that is not suppressed, as nearly all are; else see `is_suppressed`."""


@dataclass(slots=True)  # not frozen: creating frozen ones is slow; nothing changes one
class Scope:
    """What a context holds about the work done in it.

    Example:
        >>> scope = scope_of(with_user_id("u-1"))
        >>> scope.user_id, scope.agent
        ('u-1', None)

    Attributes:
        conversation_id: ``gen_ai.conversation.id``, if we have set it.
        user_id: ``user.id``: the end user.
        session_id: ``session.id``.
        agent: The innermost agent.
        tool: The innermost tool in progress.
        inference: The claim of the nearest layer that waits for an inference.
        embeddings: The claim of the nearest layer that waits for embeddings.
        foreign_span: Whether a foreign span covers the model call that is made here.
        foreign: The claim of the library around, if its span owns a response.
        tags: The attributes of tags; None if there are none.
        identity: The attributes that the application set for all that is done here: for spans and
            log records of others as well. None if it set none.
        records_content: Whether the settings decide about content; False if the application
            excludes that of the work done here.
    """

    conversation_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    agent: AgentScope | None = None
    tool: ToolScope | None = None
    inference: Claim | None = None
    embeddings: Claim | None = None
    foreign_span: bool = False
    foreign: ForeignClaim | None = None
    records_content: bool = True
    tags: Mapping[str, str] | None = None
    identity: Mapping[str, str] | None = None


NO_SCOPE: Final = Scope()
"""The scope of a context that has none."""
_values_of: Final = attrgetter(*(one.name for one in fields(Scope)))


def is_suppressed(context: Context | None = None) -> bool:
    """Return whether the application has suppressed instrumentation in the current context.

    It is what `is_instrumentation_enabled` denies, by one look-up of the context instead of two.

    Args:
        context: The current context, if the caller has looked it up.
    """
    context = get_current() if context is None else context
    if _SUPPRESSED is None:
        return not is_instrumentation_enabled()
    return (_SUPPRESSED in context and bool(context[_SUPPRESSED])) or (
        _SUPPRESSED_PLAINLY in context and bool(context[_SUPPRESSED_PLAINLY])
    )


def scope_of(context: Context | None = None) -> Scope:
    """Return the scope of ``context``, by default of the current one."""
    scope = (get_current() if context is None else context).get(SCOPE_KEY)
    return scope if isinstance(scope, Scope) else NO_SCOPE


def with_scope(context: Context | None = None, **changes: Any) -> Context:
    """Return ``context`` (default: the current one) with ``changes`` to the fields of its scope."""
    known = get_current() if context is None else context
    scope = Scope(*_values_of(scope_of(known)))  # a hot path of each layer that waits for a call
    for name, value in changes.items():
        setattr(scope, name, value)
    return Context({**known, SCOPE_KEY: scope})


def name_remote_tool(name: object) -> None:
    """Note what a server calls the tool that the current context works in."""
    tool = scope_of().tool
    if tool is not None and isinstance(name, str):
        tool.remote_name = name


def _official_conversation_key() -> str | None:
    # opentelemetry-util-genai keeps this key private: probe for it, and only if it is imported.
    module = sys.modules.get(OFFICIAL_CONVERSATION_MODULE)
    return getattr(module, "CONVERSATION_ID_KEY", None) if module else None


def conversation_id(context: Context | None = None) -> str | None:
    """Return the conversation of ``context``, set by us or by an official package."""
    return scope_of(context).conversation_id or official_conversation_id(context)


def official_conversation_id(context: Context | None = None) -> str | None:
    """Return the conversation that an official package has set in ``context``."""
    if OFFICIAL_CONVERSATION_MODULE not in sys.modules:
        return None
    key = _official_conversation_key()
    found = get_value(key, context) if key else None
    return found if isinstance(found, str) else None


def with_conversation_id(value: str, context: Context | None = None) -> Context:
    """Return ``context`` in the conversation ``value``, for us and for the official packages."""
    extended = with_scope(context, conversation_id=value)
    official = _official_conversation_key()
    return set_value(official, value, extended) if official else extended


def user_id(context: Context | None = None) -> str | None:
    """Return the end user of ``context`` (``user.id``)."""
    return scope_of(context).user_id


def with_user_id(value: str, context: Context | None = None) -> Context:
    """Return ``context`` with the end user ``value``."""
    return with_scope(context, user_id=value)


def session_id(context: Context | None = None) -> str | None:
    """Return the session of ``context`` (``session.id``)."""
    return scope_of(context).session_id


def with_session_id(value: str, context: Context | None = None) -> Context:
    """Return ``context`` in the session ``value``."""
    return with_scope(context, session_id=value)
