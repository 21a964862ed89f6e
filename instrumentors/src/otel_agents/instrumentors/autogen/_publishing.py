"""Messages for whom it may concern: where what their receivers do belongs, as nobody waits."""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.trace import get_current_span

__all__ = ["published_in", "publishing_beside", "publishing_within"]

_BESIDE: Final = create_key("otel_agents-autogen-published")


def publishing_beside(outer: Context, context: Context) -> Context:
    """``context`` of an agent of the core that was sent a message in ``outer``.

    What it publishes goes on in ``outer``; where that has no span, the agent's is the first one.
    """
    first = not get_current_span(outer).get_span_context().is_valid
    return set_value(_BESIDE, context if first else outer, context)


def publishing_within(context: Context) -> Context:
    """``context`` of what waits for all that is published there, as a team does."""
    return set_value(_BESIDE, None, context)


def published_in(context: Context) -> Context:
    """Where the receivers of a message work that was published in ``context``."""
    beside = get_value(_BESIDE, context)
    return beside if isinstance(beside, Context) else context
