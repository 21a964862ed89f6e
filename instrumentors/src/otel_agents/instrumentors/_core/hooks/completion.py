"""The completion hook of the official contract, called with the content of each model call.

Source: ``opentelemetry-util-genai`` 1.3, ``completion_hook``; GenAI semconv, "Uploading content".
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.plain import json_copy

from . import named_hooks
from .completion_objects import (
    content_of,
    message_object,
    part_object,
    tool_object,
)
from .guard import HookGuard

__all__ = ["KINDS", "Completion", "load", "named"]

_log = logging.getLogger("otel_agents")

_GROUP: Final = "opentelemetry_genai_completion_hook"
_NOTHING: Final = "_NoOpCompletionHook"
_CALLING: Final = HookGuard("the completion hook", "it did not see that content")

KINDS: Final = ("input_messages", "output_messages", "system_instructions", "tool_definitions")
"""The fields of `Content` that are passed to the hook."""

_CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "input_messages": functools.partial(message_object, "InputMessage"),
        "output_messages": functools.partial(message_object, "OutputMessage"),
        "system_instructions": part_object,
        "tool_definitions": tool_object,
    }
)


class Completion:
    """Calls the hook, whatever the sampling, and whether or not content is recorded.

    Args:
        hook: An object with ``on_completion``, or a `NamedHook`.
    """

    __slots__ = ("_hook",)

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    @property
    def is_absent(self) -> bool:
        """Whether it is known that no hook exists."""
        named = self._hook
        return isinstance(named, named_hooks.NamedHook) and named.is_absent

    def __call__(
        self, collected: Mapping[str, Any], span: Span, record: LogRecord | None
    ) -> dict[str, Any]:
        """Call the hook with ``collected`` and return it with the hook's changes. Never raises.

        The hook may change span and record too. It gets a complete, redacted copy of the content,
        since tool arguments may be the application's own objects.

        Args:
            collected: Content by field of `Content`.
            span: The span of the call.
            record: Its event, not emitted yet; None if there is none.
        """
        hook = self._hook.get() if isinstance(self._hook, named_hooks.NamedHook) else self._hook
        if hook is None:
            return dict(collected)
        own = {kind: json_copy(collected[kind]) for kind in KINDS if kind in collected}
        try:
            given = {kind: [_CONVERTERS[kind](one) for one in own.get(kind, ())] for kind in KINDS}
        except Exception:
            errors.internal_error("preparing content for a completion hook")
            return dict(collected)
        inputs, outputs, instructions, tools = (given[kind] for kind in KINDS)
        with _CALLING:
            hook.on_completion(
                inputs=inputs,
                outputs=outputs,
                system_instruction=instructions,
                tool_definitions=tools or None,
                span=span,
                log_record=record,
            )
        return {**collected, **{kind: [content_of(one) for one in given[kind]] for kind in own}}


def load(hook: Any, name: str | None) -> Completion | None:
    """Return the hook to call; None if there is none. An invalid hook is logged.

    Args:
        hook: The hook passed to ``instrument()``, if any: it takes precedence.
        name: An entry point of the group ``opentelemetry_genai_completion_hook``, or
            ``module:factory``, if any; called when there is content for the first time.
    """
    if hook is None:
        return Completion(named(name)) if name is not None else None
    valid_hook = _valid_hook(hook)
    return Completion(valid_hook) if valid_hook is not None else None


def _valid_hook(hook: Any) -> Any:
    """Return ``hook`` if it can be called, else None."""
    if hook is None or type(_unwrapped(hook)).__name__ == _NOTHING:  # the official no-op hook
        return None
    if not callable(getattr(hook, "on_completion", None)):
        _log.warning(
            "otel-agents: the completion hook is of type %s, which has no on_completion, "
            "so none is called; see the class CompletionHook of opentelemetry-util-genai",
            type(hook).__name__,
        )
        return None
    return hook


def _unwrapped(hook: Any) -> Any:
    """Return the hook inside the official guard."""
    return getattr(hook, "_wrapped", hook)


@functools.lru_cache(maxsize=16)  # one hook for all instrumentors of the process
def named(name: str) -> named_hooks.NamedHook:
    """Return the completion hook of that name."""
    return named_hooks.NamedHook(
        "the completion hook",
        _GROUP,
        name,
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK",
        lambda factory: _valid_hook(factory()),
        "none is called",
    )
