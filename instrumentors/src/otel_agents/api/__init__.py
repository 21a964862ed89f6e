"""What an application knows itself: its steps, its tools, its users, its model calls.

    from otel_agents.api import agent, tool

    @tool
    def weather(city: str) -> str: ...

    with agent("planner") as run:
        run.input("A trip to Bern, please.")
        run.output(plan("Bern"))

Each function returns a decorator that is a context manager too. Decorated functions keep their
kind (sync, async, generator), their signature and their type. The operations are those of the
instrumentors, so that both kinds of spans form one tree, and the content policy holds for both.
Without an SDK nothing is recorded, and nothing but this module is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ._activity import ACTIVITY
from ._blocks import (
    AgentBlock,
    Block,
    ContextBlock,
    CurrentCall,
    EmbeddingsBlock,
    HandoffBlock,
    InferenceBlock,
    MemoryBlock,
    ModelBlock,
    RetrievalBlock,
    StepBlock,
    ToolBlock,
    WorkflowBlock,
)

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from otel_agents.instrumentors.settings import Settings

__all__ = [
    "AgentBlock",
    "Block",
    "ContextBlock",
    "EmbeddingsBlock",
    "HandoffBlock",
    "InferenceBlock",
    "MemoryBlock",
    "ModelBlock",
    "RetrievalBlock",
    "StepBlock",
    "ToolBlock",
    "WorkflowBlock",
    "agent",
    "configure",
    "content",
    "current_call",
    "embeddings",
    "evaluation",
    "feedback",
    "flush",
    "handoff",
    "identity",
    "inference",
    "memory",
    "reference",
    "retrieval",
    "step",
    "tool",
    "untraced",
    "workflow",
]

# A type variable for the whole function keeps more than a ParamSpec does: overloads, and whether it
# is a coroutine function or a generator.
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Server = tuple[str, int]


def _block(block: Block, function: Any) -> Any:
    """Return ``function`` decorated by ``block``, or the block if there is no function yet."""
    return block if function is None else block(function)


def _split(given: object) -> tuple[str | None, object]:
    """Return the name and the function of a first argument that may be either."""
    return (given, None) if given is None or isinstance(given, str) else (None, given)


@overload
def workflow(function: _Function, /) -> _Function: ...
@overload
def workflow(name: str | None = None, /) -> WorkflowBlock: ...
def workflow(given: Any = None, /) -> Any:
    """Record a workflow: a process that coordinates agents.

    What a decorated function is given and returns is content.

    Example:
        >>> @workflow
        ... def plan_trip(destination: str) -> str:
        ...     return f"Go to {destination}."
        >>> plan_trip("Bern")
        'Go to Bern.'

    Args:
        given: The workflow's name; by default that of the decorated function.
    """
    name, function = _split(given)
    return _block(WorkflowBlock(name), function)


@overload
def agent(function: _Function, /) -> _Function: ...
@overload
def agent(
    name: str | None = None, /, *, model: str | None = None, description: str | None = None
) -> AgentBlock: ...
def agent(given: Any = None, /, *, model: str | None = None, description: str | None = None) -> Any:
    """Record an invocation of an agent; its span has the tokens of the model calls in it.

    What a decorated function is given and returns is content.

    Example:
        >>> with agent("planner") as run:
        ...     run.input("A trip to Bern, please.")

    Args:
        given: The agent's name; by default that of the decorated function.
        model: Its model, if it always uses the same.
        description: What it is for; no content.
    """
    name, function = _split(given)
    return _block(AgentBlock(name, model=model, description=description), function)


@overload
def tool(function: _Function, /) -> _Function: ...
@overload
def tool(
    name: str | None = None,
    /,
    *,
    type: Literal["function", "extension", "datastore"] = "function",
    description: str | None = None,
    call_id: str | None = None,
) -> ToolBlock: ...
def tool(
    given: Any = None,
    /,
    *,
    type: str = "function",
    description: str | None = None,
    call_id: str | None = None,
) -> Any:
    """Record an execution of a tool.

    The arguments and the result of a decorated function are content. With a framework's own
    decorator around this one, a call is recorded once if both give the tool the same name.

    Example:
        >>> @tool
        ... def weather(city: str) -> str:
        ...     return f"Sunny in {city}."
        >>> weather("Bern")
        'Sunny in Bern.'

    Args:
        given: The tool's name; by default that of the decorated function.
        type: ``function`` where the application executes it.
        description: What it is for; no content.
        call_id: The id of the call in the model's response.
    """
    name, function = _split(given)
    block = ToolBlock(name, type=type, description=description, call_id=call_id)
    return _block(block, function)


@overload
def step(function: _Function, /) -> _Function: ...
@overload
def step(
    name: str | None = None,
    /,
    *,
    type: str = "step",
    number: int | None = None,
    count: int | None = None,
) -> StepBlock: ...
def step(
    given: Any = None,
    /,
    *,
    type: str = "step",
    number: int | None = None,
    count: int | None = None,
) -> Any:
    """Record a step of the application, for which no convention has a name.

    Example:
        >>> with step("approve", type="human_input") as approval:
        ...     approval.outcome("approved")

    Args:
        given: The step's name; by default that of the decorated function.
        type: Its type, such as ``task``, ``guardrail`` or ``human_input``.
        number: Its number, from 1, where steps are numbered.
        count: The number of steps, if it is known.
    """
    name, function = _split(given)
    return _block(StepBlock(name, type=type, number=number, count=count), function)


@overload
def retrieval(function: _Function, /) -> _Function: ...
@overload
def retrieval(
    data_source: str | None = None,
    /,
    *,
    provider: str | None = None,
    model: str | None = None,
    top_k: int | None = None,
    server: _Server | None = None,
) -> RetrievalBlock: ...
def retrieval(
    given: Any = None,
    /,
    *,
    provider: str | None = None,
    model: str | None = None,
    top_k: int | None = None,
    server: _Server | None = None,
) -> Any:
    """Record a search in a data source.

    The first text that a decorated function is given is the query, and what it returns are the
    documents; both are content.

    Example:
        >>> with retrieval("manuals", top_k=2) as search:
        ...     search.query("How far is the moon?")
        ...     search.documents([{"id": "moon.md", "score": 0.92}])

    Args:
        given: The data source; by default the name of the decorated function.
        provider: The service that has it.
        model: The embedding model.
        top_k: How many documents are requested.
        server: Host and port of the service.
    """
    name, function = _split(given)
    block = RetrievalBlock(name, provider=provider, model=model, top_k=top_k, server=server)
    return _block(block, function)


@overload
def memory(function: _Function, /) -> _Function: ...
@overload
def memory(
    operation: Literal["search", "create", "update", "upsert", "delete"] = "search",
    /,
    *,
    store: str | None = None,
    provider: str | None = None,
    server: _Server | None = None,
) -> MemoryBlock: ...
def memory(
    given: Any = "search",
    /,
    *,
    store: str | None = None,
    provider: str | None = None,
    server: _Server | None = None,
) -> Any:
    """Record an operation of a memory.

    Of a decorated function that searches, the first text is the query, and what it returns are the
    records; of another, the first argument is one record or a list of them. All of it is content.

    Example:
        >>> @memory("create", store="preferences")
        ... def remember(fact: str) -> None: ...

    Args:
        given: What is done.
        store: The id of the memory.
        provider: The service that has it; None if it is in this process.
        server: Host and port of the service.
    """
    operation, function = (given, None) if isinstance(given, str) else ("search", given)
    block = MemoryBlock(operation=operation, store=store, provider=provider, server=server)
    return _block(block, function)


@overload
def handoff(function: _Function, /) -> _Function: ...
@overload
def handoff(target: str | None = None, /, *, origin: str | None = None) -> HandoffBlock: ...
def handoff(given: Any = None, /, *, origin: str | None = None) -> Any:
    """Record that an agent passes the conversation to another.

    Example:
        >>> with handoff("billing"):
        ...     transferred = True

    Args:
        given: The agent that takes over; by default the name of the decorated function.
        origin: The agent that hands over; by default the agent around.
    """
    name, function = _split(given)
    return _block(HandoffBlock(name, origin=origin), function)


@overload
def inference(function: _Function, /) -> _Function: ...
@overload
def inference(
    *,
    model: str | None = None,
    provider: str | None = None,
    operation: Literal["chat", "text_completion", "generate_content"] = "chat",
    server: _Server | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stream: bool | None = None,
) -> InferenceBlock: ...
def inference(
    function: Any = None,
    /,
    *,
    model: str | None = None,
    provider: str | None = None,
    operation: str = "chat",
    server: _Server | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stream: bool | None = None,
) -> Any:
    """Record a call of a model that the application makes by its own HTTP.

    The span is emitted when the call is over. If an instrumented SDK makes the call, its span is
    the only one, and nothing recorded here counts.

    Example:
        >>> with inference(model="house-7b", provider="house") as call:
        ...     call.usage(input_tokens=11, output_tokens=3)
        ...     call.response(id="r-1", model="house-7b-2026", finish_reason="stop")

    Args:
        function: The function to decorate; it records by ``current_call()``.
        model: The requested model.
        provider: Who responds: ``openai``, ``anthropic``, or the name of another.
        operation: What is requested.
        server: Host and port of the endpoint.
        temperature: As requested.
        max_tokens: As requested.
        stream: Whether a stream is requested.
    """
    block = InferenceBlock(
        model=model,
        provider=provider,
        operation=operation,
        server=server,
        temperature=temperature,
        max_tokens=max_tokens,
        stream=stream,
    )
    return _block(block, function)


@overload
def embeddings(function: _Function, /) -> _Function: ...
@overload
def embeddings(
    *,
    model: str | None = None,
    provider: str | None = None,
    server: _Server | None = None,
    dimensions: int | None = None,
) -> EmbeddingsBlock: ...
def embeddings(
    function: Any = None,
    /,
    *,
    model: str | None = None,
    provider: str | None = None,
    server: _Server | None = None,
    dimensions: int | None = None,
) -> Any:
    """Record a call that embeds texts, made by the application's own HTTP; see `inference`.

    Example:
        >>> with embeddings(model="house-embed", provider="house") as call:
        ...     call.usage(input_tokens=5)

    Args:
        function: The function to decorate; it records by ``current_call()``.
        model: The requested model.
        provider: Who responds.
        server: Host and port of the endpoint.
        dimensions: The number of dimensions that is requested.
    """
    block = EmbeddingsBlock(model=model, provider=provider, server=server, dimensions=dimensions)
    return _block(block, function)


def current_call() -> ModelBlock:
    """Return the innermost `inference` or `embeddings` in progress, to record on.

    Example:
        >>> @inference(model="house-7b", provider="house")
        ... def ask(prompt: str) -> str:
        ...     current_call().usage(input_tokens=11, output_tokens=3)
        ...     return "Sunny."
        >>> ask("How is the weather?")
        'Sunny.'

    Returns:
        An object with the methods of what ``with inference(…)`` binds; without a call in progress
        they do nothing.
    """
    return CurrentCall()


def identity(
    *,
    conversation: str | None = None,
    session: str | None = None,
    user: str | None = None,
    tags: Mapping[str, object] | None = None,
) -> ContextBlock:
    """Set who the work is done for: on every span in the block, and on log records.

    It flows with the context, into tasks, and where a distribution carries the context, into
    threads and executors. In headers nothing of it leaves the process, unless
    ``OTEL_AGENTS_PROPAGATE_IDENTITY`` lists the host.

    Example:
        >>> with identity(user="u-1", session="s-1", tags={"plan": "pro"}):
        ...     reply = "Sunny."

    Args:
        conversation: ``gen_ai.conversation.id``.
        session: ``session.id``.
        user: ``user.id``.
        tags: Each is ``otel_agents.tag.`` and its key. At most 32, keys of 64 and values of 256
            characters; they are no content, so that no setting removes them.
    """
    return ContextBlock(
        change="identity", conversation=conversation, session=session, user=user, tags=tags
    )


def content(enabled: bool) -> ContextBlock:
    """Narrow the content policy for a block: ``content(False)`` records none of its content.

    ``content(True)`` leaves it as the settings and the blocks around say.

    Example:
        >>> with content(False):
        ...     password = "secret"
    """
    return ContextBlock(change="content", enabled=enabled)


def untraced() -> ContextBlock:
    """Leave a block out: no instrumentation records it, and spans started in it are not sampled.

    Example:
        >>> with untraced():
        ...     healthy = True
    """
    return ContextBlock(change="untraced")


def reference() -> str:
    """Return a reference to the current span, to judge it later: a W3C traceparent.

    It may travel: to a web client, and back to another process minutes later.

    Example:
        >>> with agent("planner"):
        ...     reply = {"text": "Sunny.", "reference": reference()}

    Returns:
        The reference; empty without a span. `Block.reference` returns that to a block, with the id
        of a model's response.
    """
    if not ACTIVITY:
        return ""
    from ._references import current_reference

    return current_reference()


def evaluation(
    name: str,
    *,
    score: float | None = None,
    label: str | None = None,
    explanation: str | None = None,
    of: str | Block | None = None,
    response_id: str | None = None,
    evaluator: str | None = None,
    evaluator_version: str | None = None,
    evaluator_type: Literal["human", "model", "code"] | None = None,
) -> None:
    """Record a judgement: the event ``gen_ai.evaluation.result`` in the context of what is judged.

    A step without duration is recorded too, for backends that receive no events.

    Example:
        >>> with agent("planner") as run:
        ...     pass
        >>> evaluation("relevance", score=0.9, label="relevant", of=run)

    Args:
        name: The metric's name.
        score: The score.
        label: What the score means, low in cardinality.
        explanation: Why: content, recorded only where content is.
        of: A block, or what `reference` returned; default is the current span.
        response_id: The provider's id of the response, if the reference has none.
        evaluator: The id of the evaluator.
        evaluator_version: Its version.
        evaluator_type: Whether a human, a model or code has judged.
    """
    if not ACTIVITY:
        return
    from ._evaluating import evaluate

    subject = of.reference() if isinstance(of, Block) else of
    by = (evaluator, evaluator_version, evaluator_type)
    evaluate(name, score, label, explanation, subject, response_id, by)


def feedback(
    value: bool | float | None = None,
    *,
    of: str | Block | None = None,
    label: str | None = None,
    comment: str | None = None,
    name: str = "user_feedback",
    user: str | None = None,
) -> None:
    """Record what a human thinks of a response; an `evaluation` by a human.

    Example:
        >>> with agent("planner") as run:
        ...     pass
        >>> feedback(True, of=run, comment="Just what I needed.")

    Args:
        value: A number, or whether it was good: 1 and ``positive``, 0 and ``negative``.
        of: A block, or what `reference` returned; default is the current span.
        label: What the value means.
        comment: What the human wrote: content, recorded only where content is.
        name: The metric's name.
        user: The id of the human.
    """
    if isinstance(value, bool) and label is None:
        label = "positive" if value else "negative"
    evaluation(
        name,
        score=value,
        label=label,
        explanation=comment,
        of=of,
        evaluator=user,
        evaluator_type="human",
    )


def configure(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    settings: Settings | None = None,
) -> None:
    """Emit to these providers instead of the global ones.

    It is for an application that gives its instrumentors providers of its own; without arguments it
    returns to the global ones.

    Args:
        tracer_provider: Of the spans.
        meter_provider: Of the metrics.
        logger_provider: Of the events.
        settings: By default those of the environment.
    """
    from ._emitting import configure

    configure(tracer_provider, meter_provider, logger_provider, settings)


def flush(timeout: float = 10.0) -> bool:
    """Have everything exported that is recorded: for scripts, notebooks and jobs.

    Args:
        timeout: Seconds that it may take for each signal.

    Returns:
        Whether everything was exported, as far as the SDK says; True without one.
    """
    if not ACTIVITY:
        return True
    from ._emitting import flush

    return flush(timeout)
