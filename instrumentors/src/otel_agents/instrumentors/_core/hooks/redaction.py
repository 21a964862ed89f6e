"""The redaction hook: it sees all content before anything is set, and fails closed."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.plain import json_copy, kind_of

from . import named_hooks
from .guard import HookGuard

__all__ = ["Redact", "Redaction", "load", "named"]

_log = logging.getLogger("otel_agents")

_GROUP: Final = "otel_agents_redaction_hook"
_FAILED: Final = "the value it was given is not recorded"
_CALLING: Final = HookGuard("the redaction hook", _FAILED)

Redact = Callable[[str, Any], Any]
"""``redact(kind, value) -> value``: ``kind`` is a field of `Content`, ``exception_message``,
``exception_stacktrace``, or ``other`` for text of other libraries, whatever it is. Returns the value
to record, of the same shape, or None for nothing."""


class Redaction:
    """Calls the hook; a value that it cannot redact is dropped.

    Args:
        hook: Returns the hook, or None as long as there is none; called for each value.
    """

    __slots__ = ("_hook",)

    def __init__(self, hook: Callable[[], Redact | None]) -> None:
        self._hook = hook

    @property
    def is_available(self) -> bool:
        """Whether there is a hook yet; without it, no content is converted."""
        return self._hook() is not None

    def __call__(self, kind: str, value: Any) -> Any:
        """Return the value to record instead of ``value``, None for nothing. Never raises.

        The hook gets a copy, which it may change: ``value`` may be the application's own object.
        """
        redact = self._hook()
        if redact is None:
            return None
        shape, redacted = object, None
        with _CALLING:
            given = json_copy(value)
            shape = kind_of(given)
            redacted = redact(kind, given)
        if redacted is None or isinstance(redacted, shape):
            return redacted
        errors.counts.add("redacting to another shape")
        _log.warning(
            "otel-agents: the redaction hook returned the type %s for %s instead of %s, so %s",
            type(redacted).__name__,
            kind,
            shape.__name__,
            _FAILED,
        )
        return None


def load(hook: str | Redact | None) -> Redaction | None:
    """Return the redaction; None if no hook is set.

    Args:
        hook: The name of an entry point of the group ``otel_agents_redaction_hook``,
            ``module:function``, the function itself, or None.
    """
    if hook is None:
        return None
    return Redaction(named(hook).get if isinstance(hook, str) else lambda: hook)


@functools.lru_cache(maxsize=16)  # one for all instrumentors of the process: log a failure once
def named(name: str) -> named_hooks.NamedHook:
    """Return the redaction hook of that name."""
    return named_hooks.NamedHook(
        "the redaction hook",
        _GROUP,
        name,
        "OTEL_AGENTS_REDACTION_HOOK",
        _function,
        "no content is recorded",
    )


def _function(found: Any) -> Redact:
    if not callable(found):
        raise TypeError(f"its type is {type(found).__name__}, not a function")
    return found
