"""Middleware: what it sends is one span each; what it does not send is none."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES, VERSION
from header_laws import check_trace_headers
from opentelemetry import context as otel_context
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.context.ownership import open_claim
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, Usage

if VERSION < (0, 108):
    pytest.skip("has no middleware", allow_module_level=True)

REQUEST: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": MESSAGES}
REFUSAL = Response(
    "I",
    id="msg_1",
    finish_reason="content_filter",
    usage=Usage(1000, 100),
    extra={"stop_details": {"type": "refusal", "category": None, "fallback_credit_token": "t"}},
)
SERVED = Response("Yes.", id="msg_2", usage=Usage(2000, 200))
FAILURE = Failure(500, headers={"retry-after-ms": "1"})
SERVER_ERROR = "api_error"
Next = Callable[[Any], Any]


@contextmanager
def client_of(
    model: ScriptedModel, *middleware: Any, max_retries: int = 0, **arguments: Any
) -> Generator[anthropic.Anthropic]:
    """Return a client whose requests pass ``middleware``."""
    known: dict[str, Any] = {"base_url": model.base_url, "api_key": "none", **arguments}
    with anthropic.Anthropic(middleware=middleware, max_retries=max_retries, **known) as client:
        yield client


def passing(request: Any, call_next: Next) -> Any:
    return call_next(request)


def resending(request: Any, call_next: Next) -> Any:
    """Send a request once more if it fails."""
    response = call_next(request)
    return response if response.http_response.is_success else call_next(request)


def requested(model: ScriptedModel, name: str, streamed: bool = False) -> dict[str, Any]:
    """Return the attributes of a request."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": name,
        "gen_ai.request.max_tokens": 9,
        "server.address": "127.0.0.1",
        "server.port": model.port,
        **({"gen_ai.request.stream": True} if streamed else {}),
    }


def responded(name: str, scripted: Response, reason: str) -> dict[str, Any]:
    """Return the attributes of a response."""
    assert scripted.usage is not None
    return {
        "gen_ai.response.id": scripted.id,
        "gen_ai.response.model": name,
        "gen_ai.response.finish_reasons": (reason,),
        "gen_ai.usage.input_tokens": scripted.usage.input_tokens,
        "gen_ai.usage.output_tokens": scripted.usage.output_tokens,
    }


def recorded(emission: Emission) -> list[dict[str, Any]]:
    """Return the attributes of all spans by the time of their start, without times."""
    assert finalization.drain(5)
    spans = sorted(emission.spans, key=lambda span: span.start_time or 0)
    timed = "gen_ai.response.time_to_first_chunk"
    return [{k: v for k, v in (s.attributes or {}).items() if k != timed} for s in spans]


def check_billed(emission: Emission, model: ScriptedModel) -> None:
    """Check law 3: the sums of the spans equal what was billed."""
    every = recorded(emission)
    for kind in ("input_tokens", "output_tokens"):
        total = sum(one.get(f"gen_ai.usage.{kind}", 0) for one in every)
        assert total == getattr(model.ledger, kind)


def whole(client: Any) -> Any:
    return client.beta.messages.create(**REQUEST)


def raw(client: Any) -> Any:
    return client.beta.messages.with_raw_response.create(**REQUEST)


def stream(client: Any) -> Any:
    return client.beta.messages.create(**REQUEST, stream=True)


def helper(client: Any) -> Any:
    return client.beta.messages.stream(**REQUEST)


def read(sent: Any) -> None:
    """Read a response to its end."""
    if hasattr(sent, "__enter__"):
        with sent as events:
            list(events)


async def read_async(sent: Any) -> None:
    """Read a response to its end."""
    result = await sent if asyncio.iscoroutine(sent) else sent
    if hasattr(result, "__aenter__"):
        async with result as events:
            async for _ in events:
                pass


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("send", [whole, raw, stream, helper])
@pytest.mark.usefixtures("instrumented")
def test_each_response_of_a_fallback_is_a_span(
    send: Callable[[Any], Any], asynchronous: bool, model: ScriptedModel, emission: Emission
) -> None:
    """Also one that is requested while the stream of another is read."""
    from anthropic.lib.middleware import BetaRefusalFallbackMiddleware

    model.script(REFUSAL, SERVED)
    fallback: Any = BetaRefusalFallbackMiddleware([{"model": "m-2"}])
    if asynchronous:
        asyncio.run(send_async(model, send, fallback))
    else:
        with client_of(model, fallback) as client:
            read(send(client))
    streamed = send in (stream, helper)
    assert recorded(emission) == [
        {**requested(model, "m", streamed), **responded("m", REFUSAL, "refusal")},
        {**requested(model, "m-2", streamed), **responded("m-2", SERVED, "end_turn")},
    ]
    check_billed(emission, model)


async def send_async(model: ScriptedModel, send: Callable[[Any], Any], *middleware: Any) -> None:
    async with anthropic.AsyncAnthropic(
        base_url=model.base_url, api_key="none", max_retries=0, middleware=middleware
    ) as client:
        await read_async(send(client))


@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(FAILURE, SERVED)
    with client_of(model, passing, max_retries=1) as client:
        whole(client)
    request, response = requested(model, "m"), responded("m", SERVED, "end_turn")
    assert recorded(emission) == [{**request, **response}]
    model.script(FAILURE, FAILURE)
    with (
        client_of(model, passing, max_retries=1) as client,
        pytest.raises(anthropic.InternalServerError),
    ):
        whole(client)
    failed = {**request, "error.type": SERVER_ERROR}
    assert recorded(emission) == [{**request, **response}, failed]
    assert model.ledger.requests == 4


@pytest.mark.usefixtures("instrumented")
def test_a_request_that_a_middleware_sends_again_is_another_span(
    model: ScriptedModel, emission: Emission
) -> None:
    """The last one that failed goes on, if the SDK then retries."""
    model.script(FAILURE, FAILURE, FAILURE, SERVED)
    with client_of(model, resending, max_retries=1) as client:
        whole(client)
    request = requested(model, "m")
    failed = {**request, "error.type": SERVER_ERROR}
    assert recorded(emission) == [
        failed,
        failed,
        {**request, **responded("m", SERVED, "end_turn")},
    ]
    assert [span.status.status_code for span in emission.spans].count(StatusCode.ERROR) == 2


@pytest.mark.usefixtures("instrumented")
def test_a_retry_of_the_sdk_that_a_middleware_changes_is_another_span(
    model: ScriptedModel, emission: Emission
) -> None:
    names = iter(("m-1", "m-2"))

    def naming(request: Any, call_next: Next) -> Any:
        return call_next(request.copy(body={**request.json, "model": next(names)}))

    model.script(FAILURE, SERVED)
    with client_of(model, naming, max_retries=1) as client:
        whole(client)
    assert recorded(emission) == [
        {**requested(model, "m-1"), "error.type": SERVER_ERROR},
        {**requested(model, "m-2"), **responded("m-2", SERVED, "end_turn")},
    ]


@pytest.mark.usefixtures("instrumented")
def test_a_failed_attempt_ends_when_it_failed(model: ScriptedModel, emission: Emission) -> None:
    ended: list[int] = []

    def noting(request: Any, call_next: Next) -> Any:
        response = call_next(request)
        ended.append(time.time_ns())
        return response

    model.script(FAILURE, SERVED)
    with client_of(model, resending, noting) as client:
        whole(client)
    first = min(emission.spans, key=lambda span: span.start_time or 0)
    assert (first.end_time or 0) <= ended[0]


@pytest.mark.usefixtures("instrumented")
def test_a_middleware_that_sends_nothing_is_no_inference(
    model: ScriptedModel, emission: Emission
) -> None:
    """Nor do layers above report one: this layer sends what is sent."""
    cached = object()

    def caching(request: Any, call_next: Next) -> Any:
        return cached

    claim, context = open_claim(Operation.CHAT, otel_context.get_current())
    token = otel_context.attach(context)
    sent = claim.attempt()
    with client_of(model, caching) as client:
        assert whole(client) is cached
    otel_context.detach(token)
    assert (emission.spans, model.ledger.requests, sent.taken) == ((), 0, True)


@pytest.mark.usefixtures("instrumented")
def test_a_middleware_that_raises_has_what_it_sent(
    model: ScriptedModel, emission: Emission
) -> None:
    def raising(request: Any, call_next: Next) -> Any:
        call_next(request)
        raise LookupError("mine")

    model.script(SERVED)
    with client_of(model, raising) as client, pytest.raises(LookupError):
        whole(client)
    assert recorded(emission) == [{**requested(model, "m"), **responded("m", SERVED, "end_turn")}]


def threaded(request: Any, call_next: Next) -> Any:
    """Send a request on a thread without context."""
    responses: list[Any] = []
    thread = threading.Thread(target=lambda: responses.append(call_next(request)))
    thread.start()
    thread.join()
    return responses[0]


@pytest.mark.parametrize("send", [whole, stream])
@pytest.mark.parametrize("middleware", [passing, threaded])
@pytest.mark.usefixtures("instrumented")
def test_the_parent_is_that_of_the_call(
    middleware: Any, send: Callable[[Any], Any], model: ScriptedModel, emission: Emission
) -> None:
    """Wherever the middleware sends, and wherever a stream is read."""
    from anthropic.lib.middleware import BetaRefusalFallbackMiddleware

    model.script(REFUSAL, SERVED)
    fallback: Any = BetaRefusalFallbackMiddleware([{"model": "m-2"}])
    tracer = emission.tracer_provider.get_tracer("application")
    with client_of(model, fallback, middleware) as client:
        with tracer.start_as_current_span("run"):
            sent = send(client)
        with tracer.start_as_current_span("read"):
            read(sent)
    assert finalization.drain(5)
    assert emission.tree() == ["run", "  chat m", "  chat m-2", "read"]


@pytest.mark.usefixtures("instrumented")
def test_a_span_of_a_middleware_is_the_parent_of_what_it_sends(
    model: ScriptedModel, emission: Emission
) -> None:
    tracer = emission.tracer_provider.get_tracer("application")

    def traced(request: Any, call_next: Next) -> Any:
        with tracer.start_as_current_span("middleware"):
            return call_next(request)

    with client_of(model, traced) as client:
        whole(client)
    assert emission.tree() == ["middleware", "  chat m"]


@pytest.mark.parametrize("setting", ["", "127.*"])
def test_each_request_has_the_headers_of_its_span(
    setting: str, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS=setting)
    model.script(FAILURE, SERVED)
    with client_of(model, resending) as client:
        whole(client)
    check_trace_headers(emission, model, bool(setting))


@pytest.mark.usefixtures("instrumented")
def test_the_slower_of_two_requests_is_cancelled(
    model: ScriptedModel, emission: Emission, run: Any
) -> None:
    """A middleware sends twice at once, and takes what comes first."""
    served = {**requested(model, "m-1"), **responded("m-1", SERVED, "end_turn")}
    cancelled = {**requested(model, "m-2"), "error.type": "asyncio.exceptions.CancelledError"}

    async def hedging(request: Any, call_next: Next) -> Any:
        bodies = [{**request.json, "model": name} for name in ("m-1", "m-2")]
        first = asyncio.ensure_future(call_next(request.copy(body=bodies[0])))
        await asyncio.wait([first])
        second = asyncio.ensure_future(call_next(request.copy(body=bodies[1])))
        await asyncio.sleep(0)  # it runs until it waits for the network
        second.cancel()
        await asyncio.wait([second])
        return first.result()

    model.script(SERVED)
    asyncio.run(send_async(model, whole, hedging))
    assert recorded(emission) == [served, cancelled]


def test_a_key_of_the_application_is_kept(
    model: ScriptedModel, instrument: Callable[..., None]
) -> None:
    instrument()
    seen: list[Any] = []

    def noting(request: Any, call_next: Next) -> Any:
        seen.append(request.options.idempotency_key)
        return call_next(request)

    with client_of(model, noting) as client:
        client.post("/v1/messages", body=REQUEST, cast_to=object, options={"idempotency_key": "k"})
        whole(client)
    given, made = seen
    assert (given, str(made)[:23]) == ("k", "stainless-python-retry-")
    assert isinstance(made, str)
    assert [type(one) for one in (pickle.loads(pickle.dumps(made)), copy.copy(made))] == [str, str]


def test_those_of_the_sdk_can_be_preferred(
    model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    if VERSION < (1, 14):
        pytest.skip("emits no spans of its own")
    instrument(OTEL_AGENTS_PREFER="theirs")
    with client_of(model, passing) as client:
        whole(client)
    assert emission.spans == ()
