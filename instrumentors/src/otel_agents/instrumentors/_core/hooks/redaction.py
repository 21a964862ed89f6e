"""The redaction hook: it sees every content before anything is set, and fails closed."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.plain import copied, kind_of

from . import finding

__all__ = ["Redact", "Redaction", "load"]

_log = logging.getLogger("otel_agents")

_GROUP: Final = "otel_agents_redaction_hook"
_FAILED: Final = "the value it was given is not recorded"

Redact = Callable[[str, Any], Any]
"""``redact(kind, value) -> value``: kind as the fields of `Content`, ``exception_message`` or
``exception_stacktrace``; the value to record, of the same shape, None to record nothing."""


class Redaction:
    """Calls the hook; what it cannot redact is dropped.

    Args:
        redact: The hook.
    """

    __slots__ = ("_redact",)

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    def __call__(self, kind: str, value: Any) -> Any:
        """The value to record in place of ``value``, None for nothing. Never raises.

        The hook gets a copy: it may change it, and ``value`` may be the application's own.
        """
        try:
            given = copied(value)
            shape = kind_of(given)
            redacted = self._redact(kind, given)
        except Exception:
            finding.failed("the redaction hook", _FAILED)
            return None
        if redacted is None or isinstance(redacted, shape):
            return redacted
        errors.counts.add("redacting to another shape")
        _log.warning(
            "otel-agents: the redaction hook made a %s of %s, which is a %s, so %s",
            type(redacted).__name__,
            kind,
            shape.__name__,
            _FAILED,
        )
        return None


def load(hook: str | Redact | None) -> tuple[Redaction | None, bool]:
    """The redaction, and whether content may leave at all: not without the redaction asked for.

    Args:
        hook: The name of an entry point of the group ``otel_agents_redaction_hook``,
            ``module:function``, the function itself, or None.
    """
    if hook is None:
        return None, True
    found = _find(hook) if isinstance(hook, str) else hook
    return (None, False) if found is None else (Redaction(found), True)


@functools.lru_cache(
    maxsize=16
)  # for all instrumentors of the process: one object, one line if it fails
def _find(name: str) -> Redact | None:
    try:
        found = finding.find(_GROUP, name)
        if callable(found):
            return found
        reason = f"it is a {type(found).__name__}, no function"
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    _log.warning(
        "otel-agents: the redaction hook %r cannot be loaded (%s), so no content is recorded; "
        "install the package that brings it, or unset OTEL_AGENTS_REDACTION_HOOK",
        name,
        reason,
    )
    return None
