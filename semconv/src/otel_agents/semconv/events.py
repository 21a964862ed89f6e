"""All events: name, severity and attributes. Events are log records with an event name.

Source: GenAI semconv, "Events", autumn 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from . import attributes as attr
from .groups import CONVERSATION, EVALUATOR
from .requirements import (
    AFTER_ERROR,
    IF_KNOWN,
    OPT_IN,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    Requirements,
)
from .spans import GEN_AI_CLIENT_INFERENCE


@dataclass(frozen=True)
class Event:
    """One event.

    Example:
        >>> EVENTS["otel_agents.handoff"].attributes["otel_agents.handoff.to"].level
        <Level.REQUIRED: 'required'>

    Attributes:
        name: The event name.
        severity: The number of the logs data model; None where the conventions leave it open.
        attributes: The allowed attributes with their requirement levels.
    """

    name: str
    severity: int | None
    attributes: Requirements


_DEBUG: Final = 5
_WARN: Final = 13

GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS: Final = Event(
    "gen_ai.client.inference.operation.details", _DEBUG, GEN_AI_CLIENT_INFERENCE.attributes
)
GEN_AI_CLIENT_OPERATION_EXCEPTION: Final = Event(
    "gen_ai.client.operation.exception",
    _WARN,
    {
        **CONVERSATION,
        attr.EXCEPTION_TYPE: REQUIRED,
        attr.EXCEPTION_MESSAGE: RECOMMENDED_IF_KNOWN,
        attr.EXCEPTION_STACKTRACE: RECOMMENDED_IF_KNOWN,
    },
)
GEN_AI_EVALUATION_RESULT: Final = Event(
    "gen_ai.evaluation.result",
    None,
    {
        **CONVERSATION,
        **EVALUATOR,
        attr.GEN_AI_EVALUATION_NAME: REQUIRED,
        attr.GEN_AI_EVALUATION_SCORE_LABEL: IF_KNOWN,
        attr.GEN_AI_EVALUATION_SCORE_VALUE: IF_KNOWN,
        attr.GEN_AI_EVALUATION_EXPLANATION: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RESPONSE_ID: RECOMMENDED_IF_KNOWN,
        attr.ERROR_TYPE: AFTER_ERROR,
    },
)
OTEL_AGENTS_HANDOFF: Final = Event(
    "otel_agents.handoff",
    None,
    {
        **CONVERSATION,
        attr.OTEL_AGENTS_HANDOFF_FROM: IF_KNOWN,
        attr.OTEL_AGENTS_HANDOFF_TO: REQUIRED,
    },
)
"""One agent hands over to another by rule; a handoff that the model requests is a tool call."""
OTEL_AGENTS_INTERRUPT: Final = Event(
    "otel_agents.interrupt", None, {**CONVERSATION, attr.OTEL_AGENTS_INTERRUPT_VALUE: OPT_IN}
)
"""A run stops until it gets input, which is no error; the value is the request for input."""

EVENTS: Final[Mapping[str, Event]] = MappingProxyType(
    {event.name: event for event in tuple(globals().values()) if isinstance(event, Event)}
)
"""All events by name."""
