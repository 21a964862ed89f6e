"""Tool runners: each run is an agent, and what it executes are its tools.

The requests are recorded where all requests are, the conversation is on the server.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import ref

from opentelemetry.context import Context
from opentelemetry.trace import set_span_in_context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool, InvokeAgent
from otel_agents.instrumentors._core.patching.isolation import with_isolated_span
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.anthropic.blocks import tool_result
from otel_agents.instrumentors._dialects.anthropic.messages import output_messages, record_request
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.semconv import attributes as attr

from . import _own_spans

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic
    from anthropic.lib.tools._beta_runner import BaseToolRunner
    from anthropic.types.beta import BetaToolUseBlock

    _Runner = BaseToolRunner[Any, Any, Any, Any]

__all__ = ["member", "parent_for", "run", "run_context", "tool"]

_client_of: Final[Callable[[_Runner], Anthropic | AsyncAnthropic]] = attrgetter("_client")
_params_of: Final[Callable[[_Runner], Body]] = attrgetter("_params")
_SNAPSHOT: Final = "current_message_snapshot"
"""What a stream has accumulated: a property that raises before the first event."""


class Run(InvokeAgent):
    """One run of a tool runner, which yields each message of the model, or its stream."""

    __slots__ = ("_item", "client")

    def __init__(self, telemetry: Telemetry, runner: _Runner) -> None:
        params = _params_of(runner)
        self.client = _client_of(runner)
        conversation = None if conversation_id() else _own_spans.conversation_id(self.client)
        super().__init__(
            telemetry,
            None,
            model=text(params, "model"),
            output=output_messages,
            parent=with_conversation_id(conversation) if conversation else None,
        )
        if self.content.enabled:
            record_request(self.content, params)
        self._item: Any = None
        self.context = _RUN.set(self, self.context)

    def chunk(self, item: Any) -> object:
        """Keep the message that the runner yields, or its stream."""
        self._item = item
        return None

    def conclude(self) -> None:
        """Record the last message, as far as its stream was read."""
        message, self._item = self._message(), None
        if message is not None:
            self.respond(message)

    def tool_use(self, arguments: Any) -> BetaToolUseBlock | None:
        """Return the block of the last message whose input is ``arguments``, the same object."""
        blocks = items(self._message(), "content")
        return next((block for block in blocks if field(block, "input") is arguments), None)

    def _message(self) -> Any:
        """Return the last message, as far as its stream was read; None before its first event."""
        if not hasattr(cast(Any, type(self._item)), _SNAPSHOT):
            return self._item
        try:
            return getattr(self._item, _SNAPSHOT)
        except AssertionError:
            return None


_RUN: Final[Slot[Run]] = Slot("anthropic-run", Run)
_runs: Final[ByObject[_Runner, ref[Run]]] = ByObject()
"""The runs in progress, weakly: a run may refer to its runner, by a stream."""


def run(telemetry: Telemetry, call: Call) -> Run | None:
    """Start at the first step of ``BaseSyncToolRunner.__run__()`` or its async twin."""
    runner: _Runner = call.instance
    if _own_spans.are_preferred(telemetry, _client_of(runner)):
        return None
    operation = Run(telemetry, runner)
    operation.context = _own_spans.silenced(telemetry, operation.client, operation.context)
    _runs[runner] = ref(operation)
    return operation


def parent_for(telemetry: Telemetry, client: Anthropic | AsyncAnthropic) -> Context | None:
    """Return the parent of what a runner does now, if that is not the current context.

    A client that keeps its own spans has made one of them the current span.
    """
    current = _RUN.get()
    if current is None or not _own_spans.are_kept(telemetry, client):
        return None
    return with_isolated_span(set_span_in_context(current.span))


def run_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context of the run for tools that the application has it execute.

    It does so by ``generate_tool_call_response()`` in its loop, or by reading the stream of a
    runner that executes tools eagerly.
    """
    known = _runs.get(call.instance)
    current = known() if known is not None else None
    if current is None or current.ended or current is _RUN.get():
        return None
    return current.context


def tool(telemetry: Telemetry, call: Call) -> ExecuteTool | None:
    """Start at ``call(input)`` of a tool, if a runner calls it."""
    current, arguments = _RUN.get(), call.argument(0, "input")
    if current is None:
        return None
    block = current.tool_use(arguments)
    operation = _execution(telemetry, current, call.instance.name, text(block, "id"), arguments)
    description = text(call.instance, "description")
    if description:
        operation.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
    return operation


def member(telemetry: Telemetry, call: Call) -> ExecuteTool | None:
    """Start at ``call(context, name, input)`` of a toolset, if a runner calls it."""
    current, arguments = _RUN.get(), call.argument(2, "input")
    if current is None:
        return None
    call_id = text(field(call.argument(0, "context"), "tool_use"), "id")
    return _execution(telemetry, current, call.argument(1, "name"), call_id, arguments)


def _execution(
    telemetry: Telemetry, run: Run, name: str, call_id: str | None, arguments: Any
) -> ExecuteTool:
    operation = ExecuteTool(
        telemetry,
        name,
        call_id=call_id,
        arguments=arguments,
        result=tool_result,
        parent=parent_for(telemetry, run.client),
    )
    # What the tool calls, no runner calls.
    operation.context = _RUN.set(None, _own_spans.unmarked(operation.context))
    return operation
