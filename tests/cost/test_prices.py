"""The cost of a call is what genai-prices computes, without that library on the call's thread."""

from __future__ import annotations

import io
import json
import statistics
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from new_processes import in_a_new_process
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_agents import api
from otel_agents.distro.tree import TreeExporter
from otel_agents.instrumentors import Inference, Telemetry
from otel_agents.instrumentors._core.telemetry import prices
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import values
from otel_agents.testing.emission import Emission

library: Any = import_module("genai_prices")
snapshot: Any = import_module("genai_prices.data_snapshot")
MISSING = "otel_agents.cost.missing"
SERVER = ("h", 1)


def wait_for_prices(made: prices.Prices, provider: str, model: str) -> Any:
    """Return what is known once the thread has looked it up."""
    deadline = time.monotonic() + 60
    while (found := made.of(provider, model)) == prices.LOADING:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    return found


def call(provider: str = "openai", model: str = "gpt-4o-mini", **usage: int) -> None:
    with api.inference(model=model, provider=provider, server=SERVER) as made:
        made.usage(**{"input_tokens": 1000, "output_tokens": 100, **usage})
        made.response(id="r", model=model, finish_reason="stop")


def costs(emission: Emission) -> list[Any]:
    return [(span.attributes or {}).get("otel_agents.cost") for span in emission.spans]


def test_a_call_has_its_cost_once_the_prices_are_there(
    emission: Emission, configured: Callable[..., None], fresh: prices.Prices
) -> None:
    call()
    wait_for_prices(fresh, "openai", "gpt-4o-mini")
    with api.agent("planner"):
        call(cache_read_tokens=200)
    expected = library.calc_price(
        library.Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=200),
        "gpt-4o-mini",
        provider_id="openai",
    )
    assert costs(emission) == [None, pytest.approx(float(expected.total_price)), None]
    found = dict(emission.spans[1].attributes or {})
    assert found["otel_agents.cost.source"] == "genai-prices"
    points = emission.points()
    assert points[MISSING] == [({"otel_agents.reason": "loading"}, 1)]
    ((attributes, total),) = points["otel_agents.cost"]
    assert total == pytest.approx(float(expected.total_price))
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini",
        "server.address": "h",
        "server.port": 1,
    }


def test_embeddings_have_a_cost(
    emission: Emission, configured: Callable[..., None], fresh: prices.Prices
) -> None:
    wait_for_prices(fresh, "openai", "text-embedding-3-small")
    with api.embeddings(model="text-embedding-3-small", provider="openai", server=SERVER) as made:
        made.usage(1_000_000)
        made.response(model="text-embedding-3-small")
    assert costs(emission) == [pytest.approx(0.02)]


def test_an_unknown_model_has_none_and_is_counted(
    emission: Emission, configured: Callable[..., None], fresh: prices.Prices
) -> None:
    for provider, model in (("openai", "house-7b"), ("house", "gpt-4o-mini")):
        assert wait_for_prices(fresh, provider, model) == prices.UNKNOWN
        call(provider, model)
    assert costs(emission) == [None, None]
    assert emission.points()[MISSING] == [({"otel_agents.reason": "unknown"}, 2)]


def test_a_library_that_fails_is_one_line_and_one_attempt(
    emission: Emission,
    configured: Callable[..., None],
    fresh: prices.Prices,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as one whose own requirements are missing: no call of the model tries again."""
    attempts: list[str] = []

    def fail(name: str) -> Any:
        attempts.append(name)
        raise ImportError("no pydantic")

    monkeypatch.setattr(prices, "import_module", fail)
    for _ in range(3):
        assert wait_for_prices(fresh, "openai", "gpt-4o-mini") == prices.UNKNOWN
        call()
    assert emission.points()[MISSING] == [({"otel_agents.reason": "unknown"}, 3)]
    assert attempts == ["genai_prices"]
    assert len(caplog.records) == 1


def test_a_figure_from_above_wins(
    emission: Emission, configured: Callable[..., None], fresh: prices.Prices
) -> None:
    wait_for_prices(fresh, "openai", "gpt-4o-mini")
    telemetry = Telemetry("test", settings=Settings.read({}), **emission.providers)
    made = Inference(telemetry, values.Operation.CHAT, "openai", "gpt-4o-mini", SERVER)
    made.input_tokens, made.output_tokens, made.finish_reasons = 1000, 100, ("stop",)
    made.response_id, made.response_model = "r", "gpt-4o-mini"
    made.attributes["otel_agents.cost"] = 7.5
    made.end()
    assert costs(emission) == [7.5]
    assert [value for _, value in emission.points()["otel_agents.cost"]] == [7.5]


def test_it_can_be_disabled(emission: Emission, configured: Callable[..., None]) -> None:
    configured(OTEL_AGENTS_COST="false")
    call()
    assert MISSING not in emission.points()


def test_every_model_costs_what_the_library_computes() -> None:
    """All models of the list, below and above their tiers, with and without parts of the tokens."""
    checked = 0
    for provider in snapshot.get_snapshot().providers:
        for model in provider.models:
            rates = prices.looked_up(provider.id, model.id)
            if rates is None or rates.modal:
                continue
            for input, output in ((1000, 100), (300_000, 100), (300_000, 5000)):
                for parts in PARTS:
                    usage = library.Usage(input_tokens=input, output_tokens=output, **parts)
                    price = library.calc_price(usage, model.id, provider_id=provider.id)
                    found = rates.cost(input, output, {ATTRIBUTES[it]: parts[it] for it in parts})
                    expected = pytest.approx(float(price.total_price))
                    assert found == expected, (provider.id, model.id, usage)
                    checked += 1
    assert checked > 1000


READ, WRITTEN, HOUR, REASONING = (
    *("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    "output_reasoning_tokens",
)
ATTRIBUTES = {
    READ: "gen_ai.usage.cache_read.input_tokens",
    WRITTEN: "gen_ai.usage.cache_write.input_tokens",
    HOUR: "otel_agents.usage.cache_write_1h.input_tokens",
    REASONING: "gen_ai.usage.reasoning.output_tokens",
}
PARTS: list[dict[str, int]] = [
    {},
    {READ: 100},
    {READ: 100, WRITTEN: 200},
    {WRITTEN: 200, HOUR: 200},
    {READ: 100, WRITTEN: 200, HOUR: 50, REASONING: 60},
]


def test_a_cache_for_an_hour_has_its_price(
    emission: Emission, configured: Callable[..., None], fresh: prices.Prices
) -> None:
    wait_for_prices(fresh, "anthropic", "claude-sonnet-4-5")
    call("anthropic", "claude-sonnet-4-5", cache_write_tokens=500, cache_write_1h_tokens=200)
    assert costs(emission) == [pytest.approx(500 * 3e-6 + 300 * 3.75e-6 + 200 * 6e-6 + 100 * 15e-6)]


THREADS = """if True:
    import json, os, sys, threading
    os.environ["OTEL_AGENTS_COST"] = "true"
    from otel_agents import api
    from otel_agents.testing.emission import Emission
    importing = []
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name in ("httpx", "httpx2"):
                importing.append(threading.current_thread() is threading.main_thread())
    sys.meta_path.insert(0, Finder())
    emission = Emission()
    api.configure(**emission.providers)
    def call():
        with api.inference(model="gpt-4o-mini", provider="openai") as made:
            made.usage(10, 1)
        return "otel_agents.cost" in emission.spans[-1].attributes
    call()
    while not call():
        threading.Event().wait(0.01)
    print(json.dumps(sorted(set(importing))))
"""


def test_httpx_is_imported_by_no_other_thread() -> None:
    """A call of openai 2.54 fails while another thread has imported a half of `httpx2`."""
    assert json.loads(in_a_new_process(THREADS)) == [True]


def test_it_must_be_enabled() -> None:
    assert Settings.read({}).cost is False


def test_a_cost_takes_a_thirtieth_of_what_the_library_takes(fresh: prices.Prices) -> None:
    """That is 90 µs on an idle core; on a busy one both are slower. They alternate."""
    rates = wait_for_prices(fresh, "openai", "gpt-4o-mini")
    attributes = {ATTRIBUTES[READ]: 10}

    def ours() -> None:
        fresh.of("openai", "gpt-4o-mini")
        rates.cost(1000, 100, attributes)

    def theirs() -> None:
        usage = library.Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=10)
        library.calc_price(usage, "gpt-4o-mini", provider_id="openai")

    pairs = [(seconds(ours, 500), seconds(theirs, 20)) for _ in range(31)]
    assert statistics.median(their / our for our, their in pairs) > 30


def seconds(call: Callable[[], None], times: int) -> float:
    started = time.thread_time()
    for _ in range(times):
        call()
    return (time.thread_time() - started) / times


def test_the_tree_shows_the_sum(
    configured: Callable[..., None], emission: Emission, fresh: prices.Prices
) -> None:
    wait_for_prices(fresh, "openai", "gpt-4o-mini")
    drawn = io.StringIO()
    emission.tracer_provider.add_span_processor(SimpleSpanProcessor(TreeExporter(drawn)))
    with api.agent("planner"):
        call(output_tokens=100_000)
        call(output_tokens=100_000)
    heading = drawn.getvalue().splitlines()[0]
    assert " · $0.1203 · " in heading or " - $0.1203 - " in heading, heading
