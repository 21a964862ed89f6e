"""Law 3 across scopes: a library that traces itself and we count each response once.

A suite subclasses `NativeLaws` and defines a fixture ``way``: one way to run an agent that calls the
model, then a tool, then the model again.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from native_emission import NativeEmission, attributes_of, billed, scope_of

from otel_agents.instrumentors import AgentInstrumentor, hosting
from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, Failure, Reaction, Response, ScriptedModel

__all__ = ["NativeLaws", "StreamLaws", "Way", "check_embedded", "native", "process_emission"]

Way = Callable[[ScriptedModel], object]

_TOKENS = "gen_ai.client.token.usage"
_DURATION = "gen_ai.client.operation.duration"
_DRAIN_SECONDS = 5
_THREADS = 4
_SDKS = (OpenAIInstrumentor, LiteLLMInstrumentor, GoogleGenAIInstrumentor)


@pytest.fixture(scope="session")
def process_emission() -> NativeEmission:
    """Return the providers of the process."""
    return NativeEmission()


@pytest.fixture
def native(
    process_emission: NativeEmission, library: type[AgentInstrumentor]
) -> Iterator[NativeEmission]:
    """Instrument the library of the fixture ``library`` and the SDKs, with the global providers."""
    instrumentors = [library(), *(sdk() for sdk in _SDKS)]
    for instrumentor in instrumentors:
        instrumentor.instrument(settings=Settings.read({}), skip_dep_check=False)
    process_emission.restart()
    yield process_emission
    for instrumentor in instrumentors:
        instrumentor.uninstrument()
    process_emission.restart()


def _check_metrics(native: NativeEmission, model: ScriptedModel) -> None:
    ledger, responses = model.ledger, billed(model)
    assert native.recorded(_TOKENS, "input") == (ledger.input_tokens, responses)
    assert native.recorded(_TOKENS, "output") == (ledger.output_tokens, responses)
    assert native.recorded(_DURATION)[1] == responses


class NativeLaws:
    """Laws of each way; ``scope`` is that of the library's spans."""

    scope: str
    """The instrumentation scope of the library's spans."""
    completed: tuple[str, ...] = (
        "gen_ai.provider.name",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "server.address",
        "server.port",
    )
    """What each span has at its end."""
    parts: frozenset[int] = frozenset({2})
    """How many spans there may be of two runs, if every second trace is sampled."""

    def test_each_response_is_one_span_of_the_library(
        self,
        way: Way,
        native: NativeEmission,
        model: ScriptedModel,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        way(model)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        ledger = model.ledger
        assert [scope_of(span) for span in native.inferences] == [self.scope] * 2
        assert billed(model) == 2
        assert native.tokens == (ledger.input_tokens, ledger.output_tokens)
        _check_metrics(native, model)
        assert native.traces() == 1
        for span in native.inferences:
            assert {name for name in self.completed if name not in attributes_of(span)} == set()
        assert [it for it in caplog.records if it.name.startswith("otel_agents")] == []

    @pytest.mark.parametrize("rate", ["none", "half"])
    def test_what_is_not_sampled_is_in_the_metrics_once(
        self, way: Way, rate: str, native: NativeEmission, model: ScriptedModel
    ) -> None:
        native.restart(rate)
        way(model)
        way(model)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert {scope_of(span) for span in native.inferences} <= {self.scope}
        assert len(native.inferences) in (self.parts if rate == "half" else {0})
        assert billed(model) == 4
        _check_metrics(native, model)

    def test_an_sdk_with_another_provider_has_its_spans_too(
        self, way: Way, native: NativeEmission, model: ScriptedModel
    ) -> None:
        own, sdks = Emission(noticing=True), [sdk() for sdk in _SDKS]
        for sdk in sdks:
            sdk.uninstrument()
            sdk.instrument(**own.providers, settings=Settings.read({}))
        way(model)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        own.close()
        assert [scope_of(span) for span in native.inferences] == [self.scope] * 2
        assert len(own.spans) == 2
        counted = [attributes_of(span)["gen_ai.usage.input_tokens"] for span in own.spans]
        assert sum(counted) == model.ledger.input_tokens
        points: Any = dict(own.points())[_TOKENS]
        total = sum(value for _, value in points)
        assert total == model.ledger.input_tokens + model.ledger.output_tokens

    def test_after_uninstrumenting_the_library_both_have_a_span(
        self,
        way: Way,
        library: type[AgentInstrumentor],
        native: NativeEmission,
        model: ScriptedModel,
    ) -> None:
        library().uninstrument()
        way(model)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert len(native.ours) == 2
        assert len(native.inferences) == 4
        library().instrument()

    def test_an_attempt_that_fails_is_ours(
        self, way: Way, native: NativeEmission, model: ScriptedModel
    ) -> None:
        model.script(Failure(400))
        with pytest.raises(Exception):  # noqa: B017, PT011  each library has its own
            way(model)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert [scope_of(span) for span in native.inferences if span not in native.ours] == [
            self.scope
        ]
        (ours,) = native.ours
        assert attributes_of(ours)["error.type"]
        assert native.traces() == 1
        assert native.recorded(_DURATION)[1] == 1
        assert native.recorded(_TOKENS, "input") == (0, 0)

    def test_a_call_that_is_cancelled_is_one_attempt(
        self,
        way: Way,
        native: NativeEmission,
        model: ScriptedModel,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with (
            _cancelled_at_its_request(model, monkeypatch) as tasks,
            pytest.raises(BaseException),  # noqa: B017, PT011  each library has its own
        ):
            way(model)
        if not tasks:
            pytest.skip("it runs no event loop that can be cancelled")
        gc.collect()  # early versions end the spans of a stream with it
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert [attributes_of(span).get("error.type") is not None for span in native.ours] == [True]
        assert native.traces() == 1
        assert native.recorded(_DURATION)[1] == 1
        assert native.recorded(_TOKENS, "input") == (0, 0)

    def test_calls_in_threads_are_counted_once(
        self, way: Way, native: NativeEmission, model: ScriptedModel
    ) -> None:
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(way, [model] * _THREADS))
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert [scope_of(span) for span in native.inferences] == [self.scope] * (2 * _THREADS)
        assert native.tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
        _check_metrics(native, model)
        assert native.traces() == _THREADS


@contextmanager
def _cancelled_at_its_request(
    model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> Generator[list[Any], None, None]:
    """Cancel what ``asyncio.run`` runs once the model has a request, to which it does not respond."""
    tasks: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    gate, run = Event(), asyncio.run

    async def captured(main: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.current_task()
        assert task is not None
        tasks.append((asyncio.get_running_loop(), task))
        return await main

    def hang(request: object) -> Reaction:
        for loop, task in tasks:
            loop.call_soon_threadsafe(task.cancel)
        return Response(gate=gate) if tasks else Failure(400)

    def run_captured(main: Coroutine[Any, Any, Any], **options: Any) -> Any:
        return run(captured(main), **options)

    monkeypatch.setattr(asyncio, "run", run_captured)
    model.script_by(hang)
    try:
        yield tasks
    finally:
        gate.set()


class StreamLaws:
    """Laws of streams; ``scope`` is that of the library's spans."""

    scope: str
    streamed: Way
    """Streams a run."""
    left: Way
    """Leaves a stream after its first item."""

    def test_a_stream_that_breaks_is_one_failed_attempt(
        self, native: NativeEmission, model: ScriptedModel
    ) -> None:
        model.script(Response("One two three four five six.", fault=Abort(after=2)))
        logging.disable(logging.ERROR)
        try:
            with pytest.raises(Exception):  # noqa: B017, PT011  each library has its own
                type(self).streamed(model)
        finally:
            logging.disable(logging.NOTSET)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert [attributes_of(span).get("error.type") is not None for span in native.ours] == [True]
        assert len(native.inferences) == 2
        assert native.recorded(_DURATION)[1] == 1

    def test_a_stream_that_is_left_is_one_span(
        self, native: NativeEmission, model: ScriptedModel
    ) -> None:
        model.script(Response("One two three four five six."))
        type(self).left(model)
        assert hosting.drain_streams(_DRAIN_SECONDS)
        assert [scope_of(span) for span in native.inferences] == [self.scope]


def check_embedded(way: Way, scope: str, native: NativeEmission, model: ScriptedModel) -> None:
    """Check that embeddings are one span, of the library, sampled or not."""
    for rate, spans in (("all", [scope]), ("none", [])):
        native.restart(rate)
        before = model.ledger.input_tokens
        way(model)
        billed_now = model.ledger.input_tokens - before
        assert billed_now
        assert [scope_of(span) for span in native.inferences] == spans
        assert native.tokens[0] == (billed_now if spans else 0)
        assert native.recorded(_TOKENS, "input") == (billed_now, 1)
        assert native.recorded(_DURATION)[1] == 1
