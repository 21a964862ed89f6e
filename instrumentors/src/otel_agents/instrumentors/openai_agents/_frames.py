"""The runs and spans of the SDK that are in progress, and what is current in each of them.

The SDK starts and finishes its spans in the context that its work runs in, so ours are made current
there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.operations import Operation, Runs

if TYPE_CHECKING:
    from ._runs import AgentsRun

__all__ = ["RUNS", "Frame", "current_frame", "current_run", "enter", "restore"]

RUNS: Final = Runs("openai-agents")
"""By run, stretch of an agent, or the SDK's span or trace: without tracing, all of the SDK's ids are the same."""


@dataclass(eq=False, slots=True)
class Frame:
    """What is known of a run, a trace or a span in progress.

    Attributes:
        key: The run, the trace or the span.
        run: The run that it is part of.
        outer: The context before it.
        executed: For a tool: whether it was executed, or whether that is unknown.
        is_decided: For a tool: whether nothing can keep it from being executed any more.
        error: What the SDK caught in it, or what left it.
        reports_error: For a tool of an MCP server: whether its result says that it failed.
    """

    key: Hashable
    run: AgentsRun | None
    outer: Context
    executed: bool = True
    is_decided: bool = False
    error: BaseException | None = None
    reports_error: bool = False


def current_frame() -> Frame | None:
    """Return the innermost frame of the current context."""
    found = RUNS.current()
    return found.facts if found is not None and isinstance(found.facts, Frame) else None


def current_run() -> AgentsRun | None:
    """Return the innermost run of the current context."""
    frame = current_frame()
    return frame.run if frame is not None else None


def enter(
    key: Hashable,
    begin: Callable[[Context], Operation | None],
    run: AgentsRun | None = None,
    above: Hashable | None = None,
) -> Context:
    """Start ``key`` and return the context of its work; the caller makes it current.

    Args:
        key: The run, the trace or the span.
        begin: Starts the operation in the given context; returns None to show nothing.
        run: The run that ``key`` is part of; default is the current one.
        above: What ``key`` is directly part of; default is the innermost of the current context.
    """
    current = current_frame()
    if above is None and current is not None:
        above = current.key
    frame = Frame(key, run or current_run(), get_current())
    return RUNS.start(key, above, begin, facts=frame)


def restore(key: Hashable) -> None:
    """Make the context before ``key`` current again, if the current one is that of ``key``.

    ``key`` may have ended: a trace that another task finishes ends what is in progress in it.
    """
    found = RUNS.innermost(key)
    if found is not None:
        attach(found.facts.outer)
