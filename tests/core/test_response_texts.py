"""What formats read by shorter ways is what they read by the general ones."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from otel_agents.instrumentors._core.encoding.encoded import ORIGINAL_BYTES, TRUNCATED, encode
from otel_agents.instrumentors._dialects.bedrock.converse import CONVERSE
from otel_agents.instrumentors._dialects.openai.chat import CHOICES
from otel_agents.instrumentors._dialects.openai.responses import RESPONSES
from otel_agents.instrumentors._dialects.openai.usage import usage_of

TEXT = "Lorem ipsum größe " * 200
MESSAGE = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": TEXT}],
}


IN_FORMATS = pytest.mark.parametrize(
    ("wire_format", "response"),
    [
        (RESPONSES, {"status": "completed", "output": [MESSAGE]}),
        (RESPONSES, {"status": "incomplete", "output": [MESSAGE]}),
        (
            CONVERSE,
            {
                "output": {"message": {"role": "assistant", "content": [{"text": TEXT}]}},
                "stopReason": "end_turn",
            },
        ),
    ],
    ids=["completed", "incomplete", "Converse"],
)


@pytest.mark.parametrize("budget", [100_000, 300, 10])
@IN_FORMATS
def test_a_text_is_encoded_as_its_message_is(wire_format: Any, response: Any, budget: int) -> None:
    messages = wire_format.output_messages(response)
    assert encode(wire_format.output(response), budget) == encode(messages, budget)


@IN_FORMATS
def test_of_a_text_that_does_not_fit_the_start_is_kept(wire_format: Any, response: Any) -> None:
    made = encode(wire_format.output(response), 2000)
    (message,), (expected,) = made.structure(), wire_format.output_messages(response)
    part = message["parts"][0]
    assert TEXT.startswith(part["content"])
    marks = {TRUNCATED: True, ORIGINAL_BYTES: len(TEXT.encode())}
    assert message == {**expected, "parts": [{**part, **marks}]}
    assert made.size in (1999, 2000)


class Reason(str, Enum):
    ODD = "odd"


@pytest.mark.parametrize("budget", [1000, 3000, 100_000])
def test_a_finish_reason_of_an_enumeration_is_its_value(budget: int) -> None:
    message = {"role": "assistant", "content": TEXT}
    response = {"choices": [{"message": message, "finish_reason": Reason.ODD}]}
    (made,) = encode(CHOICES.output(response), budget).structure()
    assert made["finish_reason"] == "odd"


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2}, (3, 2)),
        ({"input_tokens": 3, "output_tokens": 2}, (3, 2)),
        ({"prompt_tokens": 3, "completion_tokens": None}, (3, None)),
        ({"prompt_tokens": None, "completion_tokens": 2, "input_tokens": 9}, (None, 2)),
        ({"prompt_tokens": "3", "completion_tokens": -1, "input_tokens": 9}, (9, None)),
        ({"prompt_tokens": 3.0, "output_tokens": 2}, (3, None)),
        ({}, (None, None)),
    ],
    ids=repr,
)
def test_the_counts_of_chat_come_first(usage: Any, counts: tuple[Any, Any]) -> None:
    read = usage_of(usage)
    assert read is not None
    assert (read.input_tokens, read.output_tokens) == counts
