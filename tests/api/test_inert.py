"""Without an SDK the module does nothing, imports nothing, and costs nearly nothing."""

from __future__ import annotations

import json

import pytest
from new_processes import in_a_new_process

PROGRAM = """if True:
    import json, sys, time
    import opentelemetry.trace
    before = {*sys.modules}
    started = time.process_time()
    from otel_agents import api
    imported = time.process_time() - started
    direct = {*sys.modules} - before

    @api.agent
    def plan(): return [*count(2)]
    @api.tool("counting")
    def count(most):
        yield from range(most)
    @api.inference(model="m")
    async def later(): return api.current_call().usage(1, 1)

    with api.workflow("w") as w, api.step("s"):
        w.input("x")
        assert plan() == [0, 1]
        import asyncio
        asyncio.run(later())
    assert api.flush()
    rest = sorted(name for name in sys.modules if "._core.operations" in name)
    print(json.dumps([imported, sorted(it for it in direct if it.startswith("otel")), rest]))
"""


def test_importing_it_imports_itself_alone_within_ten_milliseconds() -> None:
    seconds, direct, rest = zip(
        *(json.loads(in_a_new_process(PROGRAM)) for _ in range(5)), strict=True
    )
    assert min(seconds) < 0.01
    names = ("activity", "agents", "blocks", "evaluations", "model_calls", "providers", "sources")
    inside = [f"otel_agents.api._{name}" for name in (*names, "steps", "surroundings")]
    assert direct[0] == ["otel_agents", "otel_agents.api", *inside]
    assert rest[0] == []


WITH_SDK_LATER = """if True:
    from otel_agents import api
    @api.agent
    def plan(): pass
    plan()
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    plan()
    with api.step("s"): pass
    assert api.flush()
    print(*[span.name for span in spans.get_finished_spans()], sep=", ")
"""


def test_an_sdk_that_is_set_up_later_is_used() -> None:
    assert in_a_new_process(WITH_SDK_LATER) == "invoke_agent plan, step s\n"


NAMED_AS_THE_APIS = """if True:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
    class ProxyTracerProvider(TracerProvider):
        pass
    provider = ProxyTracerProvider()
    printing = ConsoleSpanExporter(formatter=lambda span: span.name + ".")
    provider.add_span_processor(SimpleSpanProcessor(printing))
    trace.set_tracer_provider(provider)
    from otel_agents import api
    with api.step("s"): pass
"""


def test_a_provider_that_is_named_as_one_of_the_api_is_used() -> None:
    """As Logfire's, which is what `logfire.configure` sets."""
    assert in_a_new_process(NAMED_AS_THE_APIS) == "step s."


COUNTED = """if True:
    import sys
    from otel_agents import api
    @api.tool
    def decorated(number): return number
    def plain(number): return number
    decorated(1)
    calls = 0
    def counting(frame, event, argument):
        global calls
        calls += event in ("call", "c_call")
    def of(function):
        global calls
        calls = 0
        sys.setprofile(counting)
        function(1)
        sys.setprofile(None)
        return calls
    print(of(decorated) - of(plain))
"""


@pytest.mark.parametrize("attempt", [1])
def test_a_call_without_an_sdk_costs_a_few_calls(attempt: int) -> None:
    """Counted, since times vary: about as many as one look-up of each signal's provider takes."""
    assert int(in_a_new_process(COUNTED)) < 40
