"""Who the work is done for: conversation, session, user and tags, as the application sets them.

They flow in the OpenTelemetry context. Our operations read the scope; spans and log records of
others are marked by the processors of a distribution. Nothing of it leaves the process in a header,
unless a setting lists the host.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.context.scope import (
    Scope,
    scope_of,
    with_conversation_id,
    with_scope,
)
from otel_agents.instrumentors._core.encoding.texts import text_of
from otel_agents.instrumentors._core.errors import warn_once
from otel_agents.semconv import attributes as attr

__all__ = [
    "TAG",
    "identified",
    "identity_in",
    "mark_span",
    "with_baggage",
    "with_identity",
    "without_baggage",
]

_MOST_TAGS: Final = 32
_LONGEST_KEY: Final = 64
_LONGEST_VALUE: Final = 256
TAG: Final = f"{attr.OTEL_AGENTS_TAG}."
_FIELDS: Final = MappingProxyType(
    {
        attr.GEN_AI_CONVERSATION_ID: "conversation_id",
        attr.SESSION_ID: "session_id",
        attr.USER_ID: "user_id",
    }
)
"""Attributes and the fields of a scope that hold them."""


def with_identity(
    context: Context | None = None,
    *,
    conversation: str | None = None,
    session: str | None = None,
    user: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Context:
    """Return ``context`` (default: the current one) with what is given; the rest stays.

    Tags are added to those around; beyond their limits in number and size they are dropped.
    """
    given = {
        attr.GEN_AI_CONVERSATION_ID: conversation,
        attr.SESSION_ID: session,
        attr.USER_ID: user,
    }
    scope = scope_of(context)
    known = dict(scope.tags or {})
    for name, value in _named(tags or {}):
        if name in known or len(known) < _MOST_TAGS:
            known[name] = value
        else:
            _drop("tags", f"more than {_MOST_TAGS} of them")
    values = {name: text_of(value)[:_LONGEST_VALUE] for name, value in given.items() if value}
    identity = {**(scope.identity or {}), **values, **known}
    fields: dict[str, Any] = {_FIELDS[name]: value for name, value in values.items()}
    made = with_scope(context, **fields, tags=known or None, identity=identity or None)
    return with_conversation_id(values[attr.GEN_AI_CONVERSATION_ID], made) if conversation else made


def _named(tags: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the attribute and the text of each tag."""
    if not isinstance(tags, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]: of a user
        _drop("tags", f"a {type(tags).__name__} was given that is no mapping")
        return
    for name, value in tags.items():
        key = text_of(name)
        if not key or len(key) > _LONGEST_KEY:
            _drop("a tag", f"its key is empty or longer than {_LONGEST_KEY} characters")
            continue
        text = text_of(value)
        if len(text) > _LONGEST_VALUE:
            text = f"{text[: _LONGEST_VALUE - 1]}…"
        yield f"{TAG}{key}", text


def _drop(what: str, why: str) -> None:
    warn_once("otel-agents: dropped %s: %s", what, why)


def identified(scope: Scope, context: Context, names: Iterable[str]) -> Scope:
    """Return ``scope`` with what it has not from the incoming baggage in ``context``.

    Args:
        scope: The scope of ``context``.
        context: The context, which may hold W3C baggage.
        names: The names that are trusted, those of attributes.
    """
    entries = baggage.get_all(context)
    if not entries:
        return scope
    changes: dict[str, Any] = {}
    tags: dict[str, str] = {}
    for name in names:
        value = entries.get(name)
        if not isinstance(value, str) or not value:
            continue
        field = _FIELDS.get(name)
        if field is not None and getattr(scope, field) is None:
            changes[field] = value[:_LONGEST_VALUE]
        elif field is None and len(tags) < _MOST_TAGS:
            tags[name if name.startswith(TAG) else f"{TAG}{name}"] = value[:_LONGEST_VALUE]
    if tags:
        changes["tags"] = {**tags, **(scope.tags or {})}
    return replace(scope, **changes) if changes else scope


def identity_in(context: Context | None, names: Iterable[str]) -> Mapping[str, str]:
    """Return the attributes for a span or a log record of others in ``context``.

    Args:
        context: The context; None is the current one.
        names: The names that are trusted in incoming baggage.
    """
    context = get_current() if context is None else context
    scope = scope_of(context)
    found = scope.identity or {}
    if not names:
        return found
    known = identified(scope, context, names)
    if known is scope:
        return found
    fields = {name: getattr(known, field) for name, field in _FIELDS.items()}
    return {**{k: v for k, v in fields.items() if v}, **(known.tags or {}), **found}


def mark_span(span: Any, context: Context | None, names: Iterable[str]) -> None:
    """Set the identity of ``context`` on ``span``, which another library starts in it.

    A span of a GenAI operation has its conversation from whoever makes it: not every operation
    belongs to one.
    """
    found = identity_in(context, names)
    if not found or not span.is_recording():
        return
    if attr.GEN_AI_OPERATION_NAME in (span.attributes or {}):
        found = {name: it for name, it in found.items() if name != attr.GEN_AI_CONVERSATION_ID}
    span.set_attributes(found)


def with_baggage(context: Context) -> Context:
    """Return ``context`` with its identity as baggage, to be sent to a host that gets it."""
    for name, value in (scope_of(context).identity or {}).items():
        context = baggage.set_baggage(name, value, context)
    return context


def without_baggage(context: Context, names: Collection[str]) -> Context:
    """Return ``context`` without baggage that is an identity, to be sent to a host that gets none.

    It may have come with a request.

    Args:
        context: The context.
        names: The names that are trusted in incoming baggage.
    """
    for name in baggage.get_all(context):
        if name in _FIELDS or name in names or name.startswith(TAG):
            context = baggage.remove_baggage(name, context)
    return context
