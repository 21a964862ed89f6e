"""The completion hook of the official contract: given the content of each call of a model.

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
"""The fields of `Content` that a hook is given."""

_CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "input_messages": functools.partial(message_object, "InputMessage"),
        "output_messages": functools.partial(message_object, "OutputMessage"),
        "system_instructions": part_object,
        "tool_definitions": tool_object,
    }
)


class Completion:
    """Calls the hook, whatever the sampling, and whether or not content is captured.

    Args:
        hook: An object with ``on_completion``, or one that is named.
    """

    __slots__ = ("_hook",)

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    @property
    def is_absent(self) -> bool:
        """Whether it is known by now that there is none to call."""
        named = self._hook
        return isinstance(named, named_hooks.NamedHook) and named.is_absent

    def __call__(
        self, collected: Mapping[str, Any], span: Span, record: LogRecord | None
    ) -> dict[str, Any]:
        """Give ``collected`` to the hook; returns it with its changes. Raises nothing of the hook's.

        The hook may change span and record too. It gets a copy of the content, whole and redacted:
        tool arguments may be the application's own.

        Args:
            collected: Content by field of `Content`.
            span: The span of the call.
            record: Its event, not emitted yet, None if there will be none.
        """
        hook = self._hook.get() if isinstance(self._hook, named_hooks.NamedHook) else self._hook
        if hook is None:
            return dict(collected)
        own = {kind: json_copy(collected[kind]) for kind in KINDS if kind in collected}
        try:
            given = {kind: [_CONVERTERS[kind](one) for one in own.get(kind, ())] for kind in KINDS}
        except Exception:
            errors.internal_error("preparing what a completion hook is given")
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
    """The hook to call; None where there is none to call, with one line if one was asked for.

    Args:
        hook: The one given to ``instrument()``, if any: it goes first.
        name: An entry point of the group ``opentelemetry_genai_completion_hook``, or
            ``module:factory``, if any; called when there is content for the first time.
    """
    if hook is None:
        return Completion(named(name)) if name is not None else None
    valid_hook = _valid_hook(hook)
    return Completion(valid_hook) if valid_hook is not None else None


def _valid_hook(hook: Any) -> Any:
    """``hook``, if it can be called."""
    if hook is None or type(_unwrapped(hook)).__name__ == _NOTHING:  # the official one for none
        return None
    if not callable(getattr(hook, "on_completion", None)):
        _log.warning(
            "otel-agents: the completion hook is a %s without on_completion, so none is called; "
            "see the class CompletionHook of opentelemetry-util-genai",
            type(hook).__name__,
        )
        return None
    return hook


def _unwrapped(hook: Any) -> Any:
    """The hook inside the official guard."""
    return getattr(hook, "_wrapped", hook)


@functools.lru_cache(maxsize=16)  # for all instrumentors of the process: one hook
def named(name: str) -> named_hooks.NamedHook:
    """The completion hook of that name."""
    return named_hooks.NamedHook(
        "the completion hook",
        _GROUP,
        name,
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK",
        lambda factory: _valid_hook(factory()),
        "none is called",
    )
