"""AG2's own telemetry with the application's own provider is unchanged, and ours is recorded as well."""

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


class NameRecorder(SpanProcessor):
    """A span processor that an application passes to an evaluation."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_end(self, span: Any) -> None:
        self.names.append(span.name)


@pytest.fixture
def own() -> Iterator[Emission]:
    """Return the application's own providers; what AG2 emits there is not checked for conformance."""
    emission = Emission()
    yield emission
    emission.close()


@pytest.fixture(params=PREFERENCES)
def instrument_by_preference(
    request: pytest.FixtureRequest, emission: Emission
) -> Iterator[Callable[[], None]]:
    """Instrument with either preference, which concerns duplicates only and makes no difference here."""
    instrumentors: list[Any] = [AG2Instrumentor(), OpenAIInstrumentor()]

    def instrument() -> None:
        settings = Settings.read({"OTEL_AGENTS_PREFER": request.param})
        for instrumentor in instrumentors:
            instrumentor.instrument(**emission.providers, settings=settings, skip_dep_check=False)

    yield instrument
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def evaluation_result(config: Any, processor: NameRecorder) -> list[Any]:
    """Run an evaluation of two tasks and return its result."""
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


def test_an_evaluation_has_the_same_result(
    instrument_by_preference: Callable[[], None],
    config: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script_by(calling(ToolCall("look")))
    unobserved = evaluation_result(config, NameRecorder())
    assert unobserved[0] == {"used_tool": 1.0}
    model.ledger.clear()
    model.script_by(calling(ToolCall("look")))
    instrument_by_preference()
    observed = evaluation_result(config, NameRecorder())
    assert (observed[:2], observed[3:]) == (unobserved[:2], unobserved[3:])
    assert observed[2] == model.ledger.input_tokens + model.ledger.output_tokens
    assert emission.tree() == OURS * 2


def test_a_middleware_with_its_own_provider_is_left_alone(
    instrument_by_preference: Callable[[], None],
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    own: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its spans and ours are never parents of each other; both are children of application spans."""
    instrument_by_preference()
    model.script_by(calling(ToolCall("look")))
    middleware = _OWN.TelemetryMiddleware(
        tracer_provider=own.tracer_provider, agent_name="theirs", model_name="m"
    )

    async def main() -> None:
        with own.tracer_provider.get_tracer("app").start_as_current_span("mine"):
            await agent("Guide", config, tools=[look], middleware=[middleware]).ask("Go")

    run(main)
    lines = [line for line in own.tree() if "record_usage" not in line]
    inner = ["invoke_agent theirs", "  chat m", "  execute_tool look", "  chat m"]
    assert lines == ["mine", *("  " + line for line in inner)]
    assert [line.strip() for line in emission.tree()] == [line.strip() for line in OURS]
    theirs: list[Any] = list(own.spans)
    ids = {span.context.span_id for span in theirs if span.name != "mine"}
    assert not [span.name for span in emission.spans if span.parent and span.parent.span_id in ids]
    assert not [one for one in caplog.records if one.name == "otel_agents"]


def test_a_hub_with_its_own_provider_hides_no_parent(
    instrument: Callable[..., None], emission: Emission, own: Emission
) -> None:
    """The span of a message is current during delivery, in the application's own provider only."""
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
