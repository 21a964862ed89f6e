"""The names under which libraries record content, older spellings included.

A name that ends with ``*`` is a prefix. Names such as ``input.value`` mean anything in an
application; they count only on spans that show their vocabulary by a marker, or by their scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.registry import CONTENT, REGISTRY

__all__ = [
    "CONVENTIONS",
    "DESCRIPTIONS",
    "ERRORS",
    "EVENT_FIELDS",
    "OTHER",
    "TEXT_KINDS",
    "Vocabulary",
    "other",
]

OTHER: Final = "other"
"""The kind of content that no kind of the redaction hook describes: it is passed as text."""

_MESSAGE: Final = "exception_message"
_STACK: Final = "exception_stacktrace"

TEXT_KINDS: Final = frozenset({OTHER, _MESSAGE, _STACK, "memory_query", "retrieval_query"})
"""The kinds whose values are text; those of the others are structures."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Names of one origin.

    Example:
        >>> CONVENTIONS.kind_of("gen_ai.input.messages"), CONVENTIONS.kind_of("gen_ai.agent.id")
        ('input_messages', None)

    Attributes:
        name: Its origin.
        content: The names that hold content, each with its kind for the redaction hook.
        markers: The names that only this vocabulary uses: they show it on any span.
        kept: Names that hold none, although a prefix of ``content`` matches them.
        events: Events that consist of content, apart from `EVENT_FIELDS`.
    """

    name: str
    content: Mapping[str, str]
    markers: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()

    def kind_of(self, name: str) -> str | None:
        """Return the kind of the content under ``name``; None if it holds none."""
        kind = self.content.get(name)
        if kind is not None or name in self.kept or not name.startswith(self._starts):
            return kind
        return next(kind for start, kind in self._prefixes if name.startswith(start))

    def is_shown_by(self, name: str) -> bool:
        """Return whether an attribute shows this vocabulary."""
        return name in self.markers or name.startswith(self._marking)

    @cached_property
    def _prefixes(self) -> tuple[tuple[str, str], ...]:
        return tuple((name[:-1], kind) for name, kind in self.content.items() if name[-1] == "*")

    @cached_property
    def _starts(self) -> tuple[str, ...]:
        return tuple(start for start, _ in self._prefixes)

    @cached_property
    def _marking(self) -> tuple[str, ...]:
        return tuple(name[:-1] for name in self.markers if name[-1] == "*")


def other(*names: str) -> dict[str, str]:
    """Return ``names`` with the kind `OTHER`."""
    return dict.fromkeys(names, OTHER)


_CURRENT: Final = MappingProxyType(
    {
        attr.GEN_AI_INPUT_MESSAGES: "input_messages",
        attr.GEN_AI_OUTPUT_MESSAGES: "output_messages",
        attr.GEN_AI_SYSTEM_INSTRUCTIONS: "system_instructions",
        attr.GEN_AI_TOOL_DEFINITIONS: "tool_definitions",
        attr.GEN_AI_TOOL_CALL_ARGUMENTS: "tool_arguments",
        attr.GEN_AI_TOOL_CALL_RESULT: "tool_result",
        attr.GEN_AI_RETRIEVAL_QUERY_TEXT: "retrieval_query",
        attr.GEN_AI_RETRIEVAL_DOCUMENTS: "retrieval_documents",
        attr.GEN_AI_MEMORY_QUERY_TEXT: "memory_query",
        attr.GEN_AI_MEMORY_RECORDS: "memory_records",
        f"{attr.GEN_AI_PROMPT_VARIABLE}.*": OTHER,
    }
)
_OLDER: Final = MappingProxyType(
    other(
        *("gen_ai.prompt", "gen_ai.prompt.*", "gen_ai.completion", "gen_ai.completion.*"),
        *("gen_ai.prompts", "gen_ai.completions", "gen_ai.content", "gen_ai.content.*"),
        *("gen_ai.event.content", "gen_ai.input", "gen_ai.output", "gen_ai.input_messages"),
        *("gen_ai.output_messages", "gen_ai.request.messages", "gen_ai.request.prompt"),
        *("gen_ai.request.instructions", "gen_ai.request.tools", "gen_ai.request.functions.*"),
        *("gen_ai.request.available_tools", "gen_ai.request.structured_output_schema"),
        *("gen_ai.request.logit_bias", "gen_ai.response.text", "gen_ai.response.tool_calls"),
        *("gen_ai.response.object", "gen_ai.response.reasoning", "gen_ai.response.thinking"),
        *("gen_ai.reasoning", "gen_ai.thinking", "gen_ai.system_prompt", "gen_ai.instructions"),
        *("gen_ai.tool.arguments", "gen_ai.tool.args", "gen_ai.tool.input", "gen_ai.tool.output"),
        *("gen_ai.tool.parameters", "gen_ai.tool.result", "gen_ai.tool.message"),
        *("gen_ai.tool.json_schema", "gen_ai.agent.instructions", "gen_ai.agent.goal"),
        *(
            "gen_ai.agent.backstory",
            "gen_ai.agent.task",
            "gen_ai.agent.input",
            "gen_ai.agent.output",
        ),
        *("gen_ai.agent.invocation_input", "gen_ai.agent.invocation_output"),
        *("gen_ai.agent.system_prompt", "gen_ai.task.input", "gen_ai.task.output"),
        *("gen_ai.task.description", "gen_ai.workflow.input", "gen_ai.workflow.output"),
        *("gen_ai.evaluation.explanation", "gen_ai.retrieval.query", "gen_ai.retrieval.results"),
        *("gen_ai.serialized.*", "mcp.request.argument", "mcp.response.value"),
    )
)
ERRORS: Final = MappingProxyType(
    {
        attr.EXCEPTION_MESSAGE: _MESSAGE,
        attr.EXCEPTION_STACKTRACE: _STACK,
        "error.message": _MESSAGE,
        "error.stack": _STACK,
        "error.stack_trace": _STACK,
    }
)
"""The texts of errors, which hold what was sent."""

CONVENTIONS: Final = Vocabulary(
    "the GenAI conventions, of today and before",
    {**_CURRENT, **_OLDER, **ERRORS},
    ("gen_ai.*", "mcp.method.name"),
    frozenset(REGISTRY).difference(CONTENT, _OLDER, ERRORS),
    frozenset(
        (
            *("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message"),
            *("gen_ai.tool.message", "gen_ai.choice", "gen_ai.content.prompt"),
            *("gen_ai.content.completion", "gen_ai.content.reasoning", "gen_ai.event.content"),
        )
    ),
)

DESCRIPTIONS: Final = Vocabulary(
    "descriptions that libraries put into prompts",
    other(attr.GEN_AI_AGENT_DESCRIPTION, attr.GEN_AI_MAIN_AGENT_DESCRIPTION),
)

EVENT_FIELDS: Final = frozenset(
    (
        *("index", "finish_reason", "role", "id", "event.name", "event_name", "event.domain"),
        *("gen_ai.system", "type"),
    )
)
"""What the per-message events of earlier conventions hold apart from content."""
