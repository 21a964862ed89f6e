"""What flows with the context: who the work is for, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Mapping

from ._activity import carries
from ._blocks import Block

__all__ = [
    "ContextBlock",
    "content",
    "identity",
    "untraced",
]


class ContextBlock(Block):
    """Something that flows with the context: an identity, a content policy."""

    __slots__ = ()
    kind = "context"

    @staticmethod
    def active() -> bool:
        """Return whether anything reads the context."""
        return carries()


def identity(
    *,
    conversation: str | None = None,
    session: str | None = None,
    user: str | None = None,
    tags: Mapping[str, object] | None = None,
) -> ContextBlock:
    """Set who the work is done for: on every span in the block, and on log records.

    It flows with the context, into tasks, and where a distribution carries the context, into
    threads and executors. In headers nothing of it leaves the process, unless
    ``OTEL_AGENTS_PROPAGATE_IDENTITY`` lists the host.

    Example:
        >>> with identity(user="u-1", session="s-1", tags={"plan": "pro"}):
        ...     reply = "Sunny."

    Args:
        conversation: ``gen_ai.conversation.id``.
        session: ``session.id``.
        user: ``user.id``.
        tags: Each is ``otel_agents.tag.`` and its key. At most 32, keys of 64 and values of 256
            characters; they are no content, so that no setting removes them.
    """
    return ContextBlock(
        change="identity", conversation=conversation, session=session, user=user, tags=tags
    )


def content(enabled: bool) -> ContextBlock:
    """Narrow the content policy for a block: ``content(False)`` records none of its content.

    ``content(True)`` leaves it as the settings and the blocks around say.

    Example:
        >>> with content(False):
        ...     password = "secret"
    """
    return ContextBlock(change="content", enabled=enabled)


def untraced() -> ContextBlock:
    """Leave a block out: no instrumentation records it, and spans started in it are not sampled.

    Example:
        >>> with untraced():
        ...     healthy = True
    """
    return ContextBlock(change="untraced")
