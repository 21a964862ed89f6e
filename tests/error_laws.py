"""Laws of requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from opentelemetry.trace import StatusCode
from stainless_calls import Sdk

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Disconnect,
    Failure,
    Response,
    ScriptedModel,
    nothing_listening,
)

__all__ = [
    "SECRET",
    "TEXTS",
    "ErrorLaws",
    "check_body",
    "check_cancelled_call",
    "check_error_by_class",
    "check_errors",
    "check_retries",
    "error_types",
    "qualified",
]

SECRET = "planted-secret"
TEXTS = ("", "a page", "[]", "null", "[" * 100_000, f'"{SECRET}"', f'{{"error": "{SECRET}"}}')
"""Bodies without a code, such as a gateway's."""
_NO_WAIT = {"retry-after-ms": "1", "retry-after": "0"}


def error_types(emission: Emission) -> list[str]:
    """Return ``error.type`` of each span, ``"None"`` for one without."""
    return [str((span.attributes or {}).get("error.type")) for span in emission.spans]


def qualified(error: BaseException) -> str:
    """Return the ``error.type`` of an exception."""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}"


def check_errors(
    sends: Sequence[Callable[[], Any]], kind: type[BaseException], name: str, emission: Emission
) -> list[BaseException]:
    """Send each; check that it raises ``kind`` with `SECRET`, and that ``name`` is all that is recorded.

    Returns:
        What was raised.
    """
    found: list[BaseException] = []
    for send in sends:
        with pytest.raises(kind, match=SECRET) as raised:
            send()
        found.append(raised.value)
    assert error_types(emission) == [name] * len(sends)
    for span in emission.spans:
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    events = [event for event, _ in emission.events]
    assert events == ["gen_ai.client.operation.exception"] * len(sends)
    durations = emission.points()["gen_ai.client.operation.duration"]
    assert {attributes["error.type"] for attributes, _ in durations} == {name}
    assert SECRET not in emission.texts()
    return found


def check_body(sdk: Sdk, body: str, code: str, emission: Emission) -> None:
    """Check the ``error.type`` of a response with the status 502 and this body."""
    base: Any = sdk.module._base_client
    httpx: Any = getattr(base, "httpx2", None) or base.httpx

    def respond(_: Any) -> Any:
        return httpx.Response(502, text=body)

    http_client = httpx.Client(transport=httpx.MockTransport(respond))
    with (
        sdk.connect("http://model.test", http_client=http_client) as client,
        pytest.raises(sdk.error("InternalServerError")),
    ):
        sdk.send(client)
    assert error_types(emission) == [code]
    assert SECRET not in emission.texts()


def check_error_by_class(
    send: Callable[[], Any], emission: Emission, match: str | None = None
) -> None:
    """Check that what ``send`` raises, which depends on the SDK's version, is recorded by its class."""
    with pytest.raises(Exception, match=match) as raised:
        send()
    assert error_types(emission) == [qualified(raised.value)]


def check_retries(send: Callable[[], Any], model: ScriptedModel, emission: Emission) -> None:
    """Check that ``send``, by a client with two retries, is one span with the tokens of its last attempt."""
    model.script(Failure(500, headers=_NO_WAIT), Failure(429, headers=_NO_WAIT), "Hi")
    send()
    assert model.ledger.requests == 3
    assert error_types(emission) == ["None"]
    tokens = (emission.span.attributes or {})["gen_ai.usage.input_tokens"]
    assert tokens == model.ledger.input_tokens > 0


def check_cancelled_call(
    run: Callable[..., Any],
    send: Callable[[Any], Any],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """Check a call that is cancelled; ``run(function)`` runs ``function(client)`` in a loop."""
    gate = threading.Event()
    model.script(Response("late", gate=gate))

    async def use(client: Any) -> None:
        task: asyncio.Future[Any] = asyncio.ensure_future(send(client))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()  # for an SDK that sends in a thread

    run(use)
    assert error_types(emission) == ["asyncio.exceptions.CancelledError"]


class ErrorLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`."""

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("status", "name"),
        [
            (400, "BadRequestError"),
            (401, "AuthenticationError"),
            (429, "RateLimitError"),
            (500, "InternalServerError"),
        ],
    )
    @pytest.mark.usefixtures("instrumented")
    def test_an_error_of_the_provider(
        self,
        status: int,
        name: str,
        stream: bool,
        sdk: Sdk,
        client: Any,
        run: Callable[..., Any],
        model: ScriptedModel,
        emission: Emission,
    ) -> None:
        model.script(*[Failure(status, message=SECRET)] * 2)
        send = partial(sdk.send, stream=stream)
        sends = [partial(send, client), partial(run, send)]
        code = sdk.codes.get(status, f"{sdk.name}.{name}")
        check_errors(sends, sdk.error(name), code, emission)
        exceptions = [attributes["exception.type"] for _, attributes in emission.events]
        assert exceptions == [f"{sdk.name}.{name}"] * 2

    @pytest.mark.parametrize("body", TEXTS)
    @pytest.mark.usefixtures("instrumented")
    def test_an_error_whose_body_has_no_code_has_its_class(
        self, body: str, sdk: Sdk, emission: Emission
    ) -> None:
        check_body(sdk, body, f"{sdk.name}.InternalServerError", emission)

    @pytest.mark.usefixtures("instrumented")
    def test_retries_of_the_sdk_are_inside_one_span(
        self, sdk: Sdk, url: str, model: ScriptedModel, emission: Emission
    ) -> None:
        with sdk.connect(url, max_retries=2) as client:
            check_retries(partial(sdk.send, client), model, emission)

    @pytest.mark.usefixtures("instrumented")
    def test_a_refused_connection(self, sdk: Sdk, emission: Emission) -> None:
        with (
            nothing_listening() as url,
            sdk.connect(url) as client,
            pytest.raises(sdk.error("APIConnectionError")),
        ):
            sdk.send(client)
        assert error_types(emission) == [f"{sdk.name}.APIConnectionError"]

    @pytest.mark.usefixtures("instrumented")
    def test_a_connection_that_breaks(
        self, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Disconnect())
        with pytest.raises(sdk.error("APIConnectionError")):
            sdk.send(client)
        assert error_types(emission) == [f"{sdk.name}.APIConnectionError"]

    @pytest.mark.usefixtures("instrumented")
    def test_a_timeout(
        self, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response("late", gate=threading.Event()))
        with pytest.raises(sdk.error("APITimeoutError")):
            sdk.send(client, timeout=0.05)
        assert error_types(emission) == [f"{sdk.name}.APITimeoutError"]

    @pytest.mark.usefixtures("instrumented")
    def test_a_cancelled_call(
        self, sdk: Sdk, run: Callable[..., Any], model: ScriptedModel, emission: Emission
    ) -> None:
        check_cancelled_call(run, sdk.send, model, emission)

    @pytest.mark.usefixtures("instrumented")
    def test_a_wrong_argument_raises_as_before_and_is_no_call(
        self, sdk: Sdk, client: Any, emission: Emission
    ) -> None:
        with pytest.raises(TypeError):
            sdk.send(client, no_such_argument=True)
        assert emission.spans == ()
