"""The ids of recently reported responses: the safety net below the claims, and no more."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from otel_agents.instrumentors import ClaimedCall, Inference, Telemetry, wrapped
from otel_agents.instrumentors._core.context import ownership
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

ID = "response-1"


class _Responses:
    """A layer whose results are response ids."""

    __slots__ = ()

    @staticmethod
    def record(call: Any, response: str) -> None:
        call.response_id, call.response_model = response, "m-1"
        call.input_tokens, call.output_tokens, call.finish_reasons = 1, 1, ("stop",)


class Sdk(Inference):
    __slots__ = ()

    def respond(self, value: str) -> None:
        _Responses.record(self, value)


class Framework(ClaimedCall):
    def describe(self, call: Any, response: str) -> None:
        _Responses.record(call, response)

    def response_id(self, response: str) -> str | None:
        return response


class Above(Framework):
    """A layer of another class."""


def requests(
    telemetry: Telemetry, function: Callable[..., str], layer: type[ClaimedCall] = Framework
) -> Callable[..., str]:
    def start(telemetry: Telemetry, call: Any) -> ClaimedCall:
        claimed = layer(telemetry, Operation.CHAT, provider="own", model="m", sends_itself=True)
        claimed.server = ("h", 1)
        return claimed

    return wrapped(function, telemetry, start)


def create(telemetry: Telemetry) -> Callable[[str], str]:
    """Return an instrumented SDK function that returns the id it is passed."""

    def start(telemetry: Telemetry, call: Any) -> Inference:
        return Sdk(telemetry, Operation.CHAT, "openai", "m", ("h", 1))

    return wrapped(str, telemetry, start)


def out_of_context(function: Callable[[str], str]) -> Callable[[str], str]:
    return lambda response_id: contextvars.Context().run(function, response_id)


def providers(emission: Emission) -> list[Any]:
    return [(span.attributes or {})["gen_ai.provider.name"] for span in emission.spans]


def test_a_client_that_repeats_an_id_is_reported_each_time(
    telemetry: Telemetry, emission: Emission
) -> None:
    request = requests(telemetry, str)
    assert [request(ID) for _ in range(3)] == [ID] * 3
    assert providers(emission) == ["own"] * 3


def test_calls_at_the_same_time_with_the_same_id_are_reported_each(
    telemetry: Telemetry, emission: Emission
) -> None:
    def request_another_meanwhile(response_id: str) -> str:
        return contextvars.Context().run(requests(telemetry, str), response_id)

    requests(telemetry, request_another_meanwhile)(ID)
    assert providers(emission) == ["own"] * 2


def test_an_sdk_without_our_context_is_reported_once_per_call(
    telemetry: Telemetry, emission: Emission
) -> None:
    request = requests(telemetry, out_of_context(create(telemetry)))
    for _ in range(3):
        request(ID)
    assert providers(emission) == ["openai"] * 3


def test_a_report_without_context_is_not_repeated_by_a_layer_above(
    telemetry: Telemetry, emission: Emission
) -> None:
    requests(telemetry, out_of_context(requests(telemetry, str)), Above)(ID)
    assert providers(emission) == ["own"]


def test_an_earlier_report_is_another_response(telemetry: Telemetry, emission: Emission) -> None:
    create(telemetry)(ID)
    requests(telemetry, str)(ID)
    assert providers(emission) == ["openai", "own"]


def test_the_number_of_kept_ids_is_bounded(telemetry: Telemetry, emission: Emission) -> None:
    limit = ownership.REPORTED.maxlen
    assert limit is not None
    assert limit <= 10_000
    reported = ownership.Reported(ID, 2**62, None)
    ownership.REPORTED.append(reported)
    assert ownership.is_reported(ID, 0, Framework)
    ownership.REPORTED.extend(ownership.Reported(f"{n}", 2**62, None) for n in range(limit))
    assert not ownership.is_reported(ID, 0, Framework)
    assert len(ownership.REPORTED) == limit
    ownership.REPORTED.clear()
