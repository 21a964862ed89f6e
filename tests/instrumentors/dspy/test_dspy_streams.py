"""Streamed programs: one trace, whatever reads the stream, and however far."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from dspy_programs import CHAT, VERSION, Reply, dspy, fields, lm, weather, workers
from opentelemetry.trace import StatusCode
from packaging.version import Version

from otel_agents.instrumentors.dspy import DSPyInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Hold, ScriptedModel

pytestmark = [
    pytest.mark.skipif(Version("2.6.27") > VERSION, reason="another streamify"),
    pytest.mark.usefixtures("instrumented"),
]

needs_engines = pytest.mark.skipif(
    Version("3.4") > VERSION, reason="it ended with an error of its own"
)
STREAMED = ["invoke_workflow Reply", f"  {CHAT}"]
LONG = "Paris " * 20
ENGINES = ["lm15", "litellm"] if Version("3.4") <= VERSION else [None]


def listening(program: Any, **options: Any) -> Any:
    """Return the streamed program, which yields the chunks of the reply."""
    listener = dspy.streaming.StreamListener(signature_field_name="reply")
    return dspy.streamify(program, stream_listeners=[listener], **options)


def collected(stream: Any, **context: Any) -> list[Any]:
    async def main() -> list[Any]:
        with dspy.context(**context):
            return [item async for item in stream(topic="q")]

    return asyncio.run(main())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_streamed_program_is_one_trace(
    engine: str | None, model: ScriptedModel, emission: Emission
) -> None:
    model.script(fields(reply="Paris"))
    options = {} if engine is None else {"engine": engine}
    items = collected(listening(dspy.Predict(Reply)), lm=lm(model, **options), track_usage=True)
    assert isinstance(items[-1], dspy.Prediction)
    assert emission.tree() == STREAMED
    (chat,) = (dict(span.attributes or {}) for span in emission.spans if span.name == CHAT)
    assert chat["gen_ai.request.stream"] is True
    assert isinstance(chat["gen_ai.response.time_to_first_chunk"], float)
    (entry,) = model.ledger.entries
    assert chat["gen_ai.usage.input_tokens"] == entry.input_tokens
    assert chat["gen_ai.usage.output_tokens"] == entry.output_tokens


def test_a_stream_whose_usage_is_requested_by_a_setting(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    for instrumentor in (DSPyInstrumentor(), LiteLLMInstrumentor(), OpenAIInstrumentor()):
        instrumentor.uninstrument()
    instrument(OTEL_AGENTS_STREAM_USAGE="true")
    model.script(fields(reply="Paris"))
    options = {} if ENGINES == [None] else {"engine": "litellm"}
    collected(listening(dspy.Predict(Reply)), lm=lm(model, **options))
    (chat,) = (dict(span.attributes or {}) for span in emission.spans if span.name == CHAT)
    assert chat["gen_ai.usage.output_tokens"] == model.ledger.output_tokens


def status_messages() -> Any:
    """Return messages about what starts; a function since the oldest version has no such class."""

    class Status(dspy.streaming.StatusMessageProvider):
        def lm_start_status_message(self, instance: Any, inputs: Any) -> str:
            return "calling the model"

        def tool_start_status_message(self, instance: Any, inputs: Any) -> str:
            return f"calling {instance.name}"

    return Status()


def turn(tool: str, **arguments: Any) -> Any:
    return fields(next_thought="t", next_tool_name=tool, next_tool_args=json.dumps(arguments))


def script(model: ScriptedModel) -> None:
    model.script(turn("weather", city="Bern"), turn("finish"), fields(reasoning="r", reply="Sun"))


def test_an_agent_with_status_messages(model: ScriptedModel, emission: Emission) -> None:
    """DSPy installs a callback for them, for this call alone."""
    script(model)
    agent = dspy.ReAct(Reply, tools=[weather])
    items = collected(dspy.streamify(agent, status_message_provider=status_messages()))
    messages = [item.message for item in items if isinstance(item, dspy.streaming.StatusMessage)]
    assert len(messages) >= 2
    assert emission.tree() == [
        "invoke_agent Reply",
        *(f"  {CHAT}", "  execute_tool weather", f"  {CHAT}", f"  {CHAT}"),
    ]


def test_a_stream_that_is_read_by_a_generator(model: ScriptedModel, emission: Emission) -> None:
    """DSPy reads it in a thread of its own."""
    model.script(fields(reply=LONG))
    tracer = emission.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("request"):
        items = list(listening(dspy.Predict(Reply), async_streaming=False)(topic="q"))
    assert isinstance(items[-1], dspy.Prediction)
    assert emission.tree() == ["request", *(f"  {line}" for line in STREAMED)]


def failed(emission: Emission) -> None:
    """Check that both spans ended once, with an error."""
    assert emission.tree() == STREAMED
    assert [span.status.status_code for span in emission.spans] == [StatusCode.ERROR] * 2


def test_a_stream_that_fails(model: ScriptedModel, emission: Emission) -> None:
    model.script(*(Failure(401, message="secret") for _ in range(2)))
    with pytest.raises(Exception):  # noqa: B017, PT011  a group of errors, in early versions
        collected(listening(dspy.Predict(Reply)))
    chats = emission.names.count(CHAT)
    assert emission.tree() == ["invoke_workflow Reply", *[f"  {CHAT}"] * chats]
    assert chats == model.ledger.requests
    assert "secret" not in emission.texts()


@needs_engines
@pytest.mark.parametrize("closes", [True, False])
def test_an_async_program_whose_stream_is_left(
    closes: bool, model: ScriptedModel, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    """What asyncio logs is the same without otel-agents: another task leaves a task group."""
    caplog.set_level(logging.CRITICAL, "asyncio")
    model.script(fields(reply=LONG))
    stream = listening(dspy.Predict(Reply), is_async_program=True)

    async def main() -> None:
        items = stream(topic="q")
        async for _ in items:
            break
        if closes:
            await items.aclose()

    asyncio.run(main())
    failed(emission)


@needs_engines
def test_a_program_whose_stream_is_left(
    model: ScriptedModel, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    """Its thread finds out when it sends the next chunk; DSPy abandons it until then."""
    caplog.set_level(logging.CRITICAL, "asyncio")
    gate = threading.Event()
    model.script(replace(fields(reply=LONG), hold=Hold(after=2, gate=gate)))

    async def main() -> list[threading.Thread]:
        async for _ in dspy.streamify(dspy.Predict(Reply))(topic="q"):
            break
        return workers()

    try:
        threads = asyncio.run(main())
        assert emission.spans == ()
    finally:
        gate.set()
    for thread in threads:
        thread.join(30)
    failed(emission)


def test_a_cached_stream_is_no_call(model: ScriptedModel, emission: Emission) -> None:
    model.script(fields(reply="Paris"))
    cached = lm(model, cache=True, temperature=0.37)
    for _ in range(2):
        items = collected(listening(dspy.Predict(Reply)), lm=cached)
        assert items[-1].reply == "Paris"
    assert emission.tree() == [*STREAMED, STREAMED[0]]
    assert model.ledger.requests == 1


def test_asyncify_in_several_tasks(model: ScriptedModel, emission: Emission) -> None:
    """Each task has its own parent, in the threads of one limiter."""
    model.script(*(fields(reply="Paris") for _ in range(3)))
    tracer = emission.tracer_provider.get_tracer("test")
    program = dspy.asyncify(dspy.Predict(Reply))

    async def one(name: str) -> None:
        with tracer.start_as_current_span(name):
            await program(topic=name)

    async def main() -> None:
        await asyncio.gather(*(one(name) for name in ("a", "b", "c")))

    asyncio.run(main())
    nested = [f"  {line}" for line in STREAMED]
    assert sorted(emission.tree()[::3]) == ["a", "b", "c"]
    assert [line for line in emission.tree() if line[:1] == " "] == nested * 3
    assert emission.traces() == 3
