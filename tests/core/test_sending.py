"""An operation whose request was not sent is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.context import attach, detach

from otel_agents.instrumentors import Operation, Step, Telemetry
from otel_agents.instrumentors._core.context.sending import expect_sending, sender, sending
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission

ENDS: dict[str, Callable[[Operation], object]] = {
    "failed": lambda it: it.failed(ValueError("refused")),
    "abandoned": lambda it: it.abandoned(),
}


def expecting(telemetry: Telemetry) -> Step:
    operation = Step(telemetry, "request")
    expect_sending(operation)
    return operation


def send(operation: Operation) -> Any:
    token = attach(operation.context)
    try:
        return sending()
    finally:
        detach(token)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_operation_that_sent_nothing_is_discarded(
    end: Callable[[Operation], object], telemetry: Telemetry, emission: Emission
) -> None:
    operation, ended = expecting(telemetry), list[str]()
    operation.when_ended.append(lambda: ended.append("ended"))
    end(operation)
    assert (emission.spans, emission.points(), emission.events) == ((), {}, [])
    assert (operation.ended, ended, in_progress.operations()) == (True, ["ended"], [])


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_operation_that_sent_is_recorded(
    end: Callable[[Operation], object], telemetry: Telemetry, emission: Emission
) -> None:
    operation = expecting(telemetry)
    assert send(operation) is operation
    end(operation)
    assert emission.names == ["request"]


def test_a_result_is_recorded_whatever_sent_it(telemetry: Telemetry, emission: Emission) -> None:
    """The application may have replaced what sends."""
    expecting(telemetry).returned("response")
    assert emission.names == ["request"]


def test_an_operation_is_not_kept_by_its_context(telemetry: Telemetry) -> None:
    operation = expecting(telemetry)
    token = attach(operation.context)
    assert sender() is operation
    operation.discard()
    del operation
    assert (sender(), sending()) == (None, None)
    detach(token)
