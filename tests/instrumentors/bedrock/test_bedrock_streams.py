"""How a stream may end: each is one span that ends once, with what had arrived."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bedrock_calls import BODIES, CONVERSATION, HAS_AIOBOTOCORE, HAS_CONVERSE
from botocore.exceptions import EventStreamError
from stream_laws import (
    ABANDONED,
    check_broken,
    check_cancelled_stream,
    check_left_at_its_end,
    check_not_current,
    complete,
    ending,
    failed,
)

from otel_agents.instrumentors import hosting
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Response,
    ScriptedModel,
    ToolCall,
    Usage,
)

TEXT = "one two three four five"
ASYNC = pytest.mark.skipif(not HAS_AIOBOTOCORE, reason="without aiobotocore")


def send(client: Any, api: str) -> Any:
    """Return a stream, or what returns one if the client is asynchronous."""
    if api == "converse":
        return client.converse_stream(**CONVERSATION)
    return client.invoke_model_with_response_stream(**BODIES[0].arguments)


def stream_of(response: Any) -> Any:
    return response.get("stream") or response["body"]


APIS = ["converse"] * HAS_CONVERSE + ["invoke"]
each_api = pytest.mark.parametrize("api", APIS)


@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_stream_ends_with_its_last_event(
    api: str, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, usage=Usage(10, 5)))
    stream = stream_of(send(client, api))
    assert emission.spans == ()
    list(stream)
    assert len(emission.spans) == 1
    stream.close()
    assert ending(emission) == complete("end_turn")


@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_closed_stream_is_abandoned(api: str, client: Any, emission: Emission) -> None:
    stream = stream_of(send(client, api))
    next(iter(stream))
    stream.close()
    assert ending(emission) == ABANDONED


@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_dropped_stream_is_abandoned(api: str, client: Any, emission: Emission) -> None:
    for _ in stream_of(send(client, api)):
        break
    assert ending(emission) == ABANDONED


@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_nobody_reads_is_abandoned(api: str, client: Any, emission: Emission) -> None:
    stream_of(send(client, api))
    assert ending(emission) == ABANDONED


@each_api
@pytest.mark.usefixtures("instrumented")
def test_closing_after_the_last_event_abandons_nothing(
    api: str, client: Any, emission: Emission
) -> None:
    last = {"converse": "metadata", "invoke": "message_stop"}[api]

    def is_last(event: Any) -> bool:
        return last in str(event)

    check_left_at_its_end(stream_of(send(client, api)), is_last, emission, "end_turn")
    assert "gen_ai.usage.input_tokens" in (emission.span.attributes or {})


@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_is_an_error(
    api: str, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=Abort(3)))
    check_broken(lambda: stream_of(send(client, api)), emission)


@each_api
@pytest.mark.usefixtures("instrumented")
def test_an_error_in_a_stream_has_the_services_code(
    api: str, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=ErrorEvent(3, "throttlingException", "planted-secret")))
    with pytest.raises(EventStreamError, match="planted-secret"):
        list(stream_of(send(client, api)))
    assert ending(emission) == failed("ThrottlingException")
    assert "planted-secret" not in emission.texts()


@each_api
def test_a_stream_that_breaks_keeps_its_output(
    api: str, client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script(Response(TEXT, fault=Abort(4)))
    with pytest.raises(Exception):  # noqa: B017, PT011  which one depends on the version
        list(stream_of(send(client, api)))
    recorded = str((emission.span.attributes or {})["gen_ai.output.messages"])
    assert ("one" in recorded, "five" in recorded) == (True, False)
    assert '"finish_reason":"error"' in recorded


@each_api
@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_events(api: str, client: Any) -> None:
    check_not_current(stream_of(send(client, api)))


@ASYNC
@each_api
@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_that_is_closed_is_abandoned(
    api: str, run: Any, emission: Emission
) -> None:
    async def use(client: Any) -> None:
        stream = stream_of(await send(client, api))
        await anext(aiter(stream))
        stream.close()

    run(use)
    assert ending(emission) == ABANDONED


@ASYNC
@each_api
@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_that_is_left_is_abandoned(api: str, run: Any, emission: Emission) -> None:
    async def use(client: Any) -> None:
        async for _ in stream_of(await send(client, api)):
            break

    run(use)
    assert ending(emission) == ABANDONED


@ASYNC
@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(
    api: str, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    async def stream(client: Any) -> Any:
        return stream_of(await send(client, api))

    check_cancelled_stream(run, stream, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_a_body_that_is_not_read_is_abandoned_with_its_tokens(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    client.invoke_model(**BODIES[0].arguments)["body"].close()
    assert ending(emission) == ABANDONED
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == (
        model.ledger.input_tokens
    )


@pytest.mark.usefixtures("instrumented")
def test_a_body_that_breaks_is_an_error(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    def read() -> Any:
        return client.invoke_model(**BODIES[0].arguments)["body"].read()

    model.script(Response(TEXT, fault=Abort()))
    check_broken(read, emission)


@each_api
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_the_process_interrupts_is_no_complete_one(
    api: str, client: Any, emission: Emission
) -> None:
    events = iter(stream_of(send(client, api)))
    next(events)
    for operation in hosting.operations_in_progress():
        hosting.interrupt(operation)
    assert ending(emission) == failed("interrupted")
    assert list(events)


@pytest.mark.usefixtures("instrumented")
def test_a_body_may_be_read_by_its_length(client: Any, emission: Emission) -> None:
    response = client.invoke_model(**BODIES[0].arguments)
    size = int(response["ResponseMetadata"]["HTTPHeaders"]["content-length"])
    body = json.loads(response["body"].read(size))
    assert ending(emission) == complete("end_turn")
    assert (emission.span.attributes or {})["gen_ai.response.id"] == body["id"]


@ASYNC
@pytest.mark.usefixtures("instrumented")
def test_an_async_body_may_be_read_by_its_length(run: Any, emission: Emission) -> None:
    async def use(client: Any) -> None:
        response = await client.invoke_model(**BODIES[0].arguments)
        size = int(response["ResponseMetadata"]["HTTPHeaders"]["content-length"])
        assert len(await response["body"].read(size)) == size

    run(use)
    assert ending(emission) == complete("end_turn")


@pytest.mark.skipif(not HAS_CONVERSE, reason="without Converse")
def test_what_the_caller_edits_in_an_event_is_recorded_as_it_was_sent(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})], usage=Usage(10, 5)))
    for event in client.converse_stream(**CONVERSATION)["stream"]:
        event.get("contentBlockStart", {}).get("start", {}).get("toolUse", {})["input"] = "edited"
        event.get("contentBlockDelta", {})["delta"] = {"text": "edited"}
        event.get("messageStop", {})["stopReason"] = "edited"
        event.get("metadata", {}).setdefault("usage", {})["inputTokens"] = 99
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.usage.input_tokens"] == 10
    assert "edited" not in str(attributes)
