"""Hooks that see content: completion hooks of the official contract, and the redaction hook.

Source: ``opentelemetry-util-genai`` 1.3, module ``opentelemetry.util.genai.completion_hook``.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any, Final, cast

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors.settings import Settings

from . import errors

__all__ = ["as_plain", "complete", "load_completion_hook", "load_redaction"]

_log = logging.getLogger("otel_agents")

_COMPLETION_GROUP: Final = "opentelemetry_genai_completion_hook"
_REDACTION_GROUP: Final = "otel_agents_redaction_hook"
_OFFICIAL_TYPES: Final = "opentelemetry.util.genai.types"

Redaction = Callable[[str, Any], Any]


def _entry_point(group: str, name: str) -> Any:
    """What the entry point ``name`` of ``group`` stands for, or ``module:attribute``."""
    for found in entry_points(group=group):
        if found.name == name:
            return found.load()
    module, _, attribute = name.partition(":")
    if not attribute:
        raise LookupError(f"no entry point of that name in the group {group}")
    return getattr(importlib.import_module(module), attribute)


def load_completion_hook(settings: Settings) -> Any:
    """The completion hook that the settings name, None where they name none or it cannot be had."""
    name = settings.completion_hook
    if name is None:
        return None
    try:
        hook = _entry_point(_COMPLETION_GROUP, name)()
    except Exception as error:
        _log.warning(
            "otel-agents: the completion hook %r cannot be loaded (%s), so none is called; "
            "install the package that brings it, or unset "
            "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK",
            name,
            error,
        )
        return None
    return hook if callable(getattr(hook, "on_completion", None)) else None


def load_redaction(name: str | None) -> tuple[Redaction | None, bool]:
    """The redaction hook of that name, and whether content may leave: not without its redaction."""
    if name is None:
        return None, True
    try:
        return cast(Redaction, _entry_point(_REDACTION_GROUP, name)), True
    except Exception as error:
        _log.warning(
            "otel-agents: the redaction hook %r cannot be loaded (%s), so no content is recorded; "
            "install the package that brings it, or unset OTEL_AGENTS_REDACTION_HOOK",
            name,
            error,
        )
        return None, False


def complete(
    hook: Any, told: Mapping[str, Any], span: Span, record: LogRecord | None
) -> dict[str, Any]:
    """Call ``hook`` with the content of a call; returns the content with the hook's changes."""
    if not any(kind in told for kind in ("input_messages", "output_messages")):
        return dict(told)
    types = _message_types()
    given = {
        "inputs": [types.message(m, "InputMessage") for m in told.get("input_messages", ())],
        "outputs": [types.message(m, "OutputMessage") for m in told.get("output_messages", ())],
        "system_instruction": [types.part(p) for p in told.get("system_instructions", ())],
        "tool_definitions": [types.tool(t) for t in told.get("tool_definitions", ())] or None,
    }
    try:
        hook.on_completion(**given, span=span, log_record=record)
    except Exception:
        errors.internal_error("calling the completion hook")
    changed = dict(told)
    for kind, name in _GIVEN.items():
        if kind in told:
            changed[kind] = [as_plain(value) for value in given[name] or ()]
    return changed


_GIVEN: Final = {
    "input_messages": "inputs",
    "output_messages": "outputs",
    "system_instructions": "system_instruction",
    "tool_definitions": "tool_definitions",
}


@dataclass
class _Types:
    """Builds the objects that hooks are given, from the classes of ``module``."""

    module: Any

    _PARTS = {  # noqa: RUF012  a table, not a field
        "text": "TextPart",
        "reasoning": "ReasoningPart",
        "compaction": "CompactionPart",
        "tool_call": "ToolCallRequestPart",
        "tool_call_response": "ToolCallResponsePart",
        "server_tool_call": "ServerToolCallPart",
        "server_tool_call_response": "ServerToolCallResponsePart",
        "blob": "BlobPart",
        "file": "FilePart",
        "uri": "UriPart",
    }
    _DEFAULTS = {"id": None, "mime_type": None}  # noqa: RUF012  as above

    def message(self, message: Mapping[str, Any], name: str) -> Any:
        """A message with its parts as objects."""
        parts = [self.part(part) for part in message["parts"]]
        known = {key: message[key] for key in ("name", "finish_reason") if key in message}
        return self._make(name, {"role": message["role"], "parts": parts, **known})

    def part(self, part: Mapping[str, Any]) -> Any:
        """A part as an object; one of a type that the module lacks stays a mapping's namespace."""
        name = self._PARTS.get(str(part.get("type")))
        if name is None:
            return SimpleNamespace(**part)
        return self._make(name, dict(part))

    def tool(self, tool: Mapping[str, Any]) -> Any:
        """A tool definition as an object."""
        if tool["type"] == "function":
            values = {"description": None, "parameters": None, **tool}
            return self._make("FunctionToolDefinition", values)
        return self._make("GenericToolDefinition", dict(tool))

    def _make(self, name: str, values: dict[str, Any]) -> Any:
        kind = getattr(self.module, name, None)
        fields: Mapping[str, Any] = getattr(kind, "__dataclass_fields__", {})
        if kind is None or not fields:
            return SimpleNamespace(**values)
        known = {**self._DEFAULTS, **values}
        return kind(**{key: known[key] for key in fields if key in known})


@functools.cache
def _message_types() -> _Types:
    """The official classes where that package is installed, else objects of the same shape."""
    try:
        return _Types(importlib.import_module(_OFFICIAL_TYPES))
    except ImportError:
        return _Types(None)


def as_plain(value: Any) -> Any:
    """A hook's object as plain dicts and lists again."""
    if isinstance(value, SimpleNamespace):
        return {key: as_plain(item) for key, item in vars(value).items()}
    if is_dataclass(value) and not isinstance(value, type):
        pairs = asdict(value).items()
        return {key: as_plain(item) for key, item in pairs if item is not None}
    if isinstance(value, list):
        return [as_plain(item) for item in cast("list[Any]", value)]
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value
