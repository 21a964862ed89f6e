"""The ids of responses reported lately: the net under the claims, and no more than that."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from otel_agents.instrumentors import ClaimedCall, Inference, Telemetry, wrapped
from otel_agents.instrumentors._core.context import ownership
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

ID = "response-1"


class _Told:
    """A layer whose results are ids of responses."""

    __slots__ = ()

    @staticmethod
    def tell(call: Any, response: str) -> None:
        call.response_id, call.response_model = response, "m-1"
        call.input_tokens, call.output_tokens, call.finish_reasons = 1, 1, ("stop",)


class Sdk(Inference):
    __slots__ = ()

    def respond(self, value: str) -> None:
        _Told.tell(self, value)


class Framework(ClaimedCall):
    def describe(self, call: Any, response: str) -> None:
        _Told.tell(call, response)

    def response_id(self, response: str) -> str | None:
        return response


class Above(Framework):
    """A layer of another kind."""


def asked(
    telemetry: Telemetry, function: Callable[..., str], layer: type[ClaimedCall] = Framework
) -> Callable[..., str]:
    def start(telemetry: Telemetry, call: Any) -> ClaimedCall:
        claimed = layer(telemetry, Operation.CHAT, provider="own", model="m", sends_itself=True)
        claimed.server = ("h", 1)
        return claimed

    return wrapped(function, telemetry, start)


def create(telemetry: Telemetry) -> Callable[[str], str]:
    """An SDK's function, which is reported; its result is the id that it is given."""

    def start(telemetry: Telemetry, call: Any) -> Inference:
        return Sdk(telemetry, Operation.CHAT, "openai", "m", ("h", 1))

    return wrapped(str, telemetry, start)


def out_of_context(function: Callable[[str], str]) -> Callable[[str], str]:
    return lambda response_id: contextvars.Context().run(function, response_id)


def providers(emission: Emission) -> list[Any]:
    return [(span.attributes or {})["gen_ai.provider.name"] for span in emission.spans]


def test_a_client_that_gives_its_id_again_is_reported_each_time(
    telemetry: Telemetry, emission: Emission
) -> None:
    ask = asked(telemetry, str)
    assert [ask(ID) for _ in range(3)] == [ID] * 3
    assert providers(emission) == ["own"] * 3


def test_calls_at_the_same_time_with_the_same_id_are_reported_each(
    telemetry: Telemetry, emission: Emission
) -> None:
    def ask_another_meanwhile(response_id: str) -> str:
        return contextvars.Context().run(asked(telemetry, str), response_id)

    asked(telemetry, ask_another_meanwhile)(ID)
    assert providers(emission) == ["own"] * 2


def test_what_an_sdk_reports_out_of_context_is_one_each_time(
    telemetry: Telemetry, emission: Emission
) -> None:
    ask = asked(telemetry, out_of_context(create(telemetry)))
    for _ in range(3):
        ask(ID)
    assert providers(emission) == ["openai"] * 3


def test_what_a_layer_reports_out_of_context_is_not_reported_by_another_above(
    telemetry: Telemetry, emission: Emission
) -> None:
    asked(telemetry, out_of_context(asked(telemetry, str)), Above)(ID)
    assert providers(emission) == ["own"]


def test_what_an_sdk_reported_before_is_another_response(
    telemetry: Telemetry, emission: Emission
) -> None:
    create(telemetry)(ID)
    asked(telemetry, str)(ID)
    assert providers(emission) == ["openai", "own"]


def test_no_more_are_known_than_a_few_thousand(telemetry: Telemetry, emission: Emission) -> None:
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
