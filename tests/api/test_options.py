"""Whatever an application gives, what is recorded conforms, and what is dropped is one line."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest

from otel_agents import api
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("with_content")


class Model(str, Enum):
    """Names of models, as applications keep them."""

    HOUSE = "house-7b"


class Unprintable:
    def __str__(self) -> str:
        raise LookupError

    __repr__ = __str__


BLOCKS: dict[str, Callable[..., Any]] = {
    name: getattr(api, name)
    for name in (
        *("workflow", "agent", "tool", "step", "retrieval", "memory", "handoff"),
        *("inference", "embeddings", "identity"),
    )
}
OPTIONS = [
    (name, option)
    for name, function in BLOCKS.items()
    for option, it in inspect.signature(function).parameters.items()
    if it.kind is it.KEYWORD_ONLY
]
ODD: list[Any] = [
    *(7, 1.5, float("nan"), True, "x", "9", b"x", [], [1], ("h", "443"), ("h", 443, 1)),
    *({}, {1: 2}, Model.HOUSE, object(), Unprintable(), 10**400, -(2**70)),
]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_an_option_of_any_type(
    name: str, option: str, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    """The fixture `emission` checks what is emitted against the conventions."""
    caplog.set_level(logging.WARNING, "otel_agents")
    for odd in ODD:
        with BLOCKS[name](**{option: odd}), api.step("within"):
            pass

        @BLOCKS[name](**{option: odd})
        def decorated(value: int) -> int:
            return value

        assert decorated(3) == 3
    spans = [span for span in emission.spans if span.name == "step within"]
    assert len(spans) == len(ODD)
    assert len({*caplog.messages}) == len(caplog.messages)
    assert all(it.startswith("otel-agents: ") for it in caplog.messages)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_what_a_block_records_may_be_anything(odd: Any, emission: Emission) -> None:
    recorded = {
        "inference": ("input", "output"),
        "agent": ("input", "output"),
        "tool": ("arguments", "result"),
        "retrieval": ("query", "documents"),
        "memory": ("query", "records"),
        "step": ("outcome",),
    }
    for name, methods in recorded.items():
        with BLOCKS[name]() as block:
            for method in methods:
                getattr(block, method)(odd)
    with api.inference(model="m") as call:
        call.usage(odd, odd, cache_read_tokens=odd)
        call.response(id=odd, model=odd, finish_reason=odd)
    api.evaluation("e", score=odd, label=odd, explanation=odd, evaluator=odd, response_id=odd)
    api.feedback(odd, comment=odd, of=odd)
    assert len(emission.names) >= len(recorded) + 1


def test_a_member_of_an_enumeration_is_its_value(emission: Emission) -> None:
    with api.inference(model=Model.HOUSE) as call:
        call.response(model=Model.HOUSE, finish_reason="stop")
    attributes = emission.span.attributes or {}
    assert emission.span.name == "chat house-7b"
    assert attributes["gen_ai.request.model"] == attributes["gen_ai.response.model"] == "house-7b"


@pytest.mark.parametrize("odd", ["x", None, True, float("nan"), float("inf")])
def test_a_flush_has_a_timeout(odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert api.flush(odd)
    (line,) = caplog.messages
    assert line.startswith("otel-agents: flush(timeout=…) is 10 seconds")
