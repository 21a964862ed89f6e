"""The law of ownership: one response, one span, whatever stack it passes."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.context import get_current
from toymodels import Client, Overloaded, Provider, Response, Router

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.carrying import carry
from otel_agents.instrumentors._core.context.ownership import (
    open_claim,
    sent,
    take,
    with_foreign_span,
)
from otel_agents.instrumentors._core.operations import (
    ClaimedCall,
    Embeddings,
    ExecuteTool,
    Inference,
    InvokeAgent,
    Step,
)
from otel_agents.instrumentors._core.operations.models import ModelCall
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

SERVER = ("toy.example", 443)


class Created(Inference):
    """A call of the SDK's instrumentor."""

    __slots__ = ()

    def respond(self, value: Response) -> None:
        describe(self, value)


class Streamed(Created):
    """A streamed call of the SDK's instrumentor."""

    __slots__ = ("client",)

    def conclude(self) -> None:
        if self.error is None:
            describe(self, self.client.provider.served[-1])


def describe(call: Any, response: Response) -> None:
    call.response_id, call.response_model = response.id, "toy-1"
    call.input_tokens, call.output_tokens = response.tokens, 0
    call.finish_reasons = ("stop",)


class Routed(ClaimedCall):
    """A call of the router's instrumentor."""

    def describe(self, call: ModelCall, response: Response | None) -> None:
        if response is not None:
            describe(call, response)

    def response_id(self, response: Response | None) -> str | None:
        return response.id if response is not None else None

    def complete(self, call: ModelCall) -> None:
        call.attributes["otel_agents.cost"] = 0.25


class Layers:
    """The toy layers, instrumented; ``routed`` are the router's calls in progress."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.routed: list[Routed] = []

    def created(self, telemetry: Telemetry, call: Call) -> Inference:
        return Created(self.telemetry, Operation.CHAT, "toy", "toy", SERVER)

    def streamed(self, telemetry: Telemetry, call: Call) -> Inference:
        streamed = Streamed(self.telemetry, Operation.CHAT, "toy", "toy", SERVER)
        streamed.client = call.instance
        return streamed

    def embedded(self, telemetry: Telemetry, call: Call) -> Embeddings:
        class Embedded(Embeddings):
            def respond(self, value: Response) -> None:
                self.input_tokens, self.response_model = value.tokens, "toy-1"

        return Embedded(self.telemetry, Operation.EMBEDDINGS, "toy", "toy", SERVER)

    def routing(self, telemetry: Telemetry, call: Call) -> Routed:
        routed = Routed(self.telemetry, Operation.CHAT, model="toy", provider="toy")
        routed.server = SERVER
        self.routed.append(routed)
        return routed

    def sending(self, telemetry: Telemetry, call: Call) -> None:
        sent(Operation.CHAT, get_current())

    def patches(self) -> Iterator[Patch]:
        yield Patch("toymodels:Client.create", self.created)
        yield Patch("toymodels:Client.acreate", self.created)
        yield Patch("toymodels:Client.stream", self.streamed)
        yield Patch("toymodels:Client.embed", self.embedded)
        yield Patch("toymodels:Router.complete", self.routing)
        yield Patch("toymodels:Router.acomplete", self.routing)
        yield Patch("toymodels:Router.stream", self.routing)
        yield Patch("toymodels:Router.before_send", self.sending)


@pytest.fixture
def layers(emission: Emission) -> Iterator[Layers]:
    layers = Layers(Telemetry("toymodels", **emission.providers))
    patches = PatchSet("toymodels", layers.patches(), layers.telemetry)
    patches.apply()
    yield layers
    patches.undo()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def ledger(emission: Emission, layers: Layers, provider: Provider) -> Callable[[], None]:
    """Check that the spans are the responses, with their usage, and the refusals."""

    def check() -> None:
        counted = sorted(
            (span.attributes["gen_ai.response.id"], span.attributes["gen_ai.usage.input_tokens"])
            for span in emission.spans
            if span.attributes and "gen_ai.response.id" in span.attributes
        )
        assert counted == sorted((r.id, r.tokens) for r in provider.served)
        failed = [s for s in emission.spans if s.attributes and "error.type" in s.attributes]
        assert len(failed) == provider.refused

    return check


def test_through_an_sdk_the_sdk_reports(provider: Provider, ledger: Callable[[], None]) -> None:
    assert Router(Client(provider).create).complete("hi").text == "HI"
    ledger()


def test_without_an_sdk_the_router_reports(provider: Provider, ledger: Callable[[], None]) -> None:
    assert Router(provider.serve).complete("hi").text == "HI"
    ledger()


def test_a_coroutine_returned_by_a_plain_function(
    provider: Provider, ledger: Callable[[], None]
) -> None:
    async def main() -> None:
        router, client = Router(), Client(provider)
        await asyncio.gather(*(router.acomplete(client, text) for text in ("a", "b", "c")))

    asyncio.run(main())
    assert len(provider.served) == 3
    ledger()


def test_a_stream_consumed_later(provider: Provider, ledger: Callable[[], None]) -> None:
    assert "".join(Router().stream(Client(provider), "hi")) == "HI"
    assert len(provider.served) == 1
    ledger()


def test_a_stream_never_started_is_no_call(
    emission: Emission, layers: Layers, provider: Provider
) -> None:
    stream = Router().stream(Client(provider), "hi")
    del stream
    assert emission.spans == ()


def test_a_cache_hit_is_no_call(provider: Provider, ledger: Callable[[], None]) -> None:
    router = Router(provider.serve)
    assert router.complete("hi") is router.complete("hi")
    assert len(provider.served) == 1
    ledger()


def test_a_mock_is_no_call(
    emission: Emission, provider: Provider, ledger: Callable[[], None]
) -> None:
    assert Router(provider.serve).complete("hi", mock=True).text == "MOCK"
    assert emission.spans == ()
    ledger()


def test_a_fallback_is_one_span_each(layers: Layers, emission: Emission) -> None:
    broken, working = Provider(failures=1), Provider()
    response = Router(Client(broken).create, Client(working).create).complete("hi")
    assert [
        (span.attributes or {}).get("gen_ai.response.id") or (span.attributes or {})["error.type"]
        for span in emission.spans
    ] == ["toymodels.Overloaded", response.id]


def test_retries_above_the_sdk_are_one_span_each(
    ledger: Callable[[], None], provider: Provider
) -> None:
    provider.failures = 2
    create = Client(provider).create
    Router(create, create, create).complete("hi")
    ledger()


def test_a_request_that_fails_without_an_sdk_is_one_span(
    emission: Emission, layers: Layers
) -> None:
    with pytest.raises(Overloaded):
        Router(Provider(failures=1).serve).complete("hi")
    assert [(span.attributes or {})["error.type"] for span in emission.spans] == [
        "toymodels.Overloaded"
    ]


def test_two_attempts_under_one_claim_are_one_span_each(
    provider: Provider, ledger: Callable[[], None], layers: Layers
) -> None:
    def twice(prompt: str) -> Response:
        rewritten = Client(provider).create(prompt)  # taken by the SDK
        layers.routed[-1].responded(rewritten)
        sent(Operation.CHAT, get_current())
        return provider.serve(rewritten.text)  # not taken: reported by the router

    Router(twice).complete("hi")
    assert len(provider.served) == 2
    ledger()


def test_an_evaluation_by_the_same_layer_is_counted(
    provider: Provider, ledger: Callable[[], None]
) -> None:
    error_to_report = Router(provider.serve)

    class Judging(Router):
        def send(self, route: Any, prompt: str) -> Response:
            error_to_report.complete(f"is {prompt} fine?")
            return super().send(route, prompt)

    Judging(provider.serve).complete("hi")
    assert len(provider.served) == 2
    ledger()


def test_a_model_called_by_a_tool_is_counted(
    provider: Provider, ledger: Callable[[], None], layers: Layers, emission: Emission
) -> None:
    def with_tool(prompt: str) -> Response:
        tool = ExecuteTool(layers.telemetry, "search")
        context = contextvars.copy_context()
        context.run(carry(lambda: Client(provider).create("inner"), tool.context))
        tool.end()
        return provider.serve(prompt)  # without an SDK: the tool's call must not have taken it

    Router(with_tool).complete("hi")
    assert len(provider.served) == 2
    ledger()


def test_a_background_task_that_outlives_the_claim_is_counted(
    provider: Provider, layers: Layers, emission: Emission
) -> None:
    done = threading.Event()
    release = threading.Event()

    def later() -> None:
        release.wait(5)
        Client(provider).create("background")
        done.set()

    def start(prompt: str) -> Response:
        threading.Thread(target=carry(later)).start()
        return provider.serve(prompt)

    Router(start).complete("hi")
    release.set()
    assert done.wait(5)
    assert len(emission.spans) == len(provider.served) == 2


def test_threads_carry_the_claim(provider: Provider, ledger: Callable[[], None]) -> None:
    def in_thread(prompt: str) -> Response:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(carry(Client(provider).create), prompt).result()

    Router(in_thread).complete("hi")
    ledger()


def test_an_exception_after_the_response_counts_the_response_once(
    provider: Provider, ledger: Callable[[], None]
) -> None:
    def fails_after(prompt: str) -> Response:
        Client(provider).create(prompt)
        raise LookupError("wrong format")

    with pytest.raises(LookupError):
        Router(fails_after).complete("hi")
    assert len(provider.served) == 1
    ledger()


def test_an_embedding_does_not_take_the_claim_on_a_chat(
    provider: Provider, layers: Layers, emission: Emission
) -> None:
    def with_memory(prompt: str) -> Response:
        Client(provider).embed(prompt)
        return provider.serve(prompt)

    Router(with_memory).complete("hi")
    assert emission.names == ["embeddings toy", "chat toy"]


def test_a_recently_reported_response_is_not_reported_again(
    provider: Provider, layers: Layers, emission: Emission
) -> None:
    def without_context(prompt: str) -> Response:
        return contextvars.Context().run(Client(provider).create, prompt)

    Router(without_context).complete("hi")
    assert emission.names == ["chat toy"]


@pytest.mark.parametrize("visible", [True, False])
def test_an_application_model_class_is_counted_once(
    visible: bool, provider: Provider, layers: Layers, emission: Emission
) -> None:
    """Its method ran below the cache: that is the evidence."""

    def start(telemetry: Telemetry, call: Call) -> Routed:
        routed = Routed(telemetry, Operation.CHAT, model="toy", sends_itself=True)
        routed.server = SERVER
        return routed

    def call(prompt: str) -> Response:
        return (Client(provider).create if visible else provider.serve)(prompt)

    wrapped(call, layers.telemetry, start)("hi")
    assert [(span.attributes or {})["gen_ai.provider.name"] for span in emission.spans] == [
        "toy" if visible else "custom"
    ]


def test_a_layer_that_sends_itself_starts_its_span_when_it_sends(
    provider: Provider, ledger: Callable[[], None], layers: Layers, emission: Emission
) -> None:
    def over_http(prompt: str) -> Response:
        started = layers.routed[-1].start(SERVER)
        assert started is not None
        step = Step(layers.telemetry, "POST", parent=started.context)
        try:
            return provider.serve(prompt)
        except Overloaded as error:
            layers.routed[-1].send_failed(error)
            raise
        finally:
            step.end()

    provider.failures = 1
    Router(over_http, over_http).complete("hi")
    ledger()
    assert emission.tree() == ["chat toy", "  POST", "chat toy", "  POST"]


def test_a_request_sent_again_within_an_attempt_is_part_of_it(
    provider: Provider, ledger: Callable[[], None], layers: Layers
) -> None:
    def over_http(prompt: str) -> Response:
        assert layers.routed[-1].start(SERVER) is layers.routed[-1].start(SERVER)
        return provider.serve(prompt)

    Router(over_http).complete("hi")
    ledger()


def test_a_layer_starts_no_span_without_evidence_or_if_the_attempt_is_taken(
    provider: Provider, ledger: Callable[[], None], layers: Layers
) -> None:
    def through_an_sdk(prompt: str) -> Response:
        response = Client(provider).create(prompt)
        assert layers.routed[-1].start(SERVER) is None
        return response

    Router(through_an_sdk).complete("hi")
    routed = Routed(layers.telemetry, Operation.CHAT)
    assert routed.start(SERVER) is None
    ledger()


def test_the_layer_above_adds_to_the_span_of_the_layer_below(
    provider: Provider, layers: Layers, emission: Emission
) -> None:
    Router(Client(provider).create).complete("hi")
    "".join(Router().stream(Client(provider), "hi"))
    Client(provider).create("hi")
    assert [(s.attributes or {}).get("otel_agents.cost") for s in emission.spans] == [
        *(0.25, 0.25),
        None,
    ]


def test_an_agent_sums_up_the_calls_under_it(
    provider: Provider, layers: Layers, emission: Emission
) -> None:
    outer = InvokeAgent(layers.telemetry, "outer")
    inner = InvokeAgent(layers.telemetry, "inner", parent=outer.context)
    carry(lambda: Client(provider).create("hi"), inner.context)()
    inner.end()
    carry(lambda: Client(provider).create("hi"), outer.context)()
    outer.end()
    sums = {
        span.name: dict(span.attributes or {})
        for span in emission.spans
        if span.name.startswith("invoke_agent")
    }
    common = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.output_tokens": 0}
    assert sums == {
        "invoke_agent inner": {
            **common,
            "gen_ai.agent.name": "inner",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.response.finish_reasons": ("stop",),
        },
        "invoke_agent outer": {
            **common,
            "gen_ai.agent.name": "outer",
            "gen_ai.usage.input_tokens": 23,
            "gen_ai.response.finish_reasons": ("stop",),
        },
    }
    assert (outer.scope.inference_calls, inner.scope.inference_calls) == (1, 1)


def test_a_closed_claim_cannot_be_taken() -> None:
    claim, context = open_claim(Operation.CHAT, get_current())
    assert take(Operation.EMBEDDINGS, context) is None
    assert take(Operation.CHAT, context) is claim
    claim.close()
    assert take(Operation.CHAT, context) is None


def test_a_call_with_a_foreign_span_gets_metrics_and_no_second_span(
    emission: Emission,
) -> None:
    telemetry = Telemetry("t", **emission.providers)
    agent = InvokeAgent(telemetry, "a")
    chat = Operation.CHAT
    theirs = Inference(
        telemetry, chat, "toy", "toy-1", SERVER, parent=with_foreign_span(agent.context)
    )
    describe(theirs, Response("r-elsewhere", "it", 7))
    tool = ExecuteTool(telemetry, "t", parent=theirs.context)
    ours = Inference(telemetry, chat, "toy", "toy-1", SERVER, parent=tool.context)
    describe(ours, Response("r-ours", "it", 5))
    for operation in (ours, tool, theirs, agent):
        operation.end()
    assert emission.tree() == ["invoke_agent a", "  execute_tool t", "    chat toy-1"]
    points = emission.points()["gen_ai.client.token.usage"]
    assert sum(total for _, total in points) == 12
    (span,) = [span for span in emission.spans if span.name == "invoke_agent a"]
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == 12


def test_a_layer_above_an_unknown_sdk_need_not_know_the_response_id(emission: Emission) -> None:
    class Own(ClaimedCall):
        def describe(self, call: ModelCall, response: Response) -> None:
            describe(call, response)
            call.response_id = None

    telemetry = Telemetry("otel_agents.instrumentors.autogen", **emission.providers)
    own = Own(telemetry, Operation.CHAT, model="toy-1", provider="openai", sends_itself=True)
    own.server = server_of("https://toy.example/v1")
    own.returned(Response("unknown", "it", 7))
    assert emission.span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "toy-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.model": "toy-1",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 0,
        "server.address": "toy.example",
        "server.port": 443,
    }


@pytest.fixture
def theirs() -> Iterator[Emission]:
    """Provide what another library emits to, which need not conform."""
    theirs = Emission(noticing=True)
    yield theirs
    theirs.close()


def traced(theirs: Emission, operation: str | None, work: Callable[[str], Response]) -> Any:
    """Return ``work`` as another library does it, within a span of its own."""
    tracer = theirs.tracer_provider.get_tracer("com.example.sdk")
    attributes = {"gen_ai.operation.name": operation} if operation else None

    def traced_work(prompt: str) -> Response:
        with tracer.start_as_current_span("example.work", attributes=attributes):
            return work(prompt)

    return traced_work


def named_later(theirs: Emission, operation: str, work: Callable[[str], Response]) -> Any:
    """Return ``work`` within a span of another library that names its operation late."""
    tracer = theirs.tracer_provider.get_tracer("com.example.sdk")

    def traced_work(prompt: str) -> Response:
        with tracer.start_as_current_span("example.work") as span:
            span.set_attribute("gen_ai.operation.name", operation)
            return work(prompt)

    return traced_work


def test_a_span_that_names_its_operation_later_takes_the_claim(
    provider: Provider, layers: Layers, emission: Emission, theirs: Emission
) -> None:
    Router(named_later(theirs, "chat", provider.serve)).complete("hi")
    assert (theirs.names, emission.names) == (["example.work"], [])


def test_a_span_that_names_another_operation_later_takes_no_claim(
    provider: Provider, layers: Layers, emission: Emission, theirs: Emission
) -> None:
    Router(named_later(theirs, "embeddings", provider.serve)).complete("hi")
    assert (theirs.names, emission.names) == (["example.work"], ["chat toy"])


def test_a_span_of_another_library_takes_the_claim(
    provider: Provider, layers: Layers, emission: Emission, theirs: Emission
) -> None:
    Router(traced(theirs, "chat", provider.serve)).complete("hi")
    assert (theirs.names, emission.names) == (["example.work"], [])


@pytest.mark.parametrize("operation", ["embeddings", "execute_tool", None])
def test_another_span_of_another_library_takes_no_claim_on_a_chat(
    operation: str | None, provider: Provider, ledger: Callable[[], None], theirs: Emission
) -> None:
    Router(traced(theirs, operation, provider.serve)).complete("hi")
    assert theirs.names == ["example.work"]
    ledger()


def test_a_span_of_ours_below_is_the_one_that_took_the_claim(
    provider: Provider, ledger: Callable[[], None], theirs: Emission
) -> None:
    Router(traced(theirs, "chat", Client(provider).create)).complete("hi")
    ledger()
