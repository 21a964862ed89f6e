"""Our own failures cost no span and no response; many requests leave nothing behind."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import pytest
from bedrock_calls import BODIES, CONVERSATION, HAS_CONVERSE, client_of
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError
from failing_hooks import check_failing_hooks
from flatness import check_flat
from urllib3 import HTTPResponse

from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.testing.scripted_model import Failure, ScriptedModel, nothing_listening
from otel_agents.testing.scripted_model.bedrock.event_stream import CONTENT_TYPE, event


@pytest.mark.parametrize("api", ["invoke", "stream"] + ["converse"] * HAS_CONVERSE)
def test_our_error_costs_no_span(api: str, client: Any, model: ScriptedModel) -> None:
    def converse() -> Any:
        model.script("Hi")
        arguments = BODIES[0].arguments
        if api == "invoke":
            return json.loads(client.invoke_model(**arguments)["body"].read())["content"]
        if api == "stream":
            return len(list(client.invoke_model_with_response_stream(**arguments)["body"]))
        return client.converse(**CONVERSATION)["output"]

    assert check_failing_hooks(BedrockInstrumentor, converse) > 5


def test_our_error_costs_no_span_of_a_refusal(client: Any, model: ScriptedModel) -> None:
    def converse() -> Any:
        model.script(Failure(403, "ExpiredTokenException"))
        with pytest.raises(ClientError) as raised:
            client.invoke_model(**BODIES[0].arguments)
        return str(raised.value)

    assert check_failing_hooks(BedrockInstrumentor, converse) > 5


def test_our_error_costs_no_span_of_a_request_that_fails() -> None:
    with nothing_listening() as url:
        client = client_of(url)

        def converse() -> Any:
            try:
                client.invoke_model(**BODIES[0].arguments)
            except EndpointConnectionError as error:
                return str(error)

        assert check_failing_hooks(BedrockInstrumentor, converse) > 5


WHOLE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
}
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"delta": {"text": "Hi"}, "contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": WHOLE["usage"]}),
]
STREAM = b"".join(event(name, payload).data for name, payload in EVENTS)


def respond(request: Any, **kwargs: Any) -> AWSResponse:
    """Respond as the network would."""
    streamed = request.url.endswith("stream")
    kind = CONTENT_TYPE if streamed else "application/json"
    body = STREAM if streamed else json.dumps(WHOLE).encode()
    headers: Any = {"content-type": kind, "x-amzn-requestid": "request-1"}
    raw = HTTPResponse(io.BytesIO(body), preload_content=False)
    return AWSResponse(request.url, 200, headers, raw)


@pytest.mark.skipif(not HAS_CONVERSE, reason="once is enough: nothing of it is a version's")
def test_requests_leave_nothing() -> None:
    client = client_of("http://127.0.0.1:9", signature_version=UNSIGNED, parameter_validation=False)
    client.meta.events.register("before-send.bedrock-runtime", respond)
    body = {"modelId": "amazon.nova-lite-v1:0", "body": json.dumps({"messages": []})}
    ways = itertools.cycle(
        [
            lambda: client.converse(**CONVERSATION),
            lambda: list(client.converse_stream(**CONVERSATION)["stream"]),
            lambda: next(iter(client.converse_stream(**CONVERSATION)["stream"])),
            lambda: client.invoke_model(**body)["body"].read(),
            lambda: client.invoke_model(**body)["body"],
        ]
    )
    check_flat(lambda: next(ways)(), BedrockInstrumentor(), turns=2_000)
    client.close()
