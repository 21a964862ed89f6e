"""Operations in progress are listed until they end or are dropped, and not kept alive."""

from __future__ import annotations

import gc

import pytest

from otel_agents.instrumentors._core.operations import InvokeWorkflow, Step, in_progress
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.testing.emission import Emission


class _Broken(Step):
    def conclude(self) -> None:
        raise LookupError


def known() -> list[str]:
    return [operation.span.name for operation in in_progress.operations()]


def test_an_operation_is_in_progress_from_start_to_end(emission: Emission) -> None:
    using = Telemetry("test", **emission.providers)
    outer = InvokeWorkflow(using, "outer")
    inner = Step(using, "inner")
    assert known() == ["invoke_workflow outer", "inner"]
    inner.end()
    assert known() == ["invoke_workflow outer"]
    outer.end()
    assert known() == []


def test_a_discarded_operation_is_not_in_progress(emission: Emission) -> None:
    step = Step(Telemetry("test", **emission.providers), "step")
    step.discard()
    assert known() == []
    step.end()
    step.discard()
    assert (emission.names, emission.metrics()) == ([], [])


def test_a_dropped_operation_is_not_in_progress(emission: Emission) -> None:
    using = Telemetry("test", **emission.providers)
    for number in range(25):
        Step(using, f"dropped {number}")
    gc.collect()
    assert known() == []
    assert len(in_progress.IN_PROGRESS) == 0


def test_an_ended_operation_cannot_be_interrupted(emission: Emission) -> None:
    step = Step(Telemetry("test", **emission.providers), "step")
    step.end()
    in_progress.interrupt(step)
    assert dict(emission.span.attributes or {}) == {"otel_agents.step.type": "step"}


def test_an_error_in_one_interrupt_does_not_stop_the_others(
    emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(in_progress.errors, "internal_error", logged.append)
    step = _Broken(Telemetry("test", **emission.providers), "step")
    in_progress.interrupt(step)
    assert logged == ["describing an operation"]
    assert emission.names == ["step"]
