"""Chat engines, agents of before workflows among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Operation
from otel_agents.instrumentors._core.operations.agents import Messages
from otel_agents.instrumentors._dialects.parts import text_message

from ._memories import conversation_of
from ._work import RUNS, Entered, Work, follow_generator_of, given_class, is_a

if TYPE_CHECKING:
    from llama_index.core.chat_engine.types import AgentChatResponse

__all__ = ["chat", "writing"]

_CHAT: Final = "chat"
_STREAMS: Final = ("chat_stream", "achat_stream")


@dataclass(slots=True)
class _Writing:
    """A streamed chat: another thread or task reads the stream and writes it to the memory.

    Attributes:
        returned: The response, once the engine has returned it.
        written: Whether everything has been read.
    """

    returned: Any = None
    written: bool = False


def chat(entered: Entered) -> Work:
    """Start ``BaseChatEngine.chat(message, chat_history)`` and its three kinds."""
    engine = entered.instance
    given = entered.arguments.get("message")
    memory = getattr(engine, "_memory", None) or getattr(engine, "memory", None)
    kind = InvokeAgent if is_a(engine, "BaseAgent") else InvokeWorkflow

    def begin(parent: Context) -> Operation:
        return kind(
            entered.telemetry,
            given_class(engine),
            input=lambda: [text_message("user", given)],
            output=_output,
            parent=parent,
        )

    parent = conversation_of(memory)
    return Work(entered.span_id, _CHAT, engine, begin, parent, ending=_end, state=_Writing())


def _output(value: AgentChatResponse) -> Messages:
    text = value.response
    return [text_message("assistant", text)] if text else None


def _end(work: Work, result: Any) -> None:
    """End a chat; a streamed one when its stream was read to the end."""
    if all(getattr(result, name, None) is None for name in _STREAMS):
        work.end(result)
    elif _is_written(result):
        work.state.returned = result
        if work.state.written:
            work.end(result)
    elif not any(follow_generator_of(work, result, name) for name in _STREAMS):
        work.end(result)


def _is_written(response: Any) -> bool:
    """Return whether something else than the caller reads the stream."""
    written = getattr(response, "is_writing_to_memory", None)
    return bool(getattr(response, "_is_writing_to_memory", True) if written is None else written)


def writing(entered: Entered) -> Work | None:
    """Follow ``StreamingAgentChatResponse.write_response_to_history(memory)``, the reader."""
    above = entered.above
    if above is None or above.kind != _CHAT:
        return None

    def end(work: Work, result: Any) -> None:
        RUNS.end(work.span_id)
        above.state.written = True
        if above.state.returned is not None:
            above.end(above.state.returned)

    def fail(work: Work, error: BaseException) -> None:
        RUNS.fail(above.span_id, error)

    return Work(entered.span_id, "writing", entered.instance, ending=end, failing=fail)
