"""AG2's own telemetry with a provider of the application's: as without us, and ours beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from ag2_agents import CHAT, agent, calling, run, tool, turn_of
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import get_current_span

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, ToolCall

_OWN: Any = import_module("ag2.middleware")
OURS = turn_of("Guide", CHAT, "execute_tool look", CHAT)
PREFERENCES = ("ours", "theirs")


@tool
def look() -> str:
    """Look."""
    return "seen"


class Kept(SpanProcessor):
    """What an application hands to an evaluation."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_end(self, span: Any) -> None:
        self.names.append(span.name)


@pytest.fixture
def own() -> Iterator[Emission]:
    """The application's own provider; what AG2 writes there is not checked."""
    emission = Emission()
    yield emission
    emission.close()


@pytest.fixture(params=PREFERENCES)
def preferring(request: pytest.FixtureRequest, emission: Emission) -> Iterator[Callable[[], None]]:
    """Instruments, by either preference; it is about duplicates, and this is none."""
    made: list[Any] = [AG2Instrumentor(), OpenAIInstrumentor()]

    def instrument() -> None:
        settings = Settings.read({"OTEL_AGENTS_PREFER": request.param})
        for instrumentor in made:
            instrumentor.instrument(**emission.providers, settings=settings, skip_dep_check=False)

    yield instrument
    for instrumentor in made:
        instrumentor.uninstrument()


def evaluated(config: Any, processor: Kept) -> list[Any]:
    """What an evaluation of two tasks comes to."""
    ev: Any = import_module("ag2.eval")
    events: Any = import_module("ag2.events")

    def used_tool(trace: Any) -> bool:
        return bool(trace.events_of(events.ToolCallEvent))

    used_tool.__annotations__ = {"trace": ev.Trace, "return": bool}
    tasks = [{"task_id": name, "inputs": {"input": f"{name}?"}} for name in ("a", "b")]

    async def main() -> Any:
        return await ev.run_agent(
            ev.Suite.from_list(tasks, name="s"),
            agent=agent("Guide", config, tools=[look]),
            scorers=[ev.scorer(used_tool)],
            span_processors=[processor],
        )

    result = run(main)
    return [
        dict(result.aggregates.pass_rate),
        result.aggregates.errors,
        result.aggregates.tokens.total,
        sorted([type(event).__name__ for event in task.trace.events] for task in result.tasks),
        sorted(processor.names),
    ]


def test_an_evaluation_comes_out_as_without_us(
    preferring: Callable[[], None], config: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(calling(ToolCall("look")))
    bare = evaluated(config, Kept())
    assert bare[0] == {"used_tool": 1.0}
    model.ledger.clear()
    model.script_by(calling(ToolCall("look")))
    preferring()
    ours = evaluated(config, Kept())
    assert (ours[:2], ours[3:]) == (bare[:2], bare[3:])
    assert ours[2] == model.ledger.input_tokens + model.ledger.output_tokens
    assert emission.tree() == OURS * 2


def test_a_middleware_with_its_own_provider_is_left_alone(
    preferring: Callable[[], None],
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    own: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its spans have the application's around them, and each other, and none of ours; nor have ours."""
    preferring()
    model.script_by(calling(ToolCall("look")))
    middleware = _OWN.TelemetryMiddleware(
        tracer_provider=own.tracer_provider, agent_name="theirs", model_name="m"
    )

    async def main() -> None:
        with own.tracer_provider.get_tracer("app").start_as_current_span("mine"):
            await agent("Guide", config, tools=[look], middleware=[middleware]).ask("Go")

    run(main)
    shown = [line for line in own.tree() if "record_usage" not in line]
    inner = ["invoke_agent theirs", "  chat m", "  execute_tool look", "  chat m"]
    assert shown == ["mine", *("  " + line for line in inner)]
    assert [line.strip() for line in emission.tree()] == [line.strip() for line in OURS]
    theirs: list[Any] = list(own.spans)
    ids = {span.context.span_id for span in theirs if span.name != "mine"}
    assert not [span.name for span in emission.spans if span.parent and span.parent.span_id in ids]
    assert not [one for one in caplog.records if one.name == "otel_agents"]


def test_a_hub_with_its_own_provider_hides_no_parent_of_ours(
    instrument: Callable[..., None], emission: Emission, own: Emission
) -> None:
    """The span of a message is current while it is delivered, in the application's provider alone."""
    instrument()
    module: Any = import_module("ag2.network.hub._envelope_tracing")
    tracer = module.EnvelopeTracer(own.tracer_provider, None)
    with emission.tracer_provider.get_tracer("t").start_as_current_span("outer") as outer:
        span = tracer._tracer.start_span("envelope", context=Context())
        with tracer.use_span(span):
            assert get_current_span() is outer
            with tracer._tracer.start_as_current_span("inner"):
                pass
        span.end()
    assert own.tree() == ["envelope", "  inner"]
