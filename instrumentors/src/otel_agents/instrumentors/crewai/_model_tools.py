"""Tools that a model class executes itself, as it is given functions for what its model asks for."""

from __future__ import annotations

from typing import Any, Final, cast

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, items, text

from ._descriptions import spelled
from ._requested import Requested, key_of, requested

__all__ = [
    "counting",
    "executing",
    "handling",
    "noted",
    "outside",
    "piece_came",
    "responded",
    "taken",
]

_ASKED: Final[Slot[list[Requested]]] = Slot("crewai-asked", list)
"""What the model has asked for in this call, as long as no tool was executed for it."""


def executing(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``BaseLLM.call(messages, tools, callbacks, available_functions, …)`` and ``acall``.

    The model's call is over before a tool is executed: where nothing is around both, this is.
    """
    if not call.argument(3, "available_functions"):
        return None
    if get_current_span().get_span_context().is_valid:
        return Observation(_ASKED.set([]))
    step = Step(telemetry, "model_call")
    step.context = _ASKED.set([], step.context)
    return step


def noted(listed: Any) -> None:
    """The model asks for the calls that are ``listed``, in the words of any provider."""
    asked = _ASKED.get()
    if asked is not None:
        asked += requested(list(cast("list[Any]", listed or ())))


def handling(telemetry: Telemetry, call: Call) -> None:
    """``LLM._handle_tool_call(tool_calls, …)``, by way of LiteLLM."""
    noted(call.argument(0, "tool_calls"))


def counting(telemetry: Telemetry, call: Call) -> None:
    """``OpenAICompletion._extract_openai_token_usage(response)`` and its like: a response is there."""
    responded(call.argument(0, "response"))


def responded(response: Any) -> None:
    """A response is there, of OpenAI's, Azure's, Anthropic's or Bedrock's."""
    if _ASKED.get() is None:
        return
    for choice in items(response, "choices"):
        noted(field(field(choice, "message"), "tool_calls"))
    told = field(field(response, "output"), "message")  # Bedrock's
    blocks = items(response if told is None else told, "content")
    noted([field(block, "toolUse") or block for block in (*items(response, "output"), *blocks)])


def piece_came(piece: Any) -> None:
    """A piece of a stream tells of a call; the first one has its id."""
    asked = _ASKED.get()
    name, call_id = text(field(piece, "function"), "name"), text(piece, "id")
    if asked is not None and name and call_id and all(one.id != call_id for one in asked):
        asked.append(Requested(name, None, call_id))


def outside(context: Context) -> Context:
    """``context`` of a tool: what is executed in it was asked for by somebody else."""
    return _ASKED.set(None, context)


def taken(name: str, arguments: Any) -> str | None:
    """The id of the call that is executed now; of a stream the arguments are not known."""
    asked = _ASKED.get() or []
    for place, one in enumerate(asked):
        same = one.arguments is None or key_of(name, arguments) == key_of(name, one.arguments)
        if spelled(one.name) == spelled(name) and same:
            del asked[place]
            return one.id
    return None
