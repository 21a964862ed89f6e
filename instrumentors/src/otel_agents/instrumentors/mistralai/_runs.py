"""Runs of conversations: requests in turn with the tools that the SDK executes for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.streams import follow_stream
from otel_agents.instrumentors._core.context.scope import with_conversation_id
from otel_agents.instrumentors._core.operations import ExecuteTool, InvokeAgent
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.mistral.conversations import (
    input_messages,
    output_messages,
)
from otel_agents.semconv import attributes as attr

if TYPE_CHECKING:
    from mistralai.client.models import FunctionCallEntry, FunctionResultEntry
    from mistralai.extra.run.context import RunContext
    from mistralai.extra.run.result import RunResult

__all__ = ["execute", "run"]

_DEFERRED: Final = "DeferredToolCallsException"
"""Raised when a tool needs a confirmation, which a later run passes."""


class Run(InvokeAgent):
    """One run of a conversation, whose last item is its result if it is streamed."""

    __slots__ = ("_run_context",)

    def __init__(self, telemetry: Telemetry, run_context: RunContext, inputs: Any) -> None:
        conversation = run_context.conversation_id
        super().__init__(
            telemetry,
            None,
            model=run_context.model,
            input=input_messages(inputs),
            output=_output,
            parent=with_conversation_id(conversation) if conversation else None,
        )
        self._run_context = run_context
        if run_context.agent_id:
            self.attributes[attr.GEN_AI_AGENT_ID] = run_context.agent_id

    def returned(self, value: Any) -> Any:
        """Record the result, or follow the stream that ends with it."""
        return follow_stream(value, self) or super().returned(value)

    def chunk(self, item: Any) -> object:
        """Record the result, which is the last item."""
        if hasattr(item, "output_entries"):
            self.complete = True
            self.respond(item)
        return None

    def conclude(self) -> None:
        """Record the conversation's id, which its first response names."""
        conversation = self._run_context.conversation_id
        if conversation:
            self.attributes[attr.GEN_AI_CONVERSATION_ID] = conversation

    def is_failure(self, error: BaseException) -> bool:
        """Return whether ``error`` is a failure: a call that waits for a confirmation is none."""
        return type(error).__name__ != _DEFERRED


def _output(result: RunResult) -> list[Message]:
    return output_messages({"outputs": result.output_entries[-1:]})


def run(telemetry: Telemetry, call: Call) -> Run:
    """Start at ``Conversations.run_async(run_ctx, inputs, …)`` or its streamed twin."""
    return Run(telemetry, call.argument(0, "run_ctx"), call.argument(1, "inputs"))


class ToolCall(ExecuteTool):
    """A tool of a run. Its failure has the type of what the tool raised."""

    __slots__ = ("_error_text",)

    def __init__(self, telemetry: Telemetry, entry: FunctionCallEntry) -> None:
        super().__init__(
            telemetry,
            entry.name,
            call_id=entry.tool_call_id,
            arguments=entry.arguments,
            result=_result,
        )
        self._error_text = f"Error while executing {entry.name}: "

    def respond(self, value: Any) -> None:
        """Record the result; with ``continue_on_fn_error`` it is the text of an error."""
        super().respond(value)
        if _result(value).startswith(self._error_text):
            self.mark_failed(None)

    def error_code(self, error: BaseException) -> str | None:
        """Return the class of what the tool raised, not of what the SDK raised because of it."""
        return errors.error_type(error.__cause__) if error.__cause__ is not None else None


def _result(entry: FunctionResultEntry) -> str:
    return entry.result


def execute(telemetry: Telemetry, call: Call) -> ToolCall:
    """Start at ``create_function_result(function_call, run_tool, …)``."""
    return ToolCall(telemetry, call.argument(0, "function_call"))
